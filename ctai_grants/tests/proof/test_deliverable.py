import errno
import hashlib
import os
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import freeze_time

from ..common import PDF, GrantsCommon
from ..files import make_pdf


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
        folder = os.path.dirname(attachments._full_path(version.sudo().file_ids.attachment_id.store_fname))
        for name in os.listdir(folder):
            # Half a file is on the list of what is collected.
            if name.startswith(version.sudo().file_ids.attachment_id.checksum + "-"):
                listed = os.path.join("checklist", os.path.basename(folder), name)
                self.assertTrue(os.path.exists(attachments._full_path(listed)))

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
        for name in ("../../etc/bilan.pdf", "C:\\Users\\x\\bilan.pdf", "bi\u202elan.pdf", "a\nb.pdf"):
            with self.subTest(name=name), self.assertRefused("plain name"):
                self.submit(name=name)

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
