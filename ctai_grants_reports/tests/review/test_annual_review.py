import hashlib
import io
import json

import pikepdf
from psycopg2.errors import UniqueViolation

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, new_test_user
from odoo.tools import mute_logger

from .common import DAY, ReviewCase


class TestAnnualReview(ReviewCase):
    """Written from the data, edited around figures, issued once; all figures by hand."""

    def test_figures_as_at_the_end_of_the_year(self):
        money = self.review._get_money()
        # 2 500 € of February 2022 are not of 2021; what the State paid stands apart.
        self.assertEqual(money["paid_city"], 1000)
        self.assertEqual(money["paid_direct"], 700)
        self.assertEqual(
            (money["allocated"], money["committed"], money["available"], money["to_pay"]),
            (200000, 15000, 185000, 13300),
        )
        self.review.as_at = "2022-12-31"
        self.assertEqual(self.review._get_money()["paid_city"], 3500)

    def test_who_did_what_by_theme(self):
        (table,) = self.review._get_block("actions")
        self.assertEqual(
            [row[:4] for row in table["rows"]],
            [
                ["Test health", "Soins", "Association de test", ""],
                ["Test housing", "Toits", "Association de test", ""],
                ["Without a theme", "Ateliers", "Autre association", ""],
            ],
        )
        self.assertIn("15,000.00", table["totals"][-1])
        self.assertFalse(table["note"])
        facts = self.review._get_facts()
        self.assertEqual(
            (facts["operators"], facts["actions"], facts["themes"], facts["committed_share"]),
            ("2 operators", "3 actions", "2 themes", "7 %"),
        )
        self.assertEqual(facts["theme_names"], "Test health and Test housing")

    def test_what_the_city_spends_itself_is_said(self):
        """The table of money has it: a reader who adds up the actions has to find the rest."""
        city = self.company.partner_id
        self.sign(self.make_subsidy(kind="own_cost", partner_id=city.id, amount=2000))
        (table,) = self.review._get_block("actions")
        self.assertIn("15,000.00", table["totals"][-1])
        self.assertIn("2,000.00", table["note"])
        self.assertEqual(self.review._get_money()["committed"], 17000)

    def test_the_text_is_filled_in(self):
        text = self.paragraph("money").text
        self.assertIn("15,000.00", text)
        self.assertNotIn("{{", "".join(self.review.paragraph_ids.mapped("text")))
        self.assertFalse(self.review.paragraph_ids.filtered("faults"))

    def test_an_edited_paragraph_cannot_change_a_figure(self):
        paragraph = self.paragraph("money")
        paragraph.body = "Grâce à {{paid_city}}, tout a commencé en 2021."
        self.assertTrue(paragraph.is_edited)
        self.assertIn("1,000.00", paragraph.text)
        self.issue()
        self.assertIn("Grâce à", self.review.content)
        for body, part in (
            ("9 999 € versés", "9 999"), ("٩ personnes", "٩"), ("{{payd_city}}", "paid_city"),
            ("{{paid_city}", "both braces"), ("{{}}", "stands for nothing"),
            ("½ des sommes", "½"),
        ):  # fmt: skip
            draft = self.env["grant.annual.review"].browse(
                self.review.action_correct()["res_id"]
            )
            draft.correction = "Une faute."
            self.paragraph("money", draft).body = body
            self.assertIn(part, draft.obstacles)
            with self.assertRefused("cannot be issued", part):
                self.issue(draft)
            self.assertEqual((draft.state, self.review.state), ("draft", "issued"))
            draft.unlink()

    def test_no_figure_is_typed_in_words(self):
        paragraph = self.paragraph("money")
        for typed in ("Une vingtaine de personnes.", "Trois jeunes femmes.", "2021 personnes."):
            paragraph.body = typed
            self.assertTrue(paragraph.faults, typed)
            with self.assertRaises(UserError):
                self.issue()
        paragraph.body = "En 2021, deux partenaires se sont rencontrés."
        self.assertFalse(paragraph.faults)

    def test_a_title_holds_no_typed_figure_either(self):
        self.paragraph("money").title = "15 000 € pour tous"
        with self.assertRefused("15 000"):
            self.issue()

    def test_issued_it_is_frozen(self):
        self.issue()
        content, pdf = json.loads(self.review.content), self.review.sudo().pdf_id.raw
        self.assertEqual(self.review.pdf_hash, hashlib.sha256(pdf).hexdigest())
        self.assertEqual(
            self.review.content_hash, hashlib.sha256(self.review.content.encode()).hexdigest()
        )
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            self.assertIn(b"pdfaid", opened.Root.Metadata.read_bytes())
        # What becomes of the data afterwards changes nothing of it.
        self.operator.name = "Un autre nom"
        self.subsidy.action_ids[0].name = "Renommée"
        self.env.invalidate_all()
        self.assertEqual(self.review._get_content(), content)
        self.assertEqual(self.review._print_annual_review()[1], pdf)
        for act in (
            lambda: self.review.write({"year": 2020}),
            lambda: self.review.write({"as_at": "2022-12-31"}),
            lambda: self.paragraph("money").write({"body": "Autre"}),
            lambda: self.paragraph("money").unlink(),
            lambda: self.review.write({"paragraph_ids": [Command.clear()]}),
            self.review.unlink,
            self.review.action_refresh,
            self.review.action_issue,
            lambda: self.review.sudo().pdf_id.write({"raw": b"x"}),
            lambda: self.review.sudo().pdf_id.unlink(),
        ):
            with self.assertRaises(UserError):
                act()
        self.assertFalse(self.verify())

    def test_a_file_changed_behind_its_back_is_not_handed_out(self):
        self.issue()
        file = self.review.sudo().pdf_id
        self.env.cr.execute(
            "UPDATE ir_attachment SET db_datas = 'x', store_fname = NULL WHERE id = %s", [file.id]
        )
        file.invalidate_recordset()
        with self.assertRefused("not the one that was issued"):
            self.review._print_annual_review()

    def test_a_correction_replaces_it(self):
        self.issue()
        draft = self.env["grant.annual.review"].browse(self.review.action_correct()["res_id"])
        with self.assertRefused("what is corrected"):
            self.issue(draft)
        draft.correction = "Le nom d'un opérateur."
        self.issue(draft, "2022-04-01 09:00:00")
        self.assertEqual((self.review.state, draft.state, draft.number), ("replaced", "issued", 2))
        self.assertIn("Le nom d'un opérateur.", json.loads(draft.content)["correction"])
        self.assertEqual(self.contract._get_issued_reviews(), draft.sudo())
        with self.assertRefused("Replaced"):
            self.review.action_correct()
        self.assertFalse(self.verify())

    def test_not_before_the_year_is_over_nor_before_the_contract(self):
        with self.assertRefused("not over yet"):
            self.issue(moment="2021-12-31 12:00:00")
        self.review.as_at = "2021-10-20"
        with self.assertRefused("before the contract"):
            self.issue()
        self.review.write({"year": 2022, "as_at": "2021-12-31"})
        with self.assertRefused("before the year"):
            self.issue()

    def test_without_text_or_entries(self):
        self.review.paragraph_ids.body = " "
        with self.assertRefused("no text"):
            self.issue()
        contract = self.env["grant.contract"].create(
            {"name": "Vide", "code": "VIDE", "funder_id": self.prefecture.id}
        )
        with self.assertRefused("Draft"):
            self.make_review(contract_id=contract.id)

    def test_what_nobody_edited_follows_the_data(self):
        edited = self.paragraph("actions")
        edited.body = "Les associations ont beaucoup fait."
        self.review.as_at = "2022-12-31"
        self.pay(self.make_tranche(self.subsidy, amount=100), DAY("2022-12-01"))
        self.review.action_refresh()
        self.assertEqual(edited.body, "Les associations ont beaucoup fait.")
        self.assertIn("3,600.00", self.paragraph("money").text)
        edited.action_restore()
        self.assertFalse(edited.is_edited)

    def test_small_counts_are_not_told(self):
        self.tell("2021-Q4", 3)
        self.tell("2022-Q1", 40)
        (table,) = self.review._get_block("figures")
        # Of 2021 alone: fewer than five, and not the 43 of both years.
        self.assertEqual(table["rows"][0][2:], ["< 5", "–"])
        self.issue()
        self.assertNotIn("43", json.dumps(json.loads(self.review.content)["sections"][3]))
        # Once that is made, others read all of it again.
        results = self.env["grant.indicator.result"].search([("target_id", "=", self.target.id)])
        self.assertEqual(results.value, 43)

    def test_an_evaluation_is_quoted_without_numbers(self):
        for action, reason in zip(
            self.subsidy.action_ids, ("Le besoin demeure.", "3 femmes sont venues."), strict=True
        ):
            one = self.env["grant.evaluation"].with_user(self.coordinator).create({
                "action_id": action.id, "year": 2021, "opinion": "Bien.", "conclusion": "continue",
                "conclusion_reason": reason,
            })  # fmt: skip
            one.line_ids.comment = "Vu."
            one.action_share()
            one.action_conclude()
        (table,) = self.review._get_block("evaluation")
        self.assertEqual([row[3] for row in table["rows"]], ["Le besoin demeure.", "See the city."])
        self.review.action_refresh()
        self.assertIn("2 evaluations", self.paragraph("evaluation").text)
        self.assertNotIn("3 femmes", json.dumps(self.review._make_content()))

    def test_one_a_year(self):
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            self.make_review()

    def test_hostile_names(self):
        name = "=cmd() <script>alert(1)</script> “Ω” \u202eabc " + "x" * 200
        self.other_operator.name = name
        self.review.as_at = "2022-02-28"
        self.issue()
        self.assertIn(b"%PDF", self.review.sudo().pdf_id.raw[:8])

    def test_who_may(self):
        for user in (self.reader, self.finance_officer, self.finance_manager):
            review = self.review.with_user(user)
            self.assertTrue(review.preview)
            for act in (
                lambda one=review: one.write({"as_at": "2022-01-01"}), review.action_issue,
                review.action_refresh, review.action_correct, review.unlink,
                lambda one=review: one.paragraph_ids[:1].write({"body": "x"}),
                lambda one=review: one.paragraph_ids[:1].action_restore(),
                lambda user=user: self.make_review(user=user, year=2022),
            ):  # fmt: skip
                with self.assertRaises(AccessError):
                    act()
        for user in self.portal_users:
            for records in (self.review, self.review.paragraph_ids):
                with self.assertRaises(AccessError):
                    records.with_user(user).read()

    def test_nobody_types_what_issuing_writes(self):
        for values in (
            {"state": "issued"}, {"content": "{}"}, {"pdf_hash": "0" * 64}, {"number": 7},
            {"lang": "de_DE"}, {"replaces_id": self.review.id}, {"issued_date": "2022-01-01"},
        ):  # fmt: skip
            with self.assertRaises(AccessError):
                self.review.with_user(self.administrator).write(values)

    def test_another_city_s_is_not_there(self):
        company = self.env["res.company"].create({"name": "Autre ville"})
        user = new_test_user(
            self.env, "test_other_city", "ctai_grants.group_administrator",
            company_id=company.id, company_ids=company.ids,
        )  # fmt: skip
        for records in (self.review, self.review.paragraph_ids):
            self.assertFalse(records.with_user(user).search([("id", "in", records.ids)]))
            with self.assertRaises(AccessError):
                records.with_user(user).read(["display_name"])
        with freeze_time("2022-03-01"), self.assertRaises(AccessError):
            self.review.with_user(user).action_issue()

    def test_in_french(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        french = self.env["grant.annual.review"].with_user(self.coordinator)
        review = french.with_context(lang="fr_FR").create(
            {"contract_id": self.contract.id, "year": 2022}
        )
        self.assertEqual(review.lang, "fr_FR")
        self.assertIn("\xa0200,00", review._get_facts()["paid"])
