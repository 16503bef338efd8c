import datetime
import io
from unittest.mock import patch

import openpyxl

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import freeze_time, new_test_user

from ...lib.accounts import workbook
from ...lib.accounts.sheets import Column, Paper, Sheet
from .common import AccountsCase, day
from .test_annex import MODELS

HOUR = datetime.timedelta(hours=1)


@freeze_time("2023-02-01 12:00:00")
class TestAttacks(AccountsCase):
    """What an outsider tried on the figures of the accounts."""

    def get_year(self, subsidy, year):
        return self.find("grant.year.end.line", subsidy_id=subsidy.id, year=year)

    def test_credit_note_that_is_reversed(self):
        """A credit note that was itself taken back took nothing off."""
        (tranche,) = self.make_tranches(1000)
        self.order_on(tranche, "2021-11-20")
        note = self.reduce_on(tranche, "2021-12-10", 150.55)
        with freeze_time("2021-12-20 10:00:00"):
            note._reverse_moves(
                [{"date": day("2021-12-20"), "invoice_date": day("2021-12-20")}], cancel=True
            )
        tranche.invalidate_recordset()
        line = self.find("grant.annex.line", year=2021, partner_id=self.operator.id)
        self.assertEqual(
            self.get_sums(line, "ordered_amount", "money_amount", "said_amount", "difference"),
            (1000, 1000, 1000, 0),
        )
        end = self.get_year(tranche.subsidy_id, 2021)
        self.assertEqual((end.ordered_amount, end.carried_amount, end.remark), (1000, 0, ""))

    def test_a_name_that_could_be_markup(self):
        """Between marks of xlsxwriter's own, a name is text, and the workbook opens."""
        name = "<r>& <</r>"
        sheet = Sheet("Liste", [Column("Qui")], [(name,)])
        paper = Paper("x", "X", [], [], [sheet], day("2021-12-31"), "Ville", "Total", "Rien")
        book = openpyxl.load_workbook(io.BytesIO(workbook.write(paper)))
        cells = [cell.value for row in book.worksheets[0].iter_rows() for cell in row]
        self.assertIn(f" {name}", cells)

    def test_own_cost_amended_after_the_year(self):
        """What an amendment of the next year covers is none of the year that ended."""
        cost = self.sign(
            self.make_subsidy(
                kind="own_cost", partner_id=self.company.partner_id.id, amount=900,
                date_end="2022-12-31", decision_number=False, decision_date=False,
            )
        )  # fmt: skip
        self.book_cost(1000, "2021-11-30")
        self.assertEqual(self.get_year(cost, 2021).ordered_amount, 900)
        amendment = self.env["grant.amendment"].with_user(self.coordinator).create(
            {"subsidy_id": cost.id, "amount": 1200, "reason": "Avenant",
             "signature_date": "2022-03-10"}
        )  # fmt: skip
        amendment.with_user(self.finance_manager).action_sign()
        names = ("committed_amount", "before_amount", "ordered_amount", "carried_amount",
                 "unpaid_amount")  # fmt: skip
        line = self.get_year(cost, 2021)
        self.assertEqual(self.get_sums(line, *names), (900, 0, 900, 0, 0))
        line = self.get_year(cost, 2022)
        self.assertEqual(self.get_sums(line, *names), (1200, 900, 100, 200, 0))
        accounts = self.env["grant.year.end.line"]._get_accounts
        self.assertEqual([row[2] for row in accounts(self.company, 2021)], [900])
        self.assertEqual([row[2] for row in accounts(self.company, 2022)], [100])

    def test_credit_notes_over_the_years(self):
        """Reduced in the next year, taken back in the same or in a later one."""
        first, second = self.make_tranches(1000, 500)
        self.order_on(first, "2021-11-20")
        self.order_on(second, "2021-11-20")
        for tranche, date in ((first, "2022-03-01"), (second, "2023-01-05")):
            note = self.reduce_on(tranche, "2022-02-10", 100.10)
            with freeze_time(f"{date} 10:00:00"):
                note._reverse_moves(
                    [{"date": day(date), "invoice_date": day(date)}], cancel=True
                )
        found = [
            self.get_sums(
                self.find("grant.annex.line", year=year, partner_id=self.operator.id),
                "ordered_amount", "reduced_amount", "money_amount", "prior_amount",
            )
            for year in (2021, 2022, 2023)
        ]  # fmt: skip
        self.assertEqual(
            found, [(1500, 0, 1500, 0), (0, 0, 0, 100.10), (100.10, 0, 100.10, 0)]
        )
        self.assertEqual(self.get_year(first.subsidy_id, 2022).ordered_amount, -100.10)
        self.assertFalse(self.get_year(first.subsidy_id, 2023).carried_amount)


VIEWS = (
    *MODELS, "grant.own.cost", "grant.settlement", "grant.accounting.control", "grant.review",
    "grant.indicator.result",
)  # fmt: skip


@freeze_time("2022-12-31 12:00:00")
class TestViewsOfOthers(AccountsCase):
    """The lists made by SQL, by who has nothing to see in them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_city = cls.env["res.company"].create({"name": "Autre ville"})
        cls.neighbour = new_test_user(
            cls.env, "test_neighbour", "ctai_grants.group_reader",
            company_id=cls.other_city.id, company_ids=[Command.set(cls.other_city.ids)],
        )  # fmt: skip
        cls.nobody = new_test_user(cls.env, "test_nobody", "base.group_user")

    def fill(self):
        first, second = self.make_tranches(80000, 500)
        self.order_on(first, "2021-11-20")
        self.pay_on(first, "2021-12-30")
        self.sign(
            self.make_subsidy(kind="own_cost", partner_id=self.company.partner_id.id, amount=900)
        )
        self.book_cost(400, "2021-11-30")
        return first

    def test_readers_of_another_city(self):
        self.fill()
        for name in VIEWS:
            model = self.env[name]
            every = model.sudo().search([])
            with self.subTest(model=name):
                own = model.with_user(self.neighbour)
                if not own.has_access("read"):
                    continue
                self.assertFalse(own.search([]))
                self.assertFalse(own.search_count([]))
                for values in own._read_group([], [], ["__count"]):
                    self.assertEqual(values, (0,))
                if every:
                    for act in (lambda r: r.read(), lambda r: r.mapped("company_id")):
                        with self.assertRefused(exception=AccessError):
                            act(every[:1].with_user(self.neighbour))
                for user in (self.nobody, *self.portal_users):
                    with self.assertRefused(exception=AccessError):
                        model.with_user(user).search([])
                    if every:
                        with self.assertRefused(exception=AccessError):
                            every[:1].with_user(user).read(["display_name"])

    def test_buttons_of_another_city(self):
        """Called with the number of a line of another city, they tell nothing."""
        self.fill()
        for name in VIEWS:
            line = self.env[name].sudo().search([])[:1]
            if not line:
                continue
            actions = [
                name for name in dir(type(line)) if name.startswith(("action_view", "action_open"))
            ]
            for action in actions:
                for user in (self.neighbour, self.nobody, self.operator_user):
                    with self.subTest(name=name, action=action, user=user.login):
                        with self.assertRefused(exception=AccessError):
                            getattr(line.with_user(user), action)()

    def test_wizard_of_another_city(self):
        self.fill()
        wizards = self.env["grant.accounts.wizard"]
        for what in ("annex", "certified", "year_end", "cash"):
            wizard = wizards.with_user(self.neighbour).create(
                {"what": what, "year": 2021, "company_id": self.company.id}
            )
            with self.assertRefused(exception=AccessError):
                wizard._make()
            wizard = wizards.with_user(self.neighbour).create(
                {"what": what, "year": 2021, "contract_id": self.contract.id}
            )
            with self.assertRefused(exception=AccessError):
                wizard._make()

    def test_windows_with_files(self):
        """What was put into a window is read by who opened it alone."""
        for name, model in self.env.registry.items():
            fields = model._fields.values()
            if not (model._transient and name.startswith("grant.")) or not any(
                field.type == "binary" and field.store for field in fields
            ):
                continue
            with self.subTest(model=name):
                rules = self.env["ir.rule"].search([("model_id.model", "=", name)])
                self.assertIn("[('create_uid', '=', user.id)]", rules.mapped("domain_force"))


class TestMidnight(AccountsCase):
    """Cities whose 31 December ends before or after that of Paris."""

    def test_last_evening_overseas(self):
        """Certified at 23:30 on 31 December of the city: of that year; half an hour on, of none."""
        for zone, moment in (
            ("America/Cayenne", "2022-01-01 02:30:00"),
            ("Indian/Reunion", "2021-12-31 19:30:00"),
            ("Pacific/Noumea", "2021-12-31 12:30:00"),
        ):
            self.company.partner_id.tz = zone
            first, second = self.make_tranches(300, 400)
            self._certify(first, moment=moment)
            self._certify(second, moment=str(datetime.datetime.fromisoformat(moment) + HOUR))
            with freeze_time("2022-06-01 12:00:00"):
                line = self.find("grant.year.end.line", subsidy_id=first.subsidy_id.id, year=2021)
                self.assertEqual((line.attached_amount, line.carried_amount), (300, 400), zone)
                self.assertFalse(line.remark)

    def test_today_of_the_city(self):
        """The year begins with the city's own day."""
        (tranche,) = self.make_tranches(300)
        for zone, years in (("Pacific/Noumea", {2021, 2022}), ("America/Cayenne", {2021})):
            self.company.partner_id.tz = zone
            with freeze_time("2021-12-31 13:30:00"):
                lines = self.find("grant.year.end.line", subsidy_id=tranche.subsidy_id.id)
                self.assertEqual(set(lines.mapped("year")), years, zone)

    def test_accepted_in_the_evening(self):
        """Accounts are handed in on the city's day."""
        self.company.partner_id.tz = "America/Cayenne"
        self.env["grant.aid.in.kind"].create(
            {"name": "Salle", "partner_id": self.operator.id, "amount": 80000,
             "date_start": "2021-01-01", "date_end": "2021-12-31",
             "decision_number": "1", "decision_date": "2020-12-14"}
        ).action_record()  # fmt: skip
        subsidy = self.sign(self.make_subsidy())
        milestone = self.env["grant.milestone"].create(
            {"name": "Comptes", "subsidy_id": subsidy.id, "date": "2022-06-30"}
        )
        piece = self.env["grant.deliverable"].create(
            {"name": "Comptes 2021", "milestone_id": milestone.id,
             "type_id": self.env.ref("ctai_grants.deliverable_type_accounts").id}
        )  # fmt: skip
        with patch.object(self.registry["grant.deliverable"], "_check_frozen_fields"):
            piece._transition(state="accepted", answered_at="2022-07-01 02:00:00")
        line = self.find("grant.certified.accounts", partner_id=self.operator.id)
        self.assertEqual((line.due_date, line.received_date), (day("2022-06-30"),) * 2)


class TestMany(AccountsCase):
    def test_statements_of_many_lines(self):
        """No list takes more SQL statements for thousands of lines than for ten."""
        (tranche,) = self.make_tranches(80000)
        self.order_on(tranche, "2021-11-20")
        self.env.flush_all()
        self.env.cr.execute(
            "INSERT INTO grant_aid_in_kind (name, kind, partner_id, company_id, amount,"
            " date_start, date_end, state, recorded_at)"
            " SELECT 'Salle', 'premises', %s, %s, 1, make_date(2000 + n %% 900, 1, 1),"
            " make_date(2000 + n %% 900, 12, 31), 'recorded', now()"
            " FROM generate_series(1, 10000) n",
            [self.operator.id, self.company.id],
        )
        self.env.invalidate_all()
        for name in MODELS:
            with self.subTest(name=name):
                before = self.cr.sql_log_count
                lines = self.env[name].with_user(self.reader).search([])
                lines.mapped("display_name")
                self.assertLess(self.cr.sql_log_count - before, 20)
