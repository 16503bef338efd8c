"""Who means harm: statements written by hand, files made up for the checker, tables changed past
the guards, answers of strangers."""

import io
import json
import zipfile
from decimal import Decimal

from odoo import Command, http
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import IssuedCase


@tagged("post_install", "-at_install")
class TestForgedFiles(IssuedCase):
    """Whatever is in a file: the checker refuses it by a sentence, or names what differs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.statement = cls.issue()

    def check(self, content, name="file"):
        return self.env["grant.statement"]._check_file(io.BytesIO(content), name)

    def assertNotVouched(self, content):
        """Refused, or a difference; and the transaction goes on."""
        try:
            difference, _told = self.check(content)
        except UserError:
            difference = "refused"
        self.assertTrue(difference)
        self.env.cr.execute("SELECT 1")

    def test_json_of_other_kinds(self):
        """Each value of the file by something else."""
        for value in (None, "x", 10**30, -1, 1.5, True, [], {}, "\x00", "é" * 10000):
            for place in (
                ("ledger", "rows", 0, 0), ("ledger", "rows", 0, 1), ("ledger", "rows", 0, 8),
                ("ledger", "rows", 0), ("chains", 0, "entries", 0), ("chains", 0, "entries", 0, 0),
                ("chains", 0, "entries"), ("chains",), ("blocks", 0, "rows", 0, 1), ("about",),
                ("lists", -1, "rows", 0, 0), ("lists", -1, "rows", 0, 1), ("lists",),
                ("lists", -1, "rows", 0, 3), ("lists", -1, "rows", 0, 4), ("about", "number"),
                ("chains", 0, "entries", 0, 1),
            ):  # fmt: skip
                with self.subTest(place=place, value=str(value)[:20]):
                    content = self.read_json(self.statement)
                    inner = content
                    for step in place[:-1]:
                        inner = inner[step]
                    inner[place[-1]] = value
                    self.assertNotVouched(json.dumps(content).encode())

    def rewrite_book(self, part, change):
        """The workbook with one part changed, or without it."""
        stream = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(self.read_file(self.statement, "xlsx"))) as book:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as other:
                for info in book.infolist():
                    content = book.read(info)
                    if info.filename == part:
                        content = change(content)
                    if content is not None:
                        other.writestr(info.filename, content)
        return stream.getvalue()

    def test_broken_books(self):
        with zipfile.ZipFile(io.BytesIO(self.read_file(self.statement, "xlsx"))) as book:
            names = book.namelist()
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">%s]>' % b"".join(
            b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)
        )
        files = b'<!DOCTYPE x [<!ENTITY m SYSTEM "file:///etc/passwd">]>'
        for name in names:
            for what in (
                lambda c: c[: len(c) // 2],
                lambda _c: b"",
                lambda _c: b"\x00\xff" * 50,
                lambda c: None,
                lambda c: c.replace(b"?>", b"?>" + bomb, 1).replace(b"<v>", b"<v>&m;", 1),
                lambda c: c.replace(b"?>", b"?>" + files, 1).replace(b"<t>", b"<t>&m;", 1),
            ):
                with self.subTest(name=name):
                    self.assertNotVouched(self.rewrite_book(name, what))

    def test_broken_zips(self):
        content = self.read_file(self.statement, "xlsx")
        for start in range(0, len(content), max(1, len(content) // 60)):
            with self.subTest(start=start):
                self.assertNotVouched(content[:start] + b"\xff\x00\xaa" * 4 + content[start + 12 :])

    def test_number_taken_away(self):
        """A file that hides which statement it was is no proof, nor one that leaves lines out."""

        def unnumber(content):
            content["about"]["number"] = ""

        def unhead(content):
            unnumber(content)
            content["lists"] = [table for table in content["lists"] if table["key"] != "heads"]

        def drop(content):
            unhead(content)
            rows = content["ledger"]["rows"]
            place = next(p for p, row in enumerate(rows[:-1]) if row[0] == rows[p + 1][0])
            taken = rows.pop(place)
            kinds = {label: flow for flow, label in content["kinds"].items()}
            for block in content["blocks"]:
                flows = [column.get("flow") for column in block["columns"]]
                for row in block["rows"]:
                    if row[1] == taken[0]:
                        at = flows.index(kinds[taken[3]])
                        row[at] = str(Decimal(row[at]) - Decimal(taken[8]))

        def repeat(content):
            unhead(content)
            content["ledger"]["rows"].insert(0, content["ledger"]["rows"][0])

        for edit, words in (
            (unnumber, "not its number"), (drop, "taken out"), (repeat, "repeated"),
        ):  # fmt: skip
            with self.subTest(edit=edit.__name__):
                content = self.read_json(self.statement)
                edit(content)
                difference, _told = self.check(json.dumps(content).encode())
                self.assertIn(words, difference or "")
        content = self.read_json(self.statement)
        unhead(content)
        difference, told = self.check(json.dumps(content).encode())
        self.assertIsNone(difference)
        self.assertIn("nothing vouches for its names", told)


@tagged("post_install", "-at_install")
class TestForgedTables(IssuedCase):
    """The verifier sees what whoever owns the database does to a statement."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.issue()
        cls.statement = cls.env["grant.statement"].browse(
            cls.first.action_correct()["res_id"]
        )
        cls.statement.correction = "Une erreur"
        cls.issue(cls.statement)

    def tell(self):
        return self.env["grant.entry"]._get_altered_files(self.contract.envelope_ids)

    def test_each_column_of_the_statement(self):
        self.assertFalse(self.tell())
        other = self.env["grant.contract"].create(
            {"name": "Autre", "code": "AUTRE", "funder_id": self.prefecture.id}
        )
        for change in (
            "name = 'X'", "as_at = '2021-11-30'", "date_from = '2020-01-01'", "date_from = NULL",
            "state = 'draft'", "state = 'acknowledged'", "issued_at = '2020-01-01'",
            f"issued_by_id = {self.reader.id}",
            "heads = ''", "heads = 'x'", "heads = heads || heads",
            "forced_reason = 'x'", "correction = 'x'", "correction = NULL", "lang = 'xx'",
            "replaces_id = NULL", "is_certified = NOT coalesce(is_certified, false)",
            f"contract_id = {other.id}",
        ):  # fmt: skip
            with self.subTest(change=change):
                self.cr.execute("SAVEPOINT attack")
                query = f"UPDATE grant_statement SET {change} WHERE id = %s"
                self.change_sql("grant_statement", query, self.statement.id)
                found = self.tell()
                self.cr.execute("ROLLBACK TO SAVEPOINT attack")
                self.env.invalidate_all()
                self.assertTrue(found)
        self.assertFalse(self.tell())


@tagged("post_install", "-at_install")
class TestStrangers(IssuedCase, HttpCase):
    """Readers, operators, the prefecture, by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.statement = cls.issue()

    def post(self, path, **data):
        data["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open(f"/my/statements/{self.statement.id}/{path}", data=data)

    @mute_logger("odoo.http")
    def test_addresses(self):
        """Ids of others or of nobody, reports that are none: no error of the server."""
        huge = 10**20
        for user in (self.prefecture_user, self.operator_user, self.coordinator):
            self.authenticate(user.login, user.login)
            for path in (
                f"/my/statements/{huge}", f"/my/statements/page/{huge}", "/my/statements/page/0",
                f"/grants/statements/{huge}/pdf", f"/grants/statements/{huge}/archive",
                f"/grants/statements/{self.statement.id}/exe",
                f"/grants/contracts/{huge}/statement?as_at=2021-12-31",
                f"/report/typst/ctai_grants_reports.convention/{huge}",
                "/report/typst/ctai_grants_reports.nothing/1",
                "/report/typst/ctai_grants_reports.convention", "/report/typst/base.nothing/x",
                f"/report/html/ctai_grants_reports.convention/{self.subsidy.id}",
                f"/my/statements/{self.statement.id}/acknowledge",
            ):  # fmt: skip
                with self.subTest(user=user.login, path=path):
                    self.assertLess(self.url_open(path).status_code, 500)
        self.statement.invalidate_recordset()
        self.assertEqual(self.statement.state, "issued")

    @mute_logger("odoo.http")
    def test_texts(self):
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        line = self.statement.line_ids[0].id
        for path, data in (
            ("contest", {"text": "a\0b"}), ("contest", {f"line_{line}": "a\0b"}),
            ("contest", {f"line_{10**20}": "x"}), ("contest", {"line_x": "x"}),
            ("acknowledge", {"text": "a\0b"}),
        ):  # fmt: skip
            with self.subTest(path=path, data=data):
                self.assertIn(self.post(path, **data).status_code, (400, 404))
        self.statement.invalidate_recordset()
        self.assertEqual(self.statement.state, "issued")

    def test_coordinator_left(self):
        """Nobody's departure keeps the prefecture from answering."""
        self.coordinator.sudo().group_ids = [Command.set([self.env.ref("base.group_user").id])]
        statement = self.statement.with_user(self.prefecture_user)
        statement._contest("non")
        self.coordinator.sudo().active = False
        statement._acknowledge("oui")
        self.assertEqual(self.statement.state, "acknowledged")

    def test_context_defaults(self):
        """What a client puts into the context becomes no field of a statement."""
        forged = {
            "name": "X", "state": "issued", "heads": "x", "issued_at": "2020-01-01",
            "forced_reason": "x", "lang": "fr_FR", "issued_by_id": 2,
            "replaces_id": self.statement.id,
        }  # fmt: skip
        statements = self.env["grant.statement"].with_user(self.coordinator)
        context = {f"default_{name}": value for name, value in forged.items()}
        values = {"contract_id": self.contract.id, "as_at": "2021-12-29"}
        made = statements.with_context(**context).create(values)
        self.assertEqual(made.state, "draft")
        self.assertFalse(any(made[name] for name in forged if name != "state"))

    def test_files_of_others(self):
        """Who reads the statement reads its files, nobody else; and nobody changes them."""
        file = self.statement.sudo().file_ids[0].attachment_id
        stranger = self.env["res.partner"].create({"name": "Autre préfecture", "is_company": True})
        other = self.prefecture_user.copy({"login": "autre", "partner_id": False, "name": "Autre"})
        other.partner_id.parent_id = stranger
        for user in (self.operator_user, other):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["ir.attachment"].with_user(user).browse(file.id).read(["raw"])
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.statement.with_user(user)._acknowledge()
        for change in (
            lambda one: one.write({"raw": b"x"}), lambda one: one.write({"public": True}),
            lambda one: one.write({"res_id": 0}), lambda one: one.unlink(),
            lambda one: one.generate_access_token(),
        ):  # fmt: skip
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                change(file.with_user(self.administrator))

    def test_corrected_again_and_an_earlier_one(self):
        """A correction is corrected; a statement of an earlier day comes after; the prefecture
        answers none that was replaced."""
        last = self.statement
        for words in ("Une erreur", "Encore une"):
            before = last
            last = self.env["grant.statement"].browse(before.action_correct()["res_id"])
            last.correction = words
            self.issue(last)
            self.assertEqual(before.state, "replaced")
            with self.assertRefused("state"):
                before.with_user(self.prefecture_user)._acknowledge()
            with self.assertRefused("state"):
                before.action_correct()
        earlier = self.issue(self.draft(as_at="2021-11-30"))
        self.assertEqual((earlier.state, last.state), ("issued", "issued"))
        self.assertFalse(self.env["grant.entry"]._get_altered_files(self.contract.envelope_ids))
