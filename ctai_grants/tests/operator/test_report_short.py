from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, freeze_time, tagged

from .test_report_hand_in import ATTESTED, HandInCase

#: Six totals, by account: what this subsidy gave is in :data:`GIVEN`.
TOTALS = {
    "chgdirect": "3 200,50", "autchgindirect": "300", "74autres": "500", "autresproduits": "1000",
    "insufprevisionnel": "0,50",
}  # fmt: skip


class ShortCase(HandInCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.grant_short_report_amount = 2000
        cls.small = cls.make_small()

    @classmethod
    def make_small(cls, amount=2000):
        subsidy = cls.make_subsidy(amount=amount, due_rule="cost")
        tranche = cls.make_tranche(subsidy, amount=amount, kind="advance")
        cls.sign(subsidy)
        cls.pay(tranche)
        return subsidy

    def fill_short(self, report, **changes):
        values = {f"actual_{self.of(report, code).id}": text for code, text in TOTALS.items()}
        given = report.line_ids.filtered("is_subsidy")
        return report._save_draft(
            {
                **values, f"actual_{given.id}": "2000", "achieved": "Douze ateliers.", **ATTESTED,
                **changes,
            },
            report.revision,
        )  # fmt: skip


@freeze_time("2022-07-15 12:00:00")
class TestShort(ShortCase):
    def test_six_totals(self):
        report = self.begin(subsidy=self.small)
        self.assertTrue(report.is_short)
        self.assertEqual(len(report.line_ids), 6)
        self.assertFalse(self.fill_short(report))
        self.assertEqual(report.actual_amount, 3500.5)
        self.assertEqual(report.other_income, 1500)
        self.assertFalse(report.advice)
        report._do_hand_in()
        report.with_user(self.coordinator).action_accept()
        self.assertEqual((report.due_amount, report.state), (2000, "accepted"))
        self.assertFalse(self.verify())

    def test_is_looked_at_as_the_whole_form(self):
        report = self.begin(subsidy=self.small)
        own = self.of(report, "insufprevisionnel")
        self.fill_short(report, **{f"actual_{own.id}": "0"})
        self.assertIn("own funds", report.advice)
        self.assertEqual(set(report._get_void()), set())
        given = report.line_ids.filtered("is_subsidy")
        self.fill_short(report, **{f"actual_{given.id}": "1999"})
        self.assertIn("amount granted", report.advice)

    def test_only_where_the_city_lets(self):
        self.assertFalse(self.begin(subsidy=self.make_small(2000.01)).is_short)
        # A budget in lines is reported in its lines.
        self.company.grant_short_report_amount = 50000
        self.assertEqual(len(self.begin().line_ids), 51)
        self.company.grant_short_report_amount = 0
        self.assertFalse(self.begin(subsidy=self.make_small()).is_short)

    def test_the_operator_rather_fills_in_all_lines(self):
        report = self.begin(subsidy=self.small)
        report._choose_form(short=False)
        self.assertFalse(report.is_short)
        whole = self.begin(subsidy=self.make_small(2000.01))
        self.assertEqual(report.line_ids.account_id, whole.line_ids.account_id)
        self.assertEqual(len(report.line_ids), len(whole.line_ids))
        report._choose_form(short=False)
        pay = self.of(report, "641")
        report._save_draft({f"actual_{pay.id}": "3500"}, report.revision)
        with self.assertRefused("There are figures in this form"):
            report._choose_form(short=True)
        report._save_draft({f"actual_{pay.id}": ""}, report.revision)
        report._choose_form(short=True)
        self.assertEqual(len(report.line_ids), 6)
        self.assertFalse(self.fill_short(report))
        self.assertFalse(self.verify())
        report._choose_form(short=True)
        other = self.begin()
        with self.assertRefused("asks for the whole form"):
            other._choose_form(short=True)

    def test_the_city_changes_its_mind(self):
        report = self.begin(subsidy=self.small)
        self.company.grant_short_report_amount = 0
        self.begin(subsidy=self.small)
        self.assertEqual(len(report.line_ids), 6)

    def test_nobody_types_that_it_is_short(self):
        report = self.begin()
        for user in (self.coordinator, self.finance_manager):
            with self.assertRaises(AccessError):
                report.with_user(user).is_short = True


@tagged("post_install", "-at_install")
@freeze_time("2022-07-15 12:00:00")
class TestShortPage(ShortCase, HttpCase):
    def test_on_one_page(self):
        self.operator_user.password = self.operator_user.login
        self.authenticate(self.operator_user.login, self.operator_user.login)
        report = self.begin(subsidy=self.small)
        url = f"/my/subsidies/{self.small.id}/report"
        page = html.fromstring(self.url_open(url).text)
        self.assertEqual(len(page.xpath("//input[@data-amount]")), 6)
        # All of it is open, and nothing asks for a workbook.
        self.assertFalse(page.xpath("//details//input[@data-amount]"))
        self.assertFalse(page.xpath("//a[contains(@href, '/workbook')]"))
        self.assertEqual(len(page.xpath("//form//textarea")), 3)
        form = next(one for one in page.forms if one.get("action").endswith("/save"))
        values = {name: value for name, value in form.form_values() if value is not None}
        for code, text in TOTALS.items():
            values[f"actual_{self.of(report, code).id}"] = text
        answer = self.url_open(
            f"{url}/save", data={**values, "achieved": "Fait", **ATTESTED, "hand_in": "1"}
        )
        self.assertIn("The city is reviewing it", answer.text)
        self.assertEqual((report.hand_in, report.actual_amount), ("submitted", 3500.5))

    def test_what_is_asked_stands_beside_its_line(self):
        self.operator_user.password = self.operator_user.login
        self.authenticate(self.operator_user.login, self.operator_user.login)
        report = self.begin(subsidy=self.small)
        self.fill_short(report)
        report._do_hand_in()
        line = self.of(report, "chgdirect")
        report.with_user(self.coordinator)._do_send_back_lines("", {line: "Joignez les factures."})
        page = html.fromstring(self.url_open(f"/my/subsidies/{self.small.id}/report").text)
        asked = page.xpath(f"//div[@id='answer_{line.id}']")[0]
        self.assertIn("Joignez les factures.", asked.text_content())
        field = page.xpath(f"//input[@name='actual_{line.id}']")[0]
        self.assertIn(f"answer_{line.id}", field.get("aria-describedby"))
