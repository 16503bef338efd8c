import io

import openpyxl

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form, HttpCase, new_test_user, tagged

from .common import OPERATORS, YEAR_END, StatementCase, day


class RolesCase(StatementCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy(code="S-CITY")
        cls.sign(cls.subsidy)
        cls.other_prefecture = cls._make_organisation("Autre préfecture", "prefecture")
        cls.other_prefecture_user = cls._make_portal_user(
            "prefecture", cls.other_prefecture, "away_"
        )
        cls.their_contract = cls.env["grant.contract"].create({
            "name": "Ailleurs", "code": "ELSEWHERE", "funder_id": cls.other_prefecture.id,
            "signature_date": "2021-10-21", "date_start": "2021-10-21", "date_end": "2022-12-31",
            "envelope_ids": [Command.create({"name": "Une", "code": "A", "amount": 10})],
        })  # fmt: skip
        cls.their_contract.with_user(cls.finance_manager).action_put_in_force()
        cls.employee = new_test_user(cls.env, "test_employee", "base.group_user")
        cls.visitor = new_test_user(cls.env, "test_visitor", "base.group_portal")
        # A portal user of the prefecture has its role, whoever made them and however.
        cls.colleague = new_test_user(cls.env, "test_colleague", "base.group_portal")
        cls.colleague.partner_id.parent_id = cls.prefecture
        cls.allowed = cls.staff | cls.prefecture_user | cls.colleague
        cls.refused = (
            cls.operator_user | cls.other_operator_user | cls.other_prefecture_user | cls.employee
            | cls.visitor
        )  # fmt: skip


@tagged("post_install", "-at_install")
class TestRoles(RolesCase):
    """Who reads the contract has its statement; nobody else."""

    def test_who_may_have_it_made(self):
        for file_format in ("xlsx", "csv"):
            contents = {self.make(user=user, file_format=file_format) for user in self.allowed}
            self.assertEqual(len(contents), 1, "the same for all")
            for user in self.refused:
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    self.make(user=user, file_format=file_format)

    def test_each_prefecture_its_own_contract(self):
        book = self.open(user=self.other_prefecture_user, contract=self.their_contract)
        texts = self.get_texts(book)
        self.assertTrue([text for text in texts if "ELSEWHERE" in text])
        self.assertFalse([text for text in texts if "S-CITY" in text or "TEST-2021" in text])
        with self.assertRaises(AccessError):
            self.make(user=self.prefecture_user, contract=self.their_contract)

    def test_the_names_behind_the_figures(self):
        """The prefecture reads operators and pieces there that it cannot look up by itself."""
        rows = self.get_rows(self.open(user=self.prefecture_user), OPERATORS)
        self.assertEqual(rows[0]["Operator"], "Association de test")
        self.assertEqual(rows[0]["SIRET"], self.operator._get_siret())

    def test_only_while_it_is_theirs(self):
        self.assertTrue(self.make(user=self.prefecture_user))
        self.prefecture_user.partner_id.parent_id = self.other_prefecture
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            self.make(user=self.prefecture_user)

    def test_only_while_they_have_the_role(self):
        self.reader.group_ids = [Command.set(self.env.ref("base.group_user").ids)]
        with self.assertRaises(AccessError):
            self.make(user=self.reader)

    def test_several_contracts_at_once(self):
        with self.assertRaises(ValueError):
            self.make(contract=self.contract | self.their_contract)

    def test_no_model_of_it_answers_calls(self):
        """Neither the ledger nor the facts of a statement can be had by a call from outside."""
        for name, model in self.env.registry.items():
            if not name.startswith("grant.statement.") or not model._abstract:
                continue
            own = [
                method
                for part in model.__mro__
                if "ctai_grants_reports" in part.__module__
                for method in vars(part)
                if callable(getattr(part, method)) and not method.startswith("_")
            ]
            self.assertEqual(own, [], name)
        for user in (self.administrator, self.prefecture_user):
            for model, method, args in (
                ("grant.statement.data", "_make", [self.contract.id, "2021-12-31", "xlsx"]),
                ("grant.statement.facts", "_read", [self.contract.id, "2021-12-31"]),
                ("grant.subsidy", "_get_histories", [self.subsidy.ids, "UTC"]),
                ("grant.subsidy", "_get_entry_names", [self.subsidy.ids]),
            ):
                with self.subTest(method=method), self.assertRaises(AccessError):
                    call_kw(self.env[model].with_user(user), method, args, {})

    def test_the_window_that_asks(self):
        for user in self.staff:
            form = Form(
                self.env["grant.statement.wizard"]
                .with_user(user)
                .with_context(default_contract_id=self.contract.id)
            )
            form.as_at = YEAR_END
            self.assertIn(f"/{self.contract.id}/statement?", form.save().action_download()["url"])
        for user in self.refused | self.prefecture_user | self.colleague:
            with self.assertRaises(AccessError):
                self.env["grant.statement.wizard"].with_user(user).create(
                    {"contract_id": self.contract.id}
                )

    def test_the_window_of_somebody_else(self):
        wizard = self.env["grant.statement.wizard"].with_user(self.reader)
        theirs = wizard.create({"contract_id": self.contract.id})
        with self.assertRaises(AccessError):
            theirs.with_user(self.employee).action_download()

    def test_today_is_not_later(self):
        """Today is the city's, wherever its people are."""
        self.company.partner_id.tz = "Europe/Paris"
        self.reader.tz = "Pacific/Kiritimati"
        self.coordinator.tz = "Pacific/Honolulu"
        for user in (self.reader, self.coordinator):
            with self.frozen("2026-03-01 22:30:00"):
                self.make(day("2026-03-01"), user=user)
                with self.assertRaisesRegex(UserError, "after today"):
                    self.make(day("2026-03-02"), user=user)
            with self.frozen("2026-03-01 23:30:00"):
                self.make(day("2026-03-02"), user=user)


@tagged("post_install", "-at_install")
class TestRolesOverHttp(RolesCase, HttpCase):
    """The same, through the address that people click on."""

    def download(self, user, contract=None, query="as_at=2021-12-31"):
        self.authenticate(user.login, user.login)
        contract_id = (contract or self.contract).id
        return self.url_open(f"/grants/contracts/{contract_id}/statement?{query}")

    def test_who_gets_which_file(self):
        for user in self.allowed:
            response = self.download(user)
            with self.subTest(user=user.login):
                self.assertEqual(response.status_code, 200)
                book = openpyxl.load_workbook(io.BytesIO(response.content), data_only=True)
                self.assertEqual(self.get_rows(book, OPERATORS)[0]["Subsidy"], "S-CITY")
                self.assertIn("attachment", response.headers["Content-Disposition"])
                self.assertEqual(response.headers["Cache-Control"], "no-store")
                self.assertEqual(
                    response.headers["Content-Security-Policy"], "default-src 'none'"
                )

    def test_who_is_told_that_there_is_nothing(self):
        """In the same words as for a contract that does not exist: nobody learns which do."""
        for user in self.refused:
            response = self.download(user)
            missing = self.url_open("/grants/contracts/999999999/statement?as_at=2021-12-31")
            with self.subTest(user=user.login):
                self.assertEqual((response.status_code, missing.status_code), (404, 404))
                self.assertNotIn("TEST-2021", response.text)
        self.assertEqual(self.download(self.prefecture_user, self.their_contract).status_code, 404)
        self.assertEqual(
            self.download(self.other_prefecture_user, self.their_contract).status_code, 200
        )

    def test_a_date_tells_nothing_either(self):
        """What is wrong with the date is said to who may ask, nothing to the others."""
        for query in ("as_at=2999-12-31", "as_at=2021-12-31&file_format=csv"):
            for user in self.refused:
                self.assertEqual(self.download(user, query=query).status_code, 404)

    def test_odd_dates(self):
        for text in ("2021-02-30", "2021-13-01", "0000-00-00", "31/12/2021", "x" * 999, "%00"):
            response = self.download(self.coordinator, query=f"as_at={text}")
            self.assertEqual(response.status_code, 400, text)
            self.assertIn("is not a date", response.text)
        for user in (self.reader, self.prefecture_user):
            early = self.download(user, query="as_at=0001-01-01")
            self.assertEqual(early.status_code, 400)
            self.assertIn("was signed, on", early.text)

    def test_what_is_typed_is_not_run(self):
        response = self.download(self.coordinator, query="as_at=<script>alert(1)</script>")
        self.assertEqual(response.status_code, 400)
        self.assertNotIn("<script>alert(1)", response.text)

    def test_a_refusal_is_a_page_and_no_file(self):
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE grant_envelope DISABLE TRIGGER grant_envelope_counters")
        self.env.cr.execute(
            "UPDATE grant_envelope SET committed_amount = committed_amount + 0.01 WHERE id = %s",
            [self.envelope.id],
        )
        self.env.invalidate_all()
        response = self.download(self.coordinator)
        self.assertEqual(response.status_code, 400)
        self.assertIn("does not tie out", response.text)
        self.assertNotIn("Content-Disposition", response.headers)
        # Whoever may not read the contract does not learn that something is wrong in it.
        self.assertEqual(self.download(self.operator_user).status_code, 404)

    def test_in_the_language_of_who_asks(self):
        self.prefecture_user.lang = "fr_FR"
        response = self.download(self.prefecture_user)
        self.assertIn("etat_financier_TEST-2021", response.headers["Content-Disposition"])
        book = openpyxl.load_workbook(io.BytesIO(response.content))
        self.assertEqual(book.worksheets[0]["A1"].value, "État financier au 31/12/2021")
