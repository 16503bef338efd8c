import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, tagged

from ...lib.operator import clamd
from ..common import PDF
from ..files import make_pdf
from .daemon import EICAR, Clamd, Nonsense
from .test_hand_in_drafts import ONE, TWO, DraftCase

INFECTED = PDF.replace(b"demonstration", EICAR)


@tagged("post_install", "-at_install")
class TestScan(DraftCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clamd = Clamd()
        cls.addClassCleanup(cls.clamd.stop)
        cls.env.company.grant_clamd = cls.clamd.address
        cls.coordinator.password = cls.coordinator.login
        cls.env.user.company_id = cls.env.company

    def scan(self):
        self.env.ref("ctai_grants.ir_cron_scan").method_direct_trigger()
        self.env.invalidate_all()

    def get_file(self, name=None):
        files = self.piece.version_ids.file_ids
        return files.filtered(lambda file: name in (None, file.name))

    def get_states(self):
        return {file.name: file.scan for file in self.get_file()}

    def is_open(self, user):
        """By which ways a user opens the first file: there is none before it is clean."""
        self.login(user)
        file = self.get_file()[0]
        urls = (
            f"/grants/files/{file.id}",
            f"/grants/versions/{file.version_id.id}",
            f"/web/content/{file.attachment_id.id}",
        )
        opened = [url for url in urls if self.url_open(url).status_code == 200]
        with suppress(AccessError):
            attachment = file.with_user(user).attachment_id
            attachment.invalidate_recordset()
            if attachment.with_user(user).raw:
                opened.append("read")
        return opened

    def test_in_quarantine_until_clean(self):
        self.hand_in(("un.pdf", ONE), ("deux.csv", b"a;b"))
        self.assertEqual(set(self.get_states().values()), {"waiting"})
        for user in (self.operator_user, self.coordinator):
            self.assertFalse(self.is_open(user), user.login)
        self.login(self.operator_user)
        self.assertIn("Being scanned", self.url_open(self.url).text)
        with self.assertRefused("has not answered", "un.pdf"):
            self.piece.with_user(self.coordinator).action_accept()
        self.scan()
        self.assertEqual(set(self.get_states().values()), {"clean"})
        self.assertEqual(len(self.is_open(self.operator_user)), 2)
        self.assertEqual(len(self.is_open(self.coordinator)), 4)
        self.piece.with_user(self.coordinator).action_accept()

    def test_what_is_infected_is_destroyed(self):
        self.hand_in(("bon.pdf", ONE), ("mauvais.pdf", INFECTED))
        self.scan()
        bad = self.get_file("mauvais.pdf")
        self.assertEqual(self.get_states(), {"bon.pdf": "clean", "mauvais.pdf": "infected"})
        self.assertFalse(bad.attachment_id.raw)
        self.assertIn("Eicar-Test-Signature", bad.infected_by)
        self.assertTrue(bad.purged_at)
        self.assertEqual(self.get_file("bon.pdf").attachment_id.raw, ONE)
        # Who, when and why stays; the operator and the coordinator are told.
        self.assertEqual(self.piece.state, "to_complete")
        self.assertIn("Eicar-Test-Signature", self.piece.answer)
        [mail] = self.env["mail.mail"].search(
            [("subject", "like", "is to be completed"), ("res_id", "=", self.mine.id)]
        )
        self.assertIn("mauvais.pdf", mail.body_html)
        [activity] = self.piece.activity_search(["ctai_grants.mail_activity_virus"])
        self.assertIn("mauvais.pdf", activity.summary)
        self.login(self.operator_user)
        page = self.url_open(self.url).text
        self.assertIn("because a virus was found", page)
        self.assertNotIn("because it named persons", page)
        self.assertEqual(self.url_open(f"/grants/files/{bad.id}").status_code, 404)
        # Verified: gone, and nothing else is.
        envelope = self.mine.envelope_id
        self.assertFalse(self.env["grant.deliverable.file"]._get_altered(envelope))
        bad.sudo().attachment_id.raw = b"again"
        self.env.invalidate_all()
        self.assertTrue(self.env["grant.deliverable.file"]._get_altered(envelope))

    def test_released_and_handed_in_again(self):
        """Somebody answers for a version, not for the same bytes that come again."""
        self.hand_in(("un.pdf", INFECTED))
        self.ask(self.piece, "release_files", self.finance_manager, "Serveur en panne")
        self.ask(self.piece, "send_back", self.coordinator, "Illisible")
        self.hand_in(("deux.pdf", INFECTED))
        self.env.invalidate_all()
        self.assertEqual(self.get_states(), {"un.pdf": "released", "deux.pdf": "waiting"})
        with self.assertRefused("has not answered"):
            self.piece.with_user(self.coordinator).action_accept()
        self.scan()
        self.assertEqual(self.get_states(), {"un.pdf": "infected", "deux.pdf": "infected"})
        self.assertFalse(any(self.get_file().attachment_id.mapped("raw")))

    def test_tried_again_when_clamd_is_away(self):
        self.env.company.grant_clamd = "/nowhere/clamd.ctl"
        self.hand_in(("un.pdf", ONE))
        with self.assertLogs("odoo.addons.ctai_grants", "WARNING"):
            self.scan()
        self.assertEqual(self.get_states(), {"un.pdf": "waiting"})
        self.env.company.grant_clamd = self.clamd.address
        self.scan()
        self.scan()
        self.assertEqual(self.get_states(), {"un.pdf": "clean"})

    def test_nonsense_is_not_clean(self):
        self.hand_in(("un.pdf", ONE))
        for answer in (b"", b"HTTP/1.1 200 OK\r\n\r\n", b"stream: OK FOUND maybe\0", b"\xff" * 9000,
                       b"stream: ERROR\0", b"stream: OK\nstream: X FOUND\0"):  # fmt: skip
            other = Nonsense(answer)
            self.addCleanup(other.stop)
            self.env.company.grant_clamd = other.address
            with self.assertLogs("odoo.addons.ctai_grants", "WARNING"):
                self.scan()
            self.assertEqual(self.get_states(), {"un.pdf": "waiting"}, answer)

    def test_switched_off_what_waits_waits_on(self):
        with freeze_time(fields.Datetime.now() - timedelta(hours=1)):
            self.env.company.grant_clamd_since = fields.Datetime.now() - timedelta(hours=1)
            self.hand_in(("un.pdf", ONE))
        self.env.company.grant_clamd = False
        self.env.invalidate_all()
        self.assertEqual(self.get_states(), {"un.pdf": "waiting"})
        self.assertFalse(self.is_open(self.operator_user))
        with self.assertRefused("has not answered"):
            self.piece.with_user(self.coordinator).action_accept()
        self.scan()
        self.assertEqual(self.get_states(), {"un.pdf": "waiting"})
        # Until somebody answers for it, in words.
        for user in (self.coordinator, self.finance_officer, self.operator_user):
            with self.assertRaises(AccessError):
                self.piece.with_user(user)._do_release_files("Ouvert")
        manager = self.piece.with_user(self.finance_manager)
        with self.assertRefused("reason"):
            manager._do_release_files(" ")
        manager._do_release_files("Vérifié sur un poste isolé")
        self.env.invalidate_all()
        self.assertEqual(self.get_states(), {"un.pdf": "released"})
        decision = self.piece.sudo().decision_ids[0]
        self.assertEqual(
            (decision.decision, decision.user_id), ("released", self.finance_manager)
        )
        self.assertEqual(self.piece.state, "submitted")
        self.assertTrue(self.is_open(self.coordinator))
        with self.assertRefused("no file waits"):
            manager._do_release_files("Encore")
        self.piece.with_user(self.coordinator).action_accept()

    def test_released_and_scanned_later(self):
        self.hand_in(("mauvais.pdf", INFECTED))
        self.piece.with_user(self.finance_manager)._do_release_files("Urgent")
        self.scan()
        self.assertEqual(self.get_states(), {"mauvais.pdf": "infected"})

    def test_a_daemon_that_hangs(self):
        """It takes the call, and says nothing more: given up in time, what waits waits on, and a
        real one answers afterwards."""
        hanging = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(hanging.close)
        self.patch(clamd, "LONGEST", 1)
        self.hand_in(("un.pdf", ONE), ("deux.pdf", TWO))
        self.env.company.grant_clamd = f"127.0.0.1:{hanging.getsockname()[1]}"
        start = time.monotonic()
        with self.assertLogs("odoo.addons.ctai_grants", "WARNING"):
            self.scan()
        # Once, not once a file.
        self.assertLess(time.monotonic() - start, 10)
        self.assertEqual(set(self.get_states().values()), {"waiting"})
        self.env.company.grant_clamd = self.clamd.address
        self.patch(clamd, "LONGEST", 120)
        self.scan()
        self.assertEqual(set(self.get_states().values()), {"clean"})

    def test_a_daemon_that_drips(self):
        """A byte now and then, without an end, is no answer either."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def drip():
            connection, _address = server.accept()
            with connection, suppress(OSError):
                while True:
                    connection.sendall(b"s")
                    time.sleep(0.2)

        threading.Thread(target=drip, daemon=True).start()
        self.patch(clamd, "LONGEST", 1)
        start = time.monotonic()
        with self.assertRaises(clamd.Away):
            clamd.scan(("127.0.0.1", server.getsockname()[1]), b"x")
        self.assertLess(time.monotonic() - start, 10)

    def test_larger_than_clamd_takes(self):
        """It waits, and the coordinator is told once; what is behind it is scanned."""
        self.hand_in(("gros.pdf", make_pdf(3 * 2**20)), ("petit.pdf", ONE))
        for _time in range(2):
            self.scan()
        self.assertEqual(self.get_states(), {"gros.pdf": "waiting", "petit.pdf": "clean"})
        [activity] = self.piece.activity_search(["ctai_grants.mail_activity_virus"])
        self.assertIn("StreamMaxLength", activity.summary)

    def test_a_daemon_that_says_nothing(self):
        silent = Nonsense(b"")
        silent.stop()
        self.patch(clamd, "LONGEST", 1)
        with self.assertRaises(clamd.Away):
            clamd.scan(clamd.parse_address(silent.address), b"x")

    def test_settings_change_midway(self):
        self.env.company.grant_clamd = False
        # What came in the very second waits: which was first, nobody knows.
        self.env.company.grant_clamd_until = fields.Datetime.now() - timedelta(seconds=1)
        self.hand_in(("un.pdf", ONE))
        self.assertEqual(self.get_states(), {"un.pdf": False})
        self.assertEqual(len(self.is_open(self.operator_user)), 2)
        # On again: what came meanwhile is shut until it is scanned.
        self.env.company.grant_clamd = self.clamd.address
        self.env.invalidate_all()
        self.assertEqual(self.get_states(), {"un.pdf": "waiting"})
        self.scan()
        self.assertEqual(self.get_states(), {"un.pdf": "clean"})
        for wrong in ("clamav:99999", "rm -rf /", "http://x/"):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.env.company.grant_clamd = wrong

    def test_what_the_city_decided_meanwhile_stays(self):
        self.hand_in(("mauvais.pdf", INFECTED))
        self.piece.with_user(self.coordinator)._do_waive("Plus utile")
        self.scan()
        self.assertEqual(self.piece.state, "waived")
        self.assertFalse(self.get_file().attachment_id.raw)

    def test_nobody_adds_a_verdict(self):
        self.hand_in(("un.pdf", ONE))
        values = {"file_id": self.get_file().id, "scanned_at": "2022-01-01"}
        for user in (self.coordinator, self.operator_user):
            with self.assertRaises(AccessError):
                self.env["grant.file.scan"].with_user(user).create(values)
        with self.assertRaises(AccessError):
            self.env["grant.file.scan"].create(values)

    def test_the_database_refuses_a_second_verdict(self):
        self.hand_in(("un.pdf", ONE))
        self.scan()
        with patch.object(clamd, "scan", side_effect=UserError("not again")):
            self.scan()
        self.assertEqual(len(self.get_file().scan_ids), 1)
