import errno
import io
import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time, new_test_user
from odoo.tools import config, mute_logger

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ...lib.ledger import heads as lib
from .test_ledger import LedgerCase

LOGGER = "odoo.addons.ctai_grants.models.ledger.grant_heads_receiver"
MORNING, NEXT = "2021-12-20 06:00:00", "2021-12-21 06:00:00"


class HeadsCase(LedgerCase):
    """The hourly action, with a folder for the files and a mail server that keeps the mails."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.receivers = cls.env["grant.heads.receiver"]
        cls.company.write({"email": "grants@city.example"})
        cls.root = new_test_user(cls.env, "test_root", "base.group_system")

    def setUp(self):
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.mails = []
        self.mail_error = None

        def send(servers, message, *args, **kwargs):
            if self.mail_error:
                raise self.mail_error
            self.mails.append(message)

        self.patch(self.registry["ir.mail_server"], "send_email", send)
        self.patch(self.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 60.0)

    def run_action(self, time=MORNING):
        with freeze_time(time):
            self.receivers._cron_send()

    def set_addresses(self, text, time=MORNING, user=None):
        with freeze_time(time):
            self.company.with_user(user or self.root).grant_heads_mail = text
            self.env.flush_all()
            self.env.invalidate_all()

    def write_files(self, folder=None):
        self.enterContext(
            patch.dict(config.options, {"grants_heads_dir": str(folder or self.folder)})
        )
        return (folder or self.folder) / f"grants-heads-{self.env.cr.dbname}.csv"

    def get_body(self, mail):
        return mail.get_body(("plain",)).get_content()

    def get_activities(self):
        return self.env["mail.activity"].search([("res_model", "=", "grant.heads.receiver")])


class TestHeads(HeadsCase):
    def test_every_chain(self):
        heads = self.env["grant.heads"]._get_heads(self.company)
        mine = [h for h in heads if h.kind == "envelope" and h.id in self.contract.envelope_ids.ids]
        self.assertEqual([head.number for head in mine], [5, 1])
        self.assertEqual(mine[0].hash, self.envelope.chain_head)
        self.assertEqual(mine[0].chain, f"envelope {self.envelope.id} TEST-2021/A")

    def find_lines(self, settled):
        """The head of all decisions, those of that age or older."""
        with patch("odoo.addons.ctai_grants.models.ledger.grant_heads.SETTLED", settled):
            heads = self.env["grant.heads"]._get_heads(self.company)
        return [head for head in heads if head.kind == "grant_decision"]

    def test_lines_of_documents(self):
        """Decisions leave too: a chain of theirs that was rewritten as a whole shows."""
        (head,) = self.find_lines("-1 hour")
        last = self.env["grant.decision"].search([], order="id desc", limit=1)
        self.assertEqual((head.id, head.number), (0, last.id))
        self.assertTrue(all(young.number < last.id for young in self.find_lines("1 hour")))
        find = self.env["grant.heads"]._find_hashes
        pairs = [(0, last.id), (0, last.id + 1)]
        self.assertEqual(find("grant_decision", pairs), {(0, last.id): head.hash})
        self.assertIsNone(find("res_users", pairs))
        # What follows changes no older head; who rewrites a line changes all from there on.
        self.sign(self.make_subsidy())
        self.assertEqual(find("grant_decision", pairs)[0, last.id], head.hash)
        self.env.cr.execute(
            "ALTER TABLE grant_decision DISABLE TRIGGER USER;"
            "UPDATE grant_decision SET chain_hash = repeat('a', 64) WHERE id = %s;"
            "ALTER TABLE grant_decision ENABLE TRIGGER USER",
            [last.id],
        )
        self.assertNotEqual(find("grant_decision", pairs)[0, last.id], head.hash)

    def test_only_what_has_begun(self):
        draft = self.contract.copy({"code": "DRAFT"})
        heads = self.env["grant.heads"]._get_heads(self.company)
        begun = {head.id for head in heads if head.kind == "envelope"}
        self.assertFalse(begun & set(draft.envelope_ids.ids))


class TestHeadsFile(HeadsCase):
    """A file of the server: only where Odoo's configuration says."""

    def test_no_folder_no_file(self):
        self.run_action()
        self.assertFalse(self.receivers.search([("kind", "=", "file")]))

    def test_a_line_a_day(self):
        path = self.write_files()
        self.run_action()
        self.run_action("2021-12-20 18:00:00")
        lines = path.read_text().splitlines()
        self.assertEqual(lines[0], "chain,number,head,time")
        head = f"envelope {self.envelope.id} TEST-2021/A,5,{self.envelope.chain_head},"
        self.assertEqual([line for line in lines if line.startswith(head)], [
            f"{head}2021-12-20T06:00:00+00:00"
        ])  # fmt: skip
        self.run_action(NEXT)
        self.assertEqual(len(path.read_text().splitlines()), 2 * len(lines) - 1)
        with path.open("rb") as stream:
            self.assertFalse(self.env["grant.entry"]._verify_against(stream, "f")[0])
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)

    def test_the_citys_day(self):
        """Late in the evening of the server it is the next day in the city already."""
        self.company.partner_id.tz = "Indian/Reunion"
        path = self.write_files()
        self.run_action("2021-12-20 19:00:00")
        self.run_action("2021-12-20 21:00:00")
        self.assertIn("2021-12-21T01:00:00+04:00", path.read_text())

    def test_appended_only(self):
        path = self.write_files()
        path.write_text("chain,number,head,time\nenvelope 1 cut,3,ab")
        self.run_action()
        text = path.read_text()
        self.assertTrue(text.startswith("chain,number,head,time\nenvelope 1 cut,3,ab\nenvelope "))

    def test_failures_are_told(self):
        """No folder, no right, a link to elsewhere, a full disk; once, until it works again."""
        path = self.write_files(self.folder / "later")
        with self.assertLogs(LOGGER, "ERROR"):
            self.run_action()
        receiver = self.receivers.search(
            [("address", "=", str(path)), ("company_id", "=", self.company.id)]
        )
        self.assertIn("No such file", receiver.failure)
        self.assertFalse(receiver.sent_day)
        activity = self.get_activities().filtered(lambda a: a.user_id == self.administrator)
        self.assertIn("No such file", activity.note)
        path.parent.mkdir()
        path.symlink_to(self.folder / "elsewhere")
        with mute_logger(LOGGER):
            self.run_action()
        self.assertFalse((self.folder / "elsewhere").exists())
        path.unlink()
        os.mkfifo(path)
        with mute_logger(LOGGER):
            self.run_action()
        path.unlink()
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with mute_logger(LOGGER), patch.object(lib.os, "write", side_effect=full):
            self.run_action()
        self.assertIn("No space left", receiver.failure)
        self.assertEqual(
            len(self.get_activities().filtered(lambda a: a.user_id == self.administrator)), 1
        )
        self.run_action()
        self.assertTrue(path.read_text())
        self.assertFalse(receiver.failure)
        self.assertFalse(self.get_activities(), "the activity ends with what it is about")

    def test_short_writes(self):
        """What the disk takes piece by piece arrives whole."""
        path = self.write_files()
        write = os.write
        with patch.object(lib.os, "write", lambda file, text: write(file, text[:7])):
            self.run_action()
        self.assertRegex(path.read_text(), r"\+0\d:00\n\Z")

    def test_the_table_does_not_say_where(self):
        """Who owns the tables cannot have the server write elsewhere."""
        self.write_files()
        self.run_action()
        other = self.folder / "other.csv"
        receiver = self.receivers.search([("kind", "=", "file"), ("until", "=", False)])
        self.env.cr.execute(
            "UPDATE grant_heads_receiver SET address = %s WHERE id IN %s",
            [str(other), tuple(receiver.ids)],
        )
        self.env.invalidate_all()
        with mute_logger(LOGGER):
            receiver[0]._send()
            self.run_action(NEXT)
        self.assertFalse(other.exists())

    def test_a_folder_that_changes(self):
        self.write_files()
        self.run_action()
        first = self.receivers.search([("kind", "=", "file")])
        self.assertTrue(first)
        with patch.dict(config.options, {"grants_heads_dir": ""}):
            self.run_action(NEXT)
        self.assertTrue(all(first.mapped("until")))
        [activity] = self.get_activities().filtered(lambda a: a.user_id == self.administrator)
        self.assertIn("Nothing is written to this file any more", activity.note)
        activity.with_user(self.administrator).action_feedback("Vu.")
        self.assertFalse(activity.exists() and activity.active)

    def test_nobody_else_says_where(self):
        for user in (self.administrator, self.finance_manager, self.root):
            with self.assertRaises(AccessError):
                self.receivers.with_user(user).create(
                    {
                        "company_id": self.company.id, "kind": "file", "address": "/tmp/x",
                        "since": fields.Datetime.now(),
                    }
                )  # fmt: skip


class TestHeadsMail(HeadsCase):
    """Mail addresses of the settings."""

    def test_settings(self):
        settings = self.env["res.config.settings"].with_user(self.root).create({})
        settings.grant_heads_mail = "Audit@city.example; prefecture@state.example"
        settings.execute()
        self.assertEqual(
            self.company._get_heads_receivers().mapped("address"),
            ["audit@city.example", "prefecture@state.example"],
        )
        receiver = self.company._get_heads_receivers()[0]
        self.assertEqual(receiver.set_by_id, self.root)
        # The same again is no change.
        settings.create({}).execute()
        self.assertEqual(len(self.receivers.search([("kind", "=", "mail")])), 2)

    def test_addresses(self):
        for text in ("audit", "Audit <audit@city.example>", "a@b.example\nBcc:", "a@b@c"):
            with self.subTest(text=text), self.assertRaises(ValidationError):
                self.set_addresses(text)

    def test_by_whom(self):
        for user in (self.administrator, self.finance_manager, self.coordinator):
            with self.assertRaises(AccessError):
                self.company.with_user(user).write({"grant_heads_mail": "me@city.example"})
        self.set_addresses("audit@city.example")
        receiver = self.company._get_heads_receivers()
        for user in (self.administrator, self.root):
            for vals in ({"until": MORNING}, {"sent_day": "2099-01-01"}, {"address": "x@y.fr"}):
                with self.assertRaises(AccessError):
                    receiver.with_user(user).write(vals)
            with self.assertRaises(AccessError):
                receiver.with_user(user).unlink()
        self.assertEqual(receiver.with_user(self.finance_manager).address, "audit@city.example")

    def test_once_a_day(self):
        self.set_addresses("audit@city.example, other@city.example")
        self.run_action()
        self.run_action()
        self.assertEqual(
            sorted(mail["To"] for mail in self.mails), ["audit@city.example", "other@city.example"]
        )
        mail = self.mails[0]
        self.assertIn("heads of the grant ledger on 12/20/2021", mail["Subject"])
        body = self.get_body(mail)
        line = f"envelope {self.envelope.id} TEST-2021/A,5,{self.envelope.chain_head},2021-12-20T"
        self.assertIn(line, body)
        self.assertIn("silence is a sign too", body)
        [attached] = mail.iter_attachments()
        self.assertEqual(attached.get_filename(), "grants-heads-2021-12-20.csv")
        content = attached.get_payload(decode=True)
        self.assertIn(content.decode().splitlines()[1], body)
        compared = self.env["grant.entry"]._verify_against(io.BytesIO(content), "f")
        self.assertFalse(compared[0])
        self.run_action(NEXT)
        self.assertEqual(len(self.mails), 4)

    def test_a_city_without_entries(self):
        """Silence would be no sign, if it could be this."""
        city = self.env["res.company"].create({"name": "Autre ville", "email": "x@y.example"})
        self.root.company_ids = [Command.link(city.id)]
        city.with_user(self.root).grant_heads_mail = "audit@other.example"
        self.env.flush_all()
        self.run_action()
        self.assertIn("has no entry yet", self.get_body(self.mails[0]))
        self.assertNotIn(f"envelope {self.envelope.id}", self.get_body(self.mails[0]))

    def test_a_failure_is_told_and_tried_again(self):
        self.set_addresses("audit@city.example")
        self.mail_error = MailDeliveryException("Mail Delivery Failed", "No route\nto host")
        with self.assertLogs(LOGGER, "ERROR"):
            self.run_action()
        receiver = self.company._get_heads_receivers()
        self.assertEqual(receiver.failure, "Mail Delivery Failed No route to host")
        self.assertIn("No route to host", self.company.with_user(self.root).grant_heads_notice)
        note = self.get_activities().filtered(lambda a: a.user_id == self.administrator).note
        self.assertIn("No route to host", note)
        self.mail_error = None
        self.run_action("2021-12-20 07:00:00")
        self.assertEqual(len(self.mails), 1)
        self.assertFalse(receiver.failure or self.get_activities())

    def test_a_city_without_address(self):
        self.set_addresses("audit@city.example")
        self.company.email = False
        self.patch(self.registry["ir.mail_server"], "_get_default_from_address", lambda s: None)
        with mute_logger(LOGGER):
            self.run_action()
        failure = self.company._get_heads_receivers().failure
        self.assertIn("no mail address to send from: give the company one", failure)

    def test_one_failure_stops_no_other(self):
        self.set_addresses("audit@city.example")
        path = self.write_files()
        self.mail_error = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        with mute_logger(LOGGER):
            self.run_action()
        self.assertTrue(path.read_text())

    def test_who_is_taken_out_is_told(self):
        self.set_addresses("audit@city.example, other@city.example")
        self.run_action()
        self.mails.clear()
        self.set_addresses("other@city.example", "2021-12-20 10:00:00")
        self.run_action("2021-12-20 10:00:30")
        [mail] = self.mails
        self.assertEqual(mail["To"], "audit@city.example")
        body = self.get_body(mail)
        self.assertIn(f"by {self.root.name} (test_root), on 12/20/2021 10:00:00", body)
        self.assertIn("Another address receives them.", body)
        self.assertIn(self.envelope.chain_head, body)
        self.run_action("2021-12-20 11:00:00")
        self.assertEqual(len(self.mails), 1, "once")
        # Switched off altogether.
        self.set_addresses("", "2021-12-20 12:00:00")
        self.run_action("2021-12-20 12:00:30")
        self.assertIn("No other mail address", self.get_body(self.mails[1]))
        self.run_action(NEXT)
        self.assertEqual(len(self.mails), 2)
        ended = self.receivers.search([("address", "=", "audit@city.example")])
        self.assertEqual((ended.ended_by_id, ended.is_told), (self.root, True))

    def test_a_last_mail_that_fails_is_tried_again(self):
        self.set_addresses("audit@city.example")
        self.run_action()
        self.set_addresses("", "2021-12-20 10:00:00")
        self.mail_error = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        with mute_logger(LOGGER):
            self.run_action("2021-12-20 11:00:00")
        self.assertTrue(self.get_activities())
        self.mail_error = None
        self.run_action("2021-12-20 12:00:00")
        self.assertIn("was taken out", self.get_body(self.mails[-1]))

    def test_a_wrong_address_is_no_trap(self):
        """What never received anything is not told that it ends."""
        self.set_addresses("typo@city.example")
        self.mail_error = MailDeliveryException("Mail Delivery Failed", "550 unknown")
        with mute_logger(LOGGER):
            self.run_action()
        self.mail_error = None
        self.set_addresses("audit@city.example")
        self.run_action()
        self.assertEqual([mail["To"] for mail in self.mails], ["audit@city.example"])
        self.assertFalse(self.get_activities())

    def test_what_does_not_run_is_said(self):
        company = self.company.with_user(self.root)
        self.assertIn("leave to nobody", company.grant_heads_notice)
        self.set_addresses("audit@city.example")
        self.run_action()
        for time, late in (("2021-12-22 06:00:00", False), ("2021-12-23 06:00:00", True)):
            with freeze_time(time):
                self.env.invalidate_all()
                self.assertEqual(bool(company.grant_heads_notice), late)
                self.assertEqual(self.company._get_heads_receivers().is_late, late)

    def test_the_action(self):
        """Installed, and allowed to do all that by itself."""
        self.set_addresses("audit@city.example")
        action = self.env.ref("ctai_grants.ir_cron_send_heads")
        self.assertTrue(action.active)
        with freeze_time(MORNING):
            action.ir_actions_server_id.with_user(action.user_id).run()
        self.assertEqual(len(self.mails), 1)
