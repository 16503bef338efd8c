import errno
import hashlib
import os
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.modules.module import load_script
from odoo.tests import freeze_time
from odoo.tools import file_path

from ..common import PDF, GrantsCommon
from ..files import make_pdf, make_picture


class TestDeliverable(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy()
        cls.piece = cls.make_deliverable(cls.subsidy)
        cls.sign(cls.subsidy)

    def submit(self, content=PDF, name="bilan.pdf", user=None, piece=None):
        piece = (piece or self.piece).with_user(user or self.operator_user)
        return piece._do_submit(name, content)

    def accept(self, user=None):
        self.piece.with_user(user or self.coordinator).action_accept()

    def test_cut_while_it_is_written(self):
        """A full disk, or a process killed: half a file is in nobody's way."""
        attachments = self.env["ir.attachment"]
        content = PDF + os.urandom(900)

        def full(_stream):
            raise OSError(errno.ENOSPC, "No space left on device")

        with patch("os.fsync", full), self.assertRaises(OSError):
            self.submit(content)
        version = self.submit(content)
        self.assertEqual(version.sudo().file_ids.attachment_id.raw, content)
        folder = os.path.dirname(
            attachments._full_path(version.sudo().file_ids.attachment_id.store_fname)
        )
        for name in os.listdir(folder):
            # Half a file is on the list of what is collected.
            if name.startswith(version.sudo().file_ids.attachment_id.checksum + "-"):
                listed = os.path.join("checklist", os.path.basename(folder), name)
                self.assertTrue(os.path.exists(attachments._full_path(listed)))

    def test_another_file_of_the_same_checksum(self):
        """What differs in one byte, in its length or not at all, however long."""
        attachments, content = self.env["ir.attachment"], os.urandom(3 * 2**16 + 5)
        path = attachments._full_path(attachments.create({"name": "a", "raw": content}).store_fname)
        for other in (content[:-1], content + b"x", content[:-1] + bytes([content[-1] ^ 1]), b""):
            self.assertEqual(attachments._same_content(other, path), other == content)
        self.assertTrue(attachments._same_content(content, path))

    def test_versions(self):
        first = self.submit(PDF)
        second = self.submit(PDF + b"2", "bilan corrigé.pdf")
        self.assertEqual((first | second).mapped("number"), [1, 2])
        self.assertEqual(self.piece.last_version_id.id, second.id)
        for version, content in ((first, PDF), (second, PDF + b"2")):
            version = version.sudo()
            self.assertEqual(version.sha256, hashlib.sha256(content).hexdigest())
            self.assertEqual(version.size, len(content))
            self.assertEqual(version.file_ids.attachment_id.raw, content)
            self.assertEqual(version.user_id, self.operator_user)
            self.assertEqual(version.subsidy_id.id, self.subsidy.id)

    def test_files_stay(self):
        """A version's file is neither changed nor deleted, by whoever may read it."""
        attachment = self.submit().sudo().file_ids.attachment_id
        for user in self.staff:
            with self.subTest(user=user.login, action="write"), self.assertRaises(AccessError):
                attachment.with_user(user).raw = b"x"
            with self.subTest(user=user.login, action="unlink"), self.assertRaises(AccessError):
                attachment.with_user(user).unlink()

    def test_review(self):
        with self.assertRefused("Expected"):
            self.accept()
        self.submit()
        self.ask(self.piece, "send_back", self.coordinator, "Il manque la page 2")
        self.assertEqual(
            (self.piece.state, self.piece.answer), ("to_complete", "Il manque la page 2")
        )
        with self.assertRefused("To Complete"):
            self.accept()
        second = self.submit()
        self.accept()
        self.assertEqual(self.piece.state, "accepted")
        self.assertFalse(self.piece.answer)
        with self.assertRefused("Accepted"):
            self.submit()
        decisions = self.piece.decision_ids.sorted("id")
        self.assertEqual(decisions.mapped("decision"), ["to_complete", "accepted"])
        self.assertEqual(decisions[0].reason, "Il manque la page 2")
        self.assertEqual(decisions[1].version_id.id, second.id)
        self.ask(self.piece, "reopen", self.coordinator, "Erreur de lecture")
        self.assertEqual(self.piece.state, "to_complete")
        self.submit()

    def test_by_whom(self):
        self.submit()
        others = (self.reader, self.finance_officer, self.finance_manager, *self.portal_users)
        for user in others:
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.accept(user)
            for action in ("send_back", "waive", "reopen"):
                with self.subTest(user=user.login, action=action), self.assertRaises(AccessError):
                    self.ask(self.piece, action, user)
        for user in (self.reader, self.other_operator_user, self.prefecture_user):
            with self.subTest(user=user.login, action="submit"), self.assertRaises(AccessError):
                self.submit(user=user)

    def test_reasons_are_read_by_the_operator(self):
        self.submit()
        for action in ("send_back", "waive"):
            with self.assertRefused("reason"):
                self.ask(self.piece, action, self.coordinator, " ")
        with self.assertRefused("reason"):
            self.piece.with_user(self.coordinator)._do_review("waived", ("submitted",))

    def test_when(self):
        draft = self.make_deliverable(self.make_subsidy())
        with self.assertRefused():
            self.submit(piece=draft, user=self.coordinator)
        self.ask(self.subsidy, "close", self.finance_manager)
        with self.assertRefused():
            self.submit()

    def test_content(self):
        self.company.grant_upload_max_mb = 1
        exactly = make_pdf(2**20)
        self.submit(exactly)
        for name, content in (
            ("bilan.pdf", b""),
            ("bilan.pdf", exactly + b"x"),
            ("bilan.pdf", b"<html><script>alert(1)</script>"),
            ("bilan.pdf", b"MZ\x90\x00"),
            ("bilan.exe", PDF),
            ("bilan", PDF),
            ("bilan.xml", b"<?xml version='1.0'?><a/>"),
            ("bilan.csv", b"<html>"),
            ("bilan.png", PDF),
        ):
            with self.subTest(name=name), self.assertRefused(name):
                self.submit(content, name)
        self.assertEqual(len(self.piece.version_ids), 1)

    def test_names(self):
        long = "é" * 300 + ".pdf"
        self.assertEqual(self.submit(name=long).name, "é" * 196 + ".pdf")
        for name in (
            "../../etc/bilan.pdf",
            "C:\\Users\\x\\bilan.pdf",
            "bi\u202elan.pdf",
            "a\nb.pdf",
        ):
            with self.subTest(name=name), self.assertRefused("plain name"):
                self.submit(name=name)

    def hand_in(self, *files, user=None, **options):
        return self.piece.with_user(user or self.operator_user)._do_submit_files(files, **options)

    def test_a_set_of_files(self):
        """One version, whatever the number of files; each stays as it was handed in."""
        files = [
            ("bilan.pdf", PDF),
            ("image.jpg", make_picture(seed=1)),
            ("image.jpg", make_picture()),
        ]
        version = self.hand_in(*files, comment="Voici").sudo()
        self.assertEqual((version.number, version.name), (1, "bilan.pdf (+ 2)"))
        self.assertEqual(version.comment, "Voici")
        # A telephone calls every photo the same.
        names = ["bilan.pdf", "image.jpg", "image (2).jpg"]
        self.assertEqual(version.file_ids.mapped("name"), names)
        for file, (_name, content) in zip(version.file_ids, files, strict=True):
            self.assertEqual(file.attachment_id.raw, content)
            self.assertEqual(file.sha256, hashlib.sha256(content).hexdigest())
        self.assertEqual(version.size, sum(len(content) for _name, content in files))
        lines = sorted(hashlib.sha256(content).hexdigest() + "\n" for _name, content in files)
        self.assertEqual(version.sha256, hashlib.sha256("".join(lines).encode()).hexdigest())

    def test_the_same_set_again(self):
        one, other = ("bilan.pdf", PDF), ("budget.pdf", PDF + b"2")
        first = self.hand_in(one, other)
        self.assertEqual(self.hand_in(other, one), first, "in whatever order")
        self.assertEqual(self.hand_in(one, other, other), first, "the same file is once in it")
        self.assertEqual(self.hand_in(one).number, 2)
        self.assertEqual(self.hand_in(one, other).number, 3)
        photos = [("a.jpg", make_picture(seed=1)), ("b.jpg", make_picture(seed=2))]
        joined = self.hand_in(*photos, join_photos=True)
        self.assertEqual(self.hand_in(*photos, join_photos=True), joined)

    def test_photos_are_joined_when_asked(self):
        photos = [("a.jpg", make_picture()), ("b.heic", make_picture("HEIC", turned=True))]
        apart = self.hand_in(*photos).file_ids
        self.assertEqual(apart.mapped("mimetype"), ["image/jpeg", "image/heic"])
        joined = self.hand_in(("note.csv", b"a;b"), *photos, ("c.pdf", PDF), join_photos=True)
        names = ["note.csv", "Photos (2).pdf", "c.pdf"]
        self.assertEqual(joined.file_ids.mapped("name"), names)
        alone = self.hand_in(photos[0], ("c.pdf", PDF), join_photos=True)
        self.assertEqual(alone.file_ids.mapped("name"), ["a.jpg", "c.pdf"], "one photo stays")

    def test_all_or_nothing(self):
        attachments = self.env["ir.attachment"].sudo()
        before = attachments.search_count([])
        with self.assertRefused("vieux.doc", "macro.xlsm", "without macros"):
            self.hand_in(("bilan.pdf", PDF), ("vieux.doc", b"x"), ("macro.xlsm", b"x"))
        with self.assertRefused("Choose a file"):
            self.hand_in()
        self.assertFalse(self.piece.version_ids)
        self.assertEqual(attachments.search_count([]), before, "nothing refused is kept")

    def test_how_many_and_how_large_together(self):
        self.company.grant_upload_max_mb = 1
        with self.assertRefused("21 files", "20"):
            self.hand_in(*[(f"{n}.pdf", PDF + b"%d" % n) for n in range(21)])
        large = [(f"{n}.pdf", make_pdf(2**20 - n)) for n in range(5)]
        with self.assertRefused("larger than 4 MB"):
            self.hand_in(*large)
        self.assertEqual(len(self.hand_in(*large[:4]).file_ids), 4)

    def test_altered_files_are_named(self):
        version = self.hand_in(("bilan.pdf", PDF), ("budget.pdf", PDF + b"2")).sudo()
        altered = self.env["grant.deliverable.file"]._get_altered
        envelope = self.subsidy.envelope_id
        self.assertFalse(altered(envelope))
        attachment = version.file_ids[1].attachment_id
        path = attachment._full_path(attachment.store_fname)
        with open(path, "rb") as stream:
            self.addCleanup(self.write_back, path, stream.read())
        self.write_back(path, b"something else")
        self.env.invalidate_all()
        (sentence,) = altered(envelope)
        self.assertIn("bilan.pdf (+ 1)", sentence)

    @staticmethod
    def write_back(path, content):
        with open(path, "wb") as stream:
            stream.write(content)

    def test_a_version_of_before_has_its_file(self):
        """What the migration makes of the one file that a version had."""
        version = self.submit().sudo()
        attachment = version.file_ids.attachment_id
        self.env.flush_all()
        cr = self.env.cr
        tables = ("grant_deliverable_file", "grant_deliverable_version", "grant_chain")
        for table in tables:
            cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cr.execute("DELETE FROM grant_deliverable_file WHERE version_id = %s", [version.id])
        cr.execute(
            "UPDATE grant_deliverable_version SET attachment_id = %s, mimetype = %s WHERE id = %s",
            [attachment.id, "application/pdf", version.id],
        )
        cr.execute("DELETE FROM grant_chain WHERE name LIKE 'grant_deliverable_file %%'")
        for table in tables:
            cr.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        self.env.invalidate_all()
        path = "ctai_grants/migrations/19.0.1.3.0/post-files.py"
        migrate = load_script(file_path(path), "post_files").migrate
        for _again in range(2):
            migrate(cr, "19.0.1.2.0")
            self.env.invalidate_all()
            (file,) = version.file_ids
            self.assertEqual((file.attachment_id, file.sha256), (attachment, version.sha256))
        self.assertFalse(self.env["grant.deliverable.file"]._get_altered(self.subsidy.envelope_id))

    def test_taking_back(self):
        """Until the city decides, by who may hand in: kept and recorded, and counts no more."""
        version = self.submit()
        for user in (self.reader, self.other_operator_user, self.finance_officer):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.piece.with_user(user)._do_take_back()
        self.piece.with_user(self.operator_user)._do_take_back()
        self.assertEqual(self.piece.state, "expected")
        self.assertFalse(self.piece.activity_ids, "nothing is to be reviewed")
        decision = self.piece.decision_ids
        self.assertEqual((decision.decision, decision.version_id.id), ("taken_back", version.id))
        self.assertEqual(decision.user_id, self.operator_user)
        self.assertEqual(version.taken_back_at, decision.decided_at)
        self.assertTrue(version.sudo().file_ids.attachment_id.raw)
        with self.assertRefused("Expected"):
            self.accept()
        # A second click.
        self.piece.with_user(self.operator_user)._do_take_back()
        self.assertEqual(self.piece.decision_ids, decision)
        again = self.submit()
        self.assertEqual((again.number, again.taken_back_at), (2, False))
        self.accept()
        with self.assertRefused("the city has answered"):
            self.piece.with_user(self.operator_user)._do_take_back()
        envelopes = self.subsidy.envelope_id
        for model in (self.env["grant.deliverable"], self.env["grant.deliverable.version"]):
            self.assertFalse(model._get_undecided(envelopes))

    def test_purging(self):
        """What names persons goes; who, when, why and the SHA-256 stay, and verify knows."""
        named, good = ("noms.csv", b"nom;prenom"), ("bilan.pdf", PDF)
        first, second = self.hand_in(named), self.hand_in(named, good)
        for user in (*self.portal_users, self.reader, self.finance_officer):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.ask(self.piece, "purge", user, "Noms")
        with self.assertRefused("reason"):
            self.ask(self.piece, "purge", self.coordinator, " ")
        paths = [file._full_path(file.store_fname) for file in second.sudo().file_ids.attachment_id]
        self.ask(self.piece, "purge", self.coordinator, "Cette liste nomme des personnes")
        self.assertEqual(self.piece.state, "to_complete")
        self.assertIn("nomme des personnes", self.piece.answer)
        decision = self.piece.decision_ids
        self.assertEqual((decision.decision, decision.version_id.id), ("purged", second.id))
        self.assertEqual(decision.user_id, self.coordinator)
        for file in (first | second).sudo().file_ids:
            self.assertFalse(file.attachment_id.raw, "in the version of before too")
            self.assertEqual(file.purged_at, decision.decided_at)
            self.assertFalse(file._get_sudo_attachment())
        digest = hashlib.sha256(named[1]).hexdigest()
        self.assertEqual(first.file_ids.sha256, digest)
        # What Odoo's clean-up takes from the store.
        names = self.env["ir.attachment"].sudo().search([]).mapped("store_fname")
        self.assertFalse([path for path in paths if any(name and name in path for name in names)])
        altered = self.env["grant.deliverable.file"]._get_altered
        self.assertFalse(altered(self.subsidy.envelope_id))
        for model in (self.env["grant.deliverable"], self.env["grant.deliverable.version"]):
            self.assertFalse(model._get_undecided(self.subsidy.envelope_id))
        with self.assertRefused("no file"):
            self.ask(self.piece, "purge", self.coordinator, "Encore")
        # Handed in again, it is there; and what is gone without such a decision is named.
        again = self.hand_in(good).sudo()
        self.assertFalse(again.file_ids.purged_at)
        self.assertEqual(again.file_ids.attachment_id.raw, PDF)
        file = again.file_ids.attachment_id
        self.env.cr.execute(
            "UPDATE ir_attachment SET store_fname = NULL, db_datas = NULL WHERE id = %s", [file.id]
        )
        file.invalidate_recordset()
        self.assertEqual(len(altered(self.subsidy.envelope_id)), 1)

    def test_purging_what_hangs_elsewhere(self):
        version = self.submit().sudo()
        elsewhere = {"res_model": "res.partner", "res_id": self.operator.id}
        version.file_ids.attachment_id.copy(elsewhere)
        with self.assertRefused("other documents", self.operator.name):
            self.ask(self.piece, "purge", self.coordinator, "Noms")
        self.assertEqual(version.file_ids.attachment_id.raw, PDF)

    def test_milestone_reached(self):
        milestone = self.piece.milestone_id
        with self.assertRefused(milestone.name):
            milestone.with_user(self.coordinator).action_reach()
        self.submit()
        self.assertFalse(milestone.reached_date)
        self.accept()
        self.assertEqual(milestone.state, "reached")
        self.ask(self.piece, "reopen", self.coordinator)
        self.assertFalse(milestone.reached_date)
        alone = self.env["grant.milestone"].create(
            {"name": "Comité", "subsidy_id": self.subsidy.id, "date": "2022-03-01"}
        )
        for user in (self.reader, self.finance_officer, self.operator_user):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                alone.with_user(user).action_reach()
        alone.with_user(self.coordinator).action_reach()
        self.assertEqual(alone.state, "reached")
        alone.with_user(self.coordinator).action_unreach()
        self.assertFalse(alone.reached_date)

    def test_milestone_states(self):
        milestone = self.piece.milestone_id  # 30 June 2022
        for day, state in (
            ("2022-05-30", "upcoming"),
            ("2022-05-31", "due"),
            ("2022-06-30", "due"),
            ("2022-07-01", "late"),
        ):
            with self.subTest(day=day), freeze_time(day):
                milestone.invalidate_recordset(["state"])
                self.assertEqual(milestone.state, state)
                for other in ("upcoming", "due", "late", "reached"):
                    found = milestone.search([("state", "=", other)])
                    self.assertEqual(milestone in found, other == state, other)

    def test_frozen(self):
        self.submit()
        other = self.make_deliverable(self.subsidy)
        tranche = self.make_tranche(self.subsidy)
        for values in (
            {"milestone_id": other.milestone_id.id},
            {"disbursement_ids": tranche.ids},
            {"type_id": self.env["grant.deliverable.type"].search([], limit=1).id},
        ):
            with self.subTest(values=values), self.assertRefused():
                self.piece.with_user(self.administrator).write(values)
        with self.assertRefused("waive"):
            self.piece.unlink()
        with self.assertRefused("waive"):
            self.piece.milestone_id.unlink()
        # One that nothing depends on yet can go.
        other.milestone_id.unlink()
        self.assertFalse(other.exists())

    def test_the_coordinator_is_told_once_reviewed(self):
        self.submit()
        self.assertEqual(self.piece.activity_ids.user_id, self.coordinator)
        self.accept()
        self.assertFalse(self.piece.activity_ids)

    def test_milestone_follows_its_pieces(self):
        """Reached when all of them are settled, whatever was added or deleted meanwhile."""
        subsidy = self.make_subsidy()
        piece = self.make_deliverable(subsidy)
        milestone = piece.milestone_id
        self.sign(subsidy)
        self.ask(piece, "waive", self.coordinator)
        self.assertEqual(milestone.state, "reached")
        pieces = self.env["grant.deliverable"].with_user(self.coordinator)
        added = pieces.create({"name": "Oubliée", "milestone_id": milestone.id})
        self.assertFalse(milestone.reached_date)
        added.unlink()
        self.assertEqual(milestone.state, "reached")
