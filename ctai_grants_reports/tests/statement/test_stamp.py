import datetime
import http.server
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ...lib import time_stamp
from ...models.statement import grant_heads_stamp
from .common import IssuedCase

CONFIG = """
[tsa]
default_tsa = local
[local]
dir = .
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """An authority of time stamps, by openssl, on this machine."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj",
                 "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
        self.run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test TSA", "-keyout",
                 "tsa.key", "-out", "tsa.csr")  # fmt: skip
        (self.folder / "ext").write_text("extendedKeyUsage = critical,timeStamping\n")
        self.run("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days",
                 "3650", "-CAcreateserial", "-extfile", "ext", "-out", "tsa.pem")  # fmt: skip
        (self.folder / "serial").write_text("01")
        (self.folder / "tsa.cnf").write_text(CONFIG.format(folder=self.folder))
        self.certificate = (self.folder / "ca.pem").read_text()
        self.asked = 0

    def run(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def answer(self, _url, query):
        self.asked += 1
        (self.folder / "query").write_bytes(query)
        self.run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return (self.folder / "reply").read_bytes()


@tagged("post_install", "-at_install")
class TestStamp(IssuedCase):
    """The heads are stamped once a day and at each issue; what does not hold is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.authority = Authority(folder.name)
        cls.stamps = cls.env["grant.heads.stamp"]
        cls.company.write({"grant_stamp_url": "https://tsa.example/",
                           "grant_stamp_certificate": cls.authority.certificate})  # fmt: skip

    def stamp(self, clocks=datetime.timedelta.max):
        """openssl has the time of the machine, which is not that of the tests."""
        with (
            patch.object(type(self.stamps), "_ask_authority", side_effect=self.authority.answer),
            patch.object(grant_heads_stamp, "CLOCKS", clocks),
        ):
            return self.stamps._stamp_company(self.company)

    def test_once_a_day_and_for_each_statement(self):
        self.assertFalse(self.stamp())
        daily = self.stamps.search([("company_id", "=", self.company.id)])
        self.assertEqual(len(daily), 1)
        self.assertIn(self.envelope.chain_head, daily.heads)
        self.assertFalse(self.stamp())
        self.assertEqual(self.stamps.search_count([("company_id", "=", self.company.id)]), 1)
        statement = self.issue()
        with freeze_time("2022-01-20 11:00:00"):
            self.assertFalse(self.stamp())
        stamp = self.stamps.search([("statement_id", "=", statement.id)])
        self.assertEqual(stamp.heads, statement.heads)
        self.assertEqual(self.env["grant.entry"]._get_altered_files(self.contract.envelope_ids), [])
        stream, _name = statement._make_archive()
        with stream:
            self.assertIn(b"heads.tsr", stream.read())

    def test_not_of_who_is_trusted(self):
        with tempfile.TemporaryDirectory() as folder:
            other = Authority(folder)
            self.company.grant_stamp_certificate = other.certificate
        with mute_logger("odoo.addons.ctai_grants_reports.models.statement.grant_heads_stamp"):
            self.assertTrue(self.stamp())
        self.assertFalse(self.stamps.search([("company_id", "=", self.company.id)]))

    def test_authority_of_another_time(self):
        """A stamp that says another time than now is none."""
        with mute_logger("odoo.addons.ctai_grants_reports.models.statement.grant_heads_stamp"):
            with freeze_time("2022-01-20 10:00:00"):
                self.assertIn("?", self.stamp(datetime.timedelta(hours=1)))
        self.assertFalse(self.stamps.search([("company_id", "=", self.company.id)]))

    def test_authority_that_does_not_behave(self):
        """What breaks off, drips, is packed or too long stops no other city's stamp."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.send_response(200)
                if self.path == "/packed":
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", "4000000")
                self.end_headers()
                # Who listens no longer breaks it off.
                with suppress(OSError):
                    for _time in range(8 if self.path == "/drips" else 1):
                        self.wfile.write(b"x" * (3_000_000 if self.path == "/long" else 1))
                        self.wfile.flush()
                        time.sleep(0.5 if self.path == "/drips" else 0)

            def log_message(self, *_args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        for path in ("breaks", "drips", "packed", "long"):
            self.company.grant_stamp_url = f"http://127.0.0.1:{server.server_port}/{path}"
            with (
                self.subTest(path=path),
                patch.object(grant_heads_stamp, "PATIENCE", 2),
                mute_logger("odoo.addons.ctai_grants_reports.models.statement.grant_heads_stamp"),
            ):
                begun = time.monotonic()
                self.assertTrue(self.stamps._stamp_company(self.company))
                self.assertLess(time.monotonic() - begun, 4)

    def test_stamp_of_something_else(self):
        request = time_stamp.make_request("one")
        answer = self.authority.answer("", request.as_bytes())
        time_stamp.verify(answer, "one", self.authority.certificate, request)
        other = time_stamp.make_request("one")
        for text, asked in (("two", request), ("one", other)):
            with self.assertRaises(time_stamp.StampError):
                time_stamp.verify(answer, text, self.authority.certificate, asked)
        for garbage in (b"", b"x" * 100, answer[:-10]):
            with self.assertRaises(time_stamp.StampError):
                time_stamp.verify(garbage, "one", self.authority.certificate)

    def test_altered(self):
        self.stamp()
        self.change_sql(
            "grant_heads_stamp",
            "UPDATE grant_heads_stamp SET heads = heads || ' ' WHERE company_id = %s",
            self.company.id,
        )
        wrong = self.env["grant.entry"]._get_altered_files(self.contract.envelope_ids)
        self.assertTrue(any("does not vouch" in sentence for sentence in wrong), wrong)

    def test_ledger_rewritten(self):
        self.stamp()
        self.change_sql(
            "grant_entry",
            "UPDATE grant_entry SET hash = repeat('a', 64) WHERE envelope_id = %s",
            self.envelope.id,
        )
        wrong = self.stamps._get_altered(self.company)
        self.assertTrue(any("Time-stamped heads" in sentence for sentence in wrong), wrong)

    def test_settings(self):
        for values in (
            {"grant_stamp_url": "file:///etc/passwd"},
            {"grant_stamp_url": "tsa"},
            {"grant_stamp_certificate": False},
            {"grant_stamp_certificate": "x"},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.company.write(values)
        self.company.write({"grant_stamp_url": False, "grant_stamp_certificate": False})
        for user in self.staff - self.administrator:
            with self.assertRaises(AccessError):
                self.stamps.with_user(user).search([])
