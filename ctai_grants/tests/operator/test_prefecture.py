"""What a prefecture sees of its contract: progress, and lines that add up to each figure."""

import datetime
import re

from odoo import Command
from odoo.tests import tagged

from ..portal.test_portal import PortalCase

# Made by Odoo for whole euros and cents, in English.
AMOUNT = re.compile(r"-?[\d,]+\.\d\d")


def read_amount(node):
    [text] = AMOUNT.findall(node.text_content())
    return float(text.replace(",", ""))


@tagged("post_install", "-at_install")
class TestPrefectureFigures(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.housing, cls.health = cls.env["grant.theme"].create(
            [{"name": "Logement d’essai"}, {"name": "Santé d’essai"}]
        )
        third = cls.make_subsidy(
            name="Troisième", amount=5000,
            action_ids=[
                Command.create({"name": "Aller vers", "amount": 2000,
                                "theme_ids": (cls.housing | cls.health).ids}),
                Command.create({"name": "Loger", "amount": 3000, "theme_ids": cls.housing.ids}),
            ],
        )  # fmt: skip
        cls.second_tranche = cls.make_tranche(third, name="Solde d’essai", amount=250.5)
        cls.sign(third)
        cls.pay(cls.tranche)
        cls.pay(cls.second_tranche)
        cls.pay(cls.their_tranche, datetime.date(2021, 11, 26))
        funding = cls.env["grant.funding"].create(
            {"name": "Acompte de l’État", "envelope_id": cls.envelope.id, "amount": 60000}
        )
        funding.with_user(cls.finance_officer)._do_receive("2021-11-02", 60000)
        cls.paid = {
            cls.operator: [cls.tranche, cls.second_tranche],
            cls.other_operator: [cls.their_tranche],
        }
        cls.path = f"/my/contracts/{cls.contract.id}"

    def setUp(self):
        super().setUp()
        self.login(self.prefecture_user)

    def read_lines(self, url):
        """Amounts of the lines of a page, of all of its pages; their total as it says it."""
        page = self.page(url)
        amounts = [read_amount(row.xpath("td")[-1]) for row in page.xpath("//tbody/tr")]
        [total] = page.xpath("//td[contains(@class, 'o_grants_total')]")
        return amounts, read_amount(total)

    def test_each_figure_opens_lines_that_add_up_to_it(self):
        links = self.page(self.path).xpath("//main//a[contains(@href, '/lines?')]")
        # Of envelopes and operators, then of each subsidy.
        subsidies = [link for link in links if "subsidy=" in link.get("href")]
        self.assertEqual((len(links) - len(subsidies), len(subsidies)), (9, 6))
        for link in links:
            with self.subTest(link=link.get("href")):
                amounts, total = self.read_lines(link.get("href"))
                self.assertAlmostEqual(sum(amounts), read_amount(link), 2)
                self.assertAlmostEqual(total, read_amount(link), 2)

    def test_against_the_documents(self):
        """From the other side: what tranches and instalments say themselves."""
        envelope = f"{self.path}/lines?envelope={self.envelope.id}"
        amounts, _total = self.read_lines(f"{envelope}&figure=paid")
        tranches = [tranche for own in self.paid.values() for tranche in own]
        self.assertEqual(sorted(amounts), sorted(tranche.amount for tranche in tranches))
        self.assertEqual(self.read_lines(f"{envelope}&figure=received")[0], [60000])
        for operator, own in self.paid.items():
            url = f"{self.path}/lines?operator={operator.id}&figure=paid"
            self.assertEqual(
                sorted(self.read_lines(url)[0]), sorted(tranche.amount for tranche in own)
            )
            page = self.page(url).text_content()
            self.assertIn(own[0].name, page)
            for tranche in own:
                one = f"{self.path}/lines?subsidy={tranche.subsidy_id.id}&figure=paid"
                self.assertEqual(self.read_lines(one), ([tranche.amount], tranche.amount))
            self.assertNotIn("M-", page.partition("Amount")[2].partition("Total")[0])

    def test_a_cancelled_subsidy_is_not_named(self):
        cancelled = self.make_subsidy(name="Abandonnée", amount=700)
        self.sign(cancelled)
        self.ask(cancelled, "cancel", self.coordinator)
        url = f"{self.path}/lines?envelope={self.envelope.id}&figure=committed"
        amounts, total = self.read_lines(url)
        self.assertNotIn("Abandonnée", self.page(url).text_content())
        self.assertAlmostEqual(sum(amounts), self.envelope.committed_amount, 2)
        self.assertAlmostEqual(total, self.envelope.committed_amount, 2)

    def test_by_theme(self):
        page = self.page(self.path)
        for theme, count, amount in ((self.housing, 2, 5000), (self.health, 1, 2000)):
            [row] = page.xpath(f"//tr[th/a[contains(@href, 'theme={theme.id}')]]")
            self.assertIn(f"Actions: {count}", row.text_content())
            self.assertEqual(read_amount(row.xpath("td")[-1]), amount)
            actions = self.page(row.xpath("th/a/@href")[0])
            amounts = [read_amount(one.xpath("td")[-1]) for one in actions.xpath("//tbody/tr")]
            self.assertEqual((len(amounts), sum(amounts)), (count, amount))

    def test_the_bar_has_its_words(self):
        self.assertIn("% committed", self.page(self.path).text_content())

    def test_whatever_page_is_asked_for(self):
        for url in (f"{self.path}/lines?figure=paid&", "/my/contracts?"):
            for page in ("x", "-1", "%C2%B2", "9" * 30):
                self.assertEqual(self.url_open(f"{url}page={page}").status_code, 200, (url, page))

    def test_nothing_else_opens(self):
        other = self._make_organisation("Autre préfecture", "prefecture")
        foreign = self.contract.copy(
            {"code": "AUTRE", "funder_id": other.id, "signature_date": "2021-10-21"}
        )
        foreign.with_user(self.finance_manager).action_put_in_force()
        for url in (
            f"{self.path}/lines", f"{self.path}/lines?figure=nonsense",
            f"{self.path}/lines?figure=paid&envelope={foreign.envelope_ids[0].id}",
            f"{self.path}/lines?figure=paid&operator={self.company.partner_id.id}",
            f"{self.path}/lines?figure=paid&subsidy=999999", f"{self.path}/actions?theme=999999",
            f"/my/contracts/{foreign.id}/lines?figure=paid", f"/my/contracts/{foreign.id}/actions",
        ):  # fmt: skip
            self.assertEqual(self.url_open(url).status_code, 404, url)
        self.login(self.operator_user)
        for url in (f"{self.path}/lines?figure=paid", f"{self.path}/actions"):
            self.assertEqual(self.url_open(url).status_code, 404, url)
