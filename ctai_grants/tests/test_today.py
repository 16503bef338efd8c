import datetime

from odoo.exceptions import AccessError
from odoo.service.model import call_kw
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

from .accounting.test_own_cost import OwnCostCase
from .closing.test_due import DueCase
from .portal.test_portal import PortalCase
from .treasury.test_treasury import CITY, HEAD, make_csv, order_row

DAY = datetime.timedelta(days=1)
# Of the user, and of the request: whoever asks, it is the day of the city.
ZONES = (
    (False, None),
    ("UTC", "Pacific/Auckland"),
    ("Pacific/Auckland", None),
    ("America/Los_Angeles", "America/Los_Angeles"),
)
#: moment (UTC): the day in Paris
MOMENTS = {
    # In Auckland it is tomorrow.
    "2022-01-31 11:30:00": datetime.date(2022, 1, 31),
    # In London and Los Angeles it is yesterday, and last month.
    "2022-01-31 23:30:00": datetime.date(2022, 2, 1),
    # In summer Paris is ahead by two hours.
    "2022-06-30 22:30:00": datetime.date(2022, 7, 1),
    "2022-06-30 21:30:00": datetime.date(2022, 6, 30),
}
TODAY = datetime.date(2022, 3, 15)


class ZonesMixin:
    def in_each_zone(self, records, user, check):
        """Call ``check(records of the user, day in Paris)`` at each moment, from each zone."""
        for moment, day in MOMENTS.items():
            for of_user, of_request in ZONES:
                user.sudo().tz = of_user
                asked = records.with_user(user)
                if of_request:
                    asked = asked.with_context(tz=of_request)
                self.env.invalidate_all()
                zones = {"of_user": of_user, "of_request": of_request}
                with self.subTest(moment=moment, **zones), freeze_time(moment):
                    check(asked, day)


class TodayCase(ZonesMixin, DueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.partner_id.tz = False
        cls.contract.date_end = "2022-12-31"


class TestOneDay(TodayCase):
    """Today is the city's: the same for everybody, at each hour."""

    def test_of_companies(self):
        def check(company, day):
            self.assertEqual(company._grant_today(), day)
            self.assertEqual(company.browse()._grant_today(), day)

        for user in (self.reader, self.operator_user):
            self.in_each_zone(self.company, user, check)

    def test_another_legal_time(self):
        """A company overseas, beside one in Paris: each record has the day of its own."""
        away = self.env["res.company"].create({"name": "Nouméa"})
        away.partner_id.tz = "Pacific/Noumea"
        subsidy = self.make_subsidy()
        piece = self.make_deliverable(subsidy)
        piece.milestone_id.date = "2022-01-31"
        self.sign(subsidy)
        companies = self.company | away
        with freeze_time("2022-01-31 14:30:00"):
            self.assertEqual(self.company._grant_today(), datetime.date(2022, 1, 31))
            self.assertEqual(away._grant_today(), datetime.date(2022, 2, 1))
            for company in companies:
                today = self.env["res.company"]._get_grant_today_sql(SQL("%s", company.id))
                rows = self.env.execute_query(SQL("SELECT %s", today))
                self.assertEqual(rows, [(company._grant_today(),)])
            for is_late in (False, True):
                self.assertEqual(piece.is_late, is_late)
                self.assertEqual(piece in piece.search([("is_late", "=", True)]), is_late)
                self.assertEqual(piece in piece.search([("is_late", "=", False)]), not is_late)
                self.assertEqual(
                    piece.milestone_id in piece.milestone_id.search([("state", "=", "late")]),
                    is_late,
                )
                self.company.partner_id.tz, away.partner_id.tz = "Pacific/Noumea", False
                self.env.invalidate_all()

    def test_who_sets_it(self):
        """Who edits contacts does not end a delay half a day early."""
        contact = self.company.partner_id
        contacts = self.env["res.partner"]
        values = {"tz": "Pacific/Auckland"}
        for user in (self.coordinator, self.finance_officer, self.finance_manager):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                call_kw(contacts.with_user(user), "write", [contact.ids, values], {})
            contact.with_user(user).write({"tz": False, "comment": "Mairie"})
            self.operator.with_user(user).tz = "Europe/Paris"
            user.with_user(user).tz = "Pacific/Auckland"
        contact.with_user(self.env.ref("base.user_admin")).tz = "Indian/Reunion"
        self.assertEqual(contact.tz, "Indian/Reunion")

    def test_payments(self):
        """In the ledger: on the day of the city, and no day later."""
        subsidy = self.make_subsidy(envelope_id=self.direct_envelope.id)
        tranche = self.make_tranche(subsidy)
        self.sign(subsidy)
        tranche.with_user(self.coordinator).action_certify()

        def check(tranche, day):
            with self.assertRefused("after today"), self.env.cr.savepoint():
                tranche._do_pay(day + DAY)
            wizard = tranche.env["grant.disbursement.pay"].create({"disbursement_id": tranche.id})
            self.assertEqual(wizard.paid_date, day)
            wizard.action_confirm()
            self.assertEqual(tranche.paid_date, day)
            self.ask(tranche, "unpay", self.finance_manager)

        self.in_each_zone(tranche, self.finance_officer, check)

    def test_orders(self):
        subsidy = self.make_subsidy()
        tranche = self.make_tranche(subsidy)
        self.sign(subsidy)
        self.certify(tranche)

        def check(tranche, day):
            with self.assertRefused("future"):
                tranche._do_order("1", day + DAY)
            wizard = tranche.env["grant.disbursement.order"].create(
                {"disbursement_ids": tranche.ids, "order_number": "1"}
            )
            self.assertEqual(wizard.order_date, day)
            wizard.action_confirm()
            self.assertEqual(tranche.order_date, day)
            self.ask(tranche, "withdraw", self.finance_officer)

        self.in_each_zone(tranche, self.finance_officer, check)

    def test_closing(self):
        """What is given back at the closing has the date of the city."""
        subsidy = self.sign(self.make_subsidy(amount=100))

        def check(subsidy, day):
            subsidy._do_close("Terminé")
            self.assertEqual(subsidy.entry_ids.sorted("id")[-1].date, day)
            subsidy.action_reopen()
            self.assertEqual(subsidy.entry_ids.sorted("id")[-1].date, day)

        self.in_each_zone(subsidy, self.finance_manager, check)

    def test_amendments(self):
        subsidy = self.sign(self.make_subsidy(amount=100))
        amendment = self.env["grant.amendment"].browse(subsidy.action_amend()["res_id"])

        def check(amendment, day):
            amendment.sudo().signature_date = day
            self.assertNotIn("today at the latest", str(amendment._get_date_obstacles()))
            amendment.sudo().signature_date = day + DAY
            self.assertIn("today at the latest", str(amendment._get_date_obstacles()))

        self.in_each_zone(amendment, self.finance_manager, check)

    def test_executory(self):
        subsidy = self.make_subsidy()
        tranche = self.make_tranche(subsidy)
        self.sign(subsidy)

        def check(tranche, day):
            # As data from before dates in the future were refused may have it.
            self.set_dates(subsidy, executory_date=day + DAY)
            with self.assertRefused("executory"):
                tranche.action_check()
            subsidy.executory_date = day
            tranche.action_check()

        self.in_each_zone(tranche, self.coordinator, check)

    def test_letters(self):
        """The delay to answer begins on the day of the city."""
        subsidy = self.make_paid_subsidy()

        def check(recovery, day):
            recovery = self.make_recovery(subsidy, amount=1).with_env(recovery.env)
            recovery.action_write_letter()
            self.assertEqual(recovery.letter_date, day)
            with self.assertRefused("future"):
                recovery._do_notify(day + DAY)
            recovery._do_notify(day)
            self.assertEqual(recovery.answer_deadline, day + 15 * DAY)

        self.in_each_zone(self.env["grant.recovery"], self.finance_officer, check)

    def test_decisions(self):
        """The delay to answer ends with the day of the city."""
        recovery = self.make_recovery(self.make_paid_subsidy())
        with freeze_time("2022-01-16 12:00:00"):
            self.notify(recovery, datetime.date(2022, 1, 16))
        self.assertEqual(recovery.answer_deadline, datetime.date(2022, 1, 31))

        def check(recovery, day):
            is_over = day > datetime.date(2022, 1, 31)
            self.assertEqual(recovery.is_delay_over, is_over)
            found = recovery.search([("is_delay_over", "=", True)])
            self.assertEqual(recovery in found, is_over)
            if not is_over:
                with self.assertRefused("can answer until"):
                    recovery._do_decide("Fondé")
                return
            recovery._do_decide("Fondé")
            self.assertEqual(recovery.decided_date, day)
            recovery._transition(state="notified", decided_date=False)

        self.in_each_zone(recovery, self.finance_manager, check)

    def test_milestones(self):
        milestone = self.env["grant.milestone"].create(
            {"name": "Bilan", "subsidy_id": self.make_subsidy().id, "date": "2022-06-30"}
        )

        def check(milestone, day):
            milestone.action_reach()
            self.assertEqual(milestone.reached_date, day)
            milestone.action_unreach()

        self.in_each_zone(milestone, self.coordinator, check)

    def test_reports(self):
        """A financial report is accepted today when no date is given."""
        report = self.make_report(self.make_paid_subsidy(), exercise_end="2021-12-31")

        def check(report, day):
            report.action_accept()
            self.assertEqual(report.acceptance_date, day)
            self.ask(report, "reopen_report", self.finance_manager)

        self.in_each_zone(report, self.coordinator, check)

    def test_extracts(self):
        """A payment of today may be one; of tomorrow, it is none."""
        self.company.partner_id.write(
            {"country_id": self.env.ref("base.fr").id, "company_registry": CITY}
        )

        def check(imports, day):
            rows = [order_row(n, paid=f"{day + n * DAY:%d/%m/%Y}") for n in (0, 1)]
            today, tomorrow = imports._import("extrait.csv", make_csv([HEAD, *rows])).line_ids
            self.assertEqual((today.reason, tomorrow.reason), ("unknown_operator", "future"))

        self.in_each_zone(self.env["grant.treasury.import"], self.finance_officer, check)


class TestCostsOfToday(ZonesMixin, OwnCostCase):
    def test_own_costs(self):
        """A cost of today is paid; one of tomorrow is not yet."""
        self.company.partner_id.tz = False
        self.make_cost(date_start="2022-07-01", date_end="2022-12-31")
        for day in sorted({day + n * DAY for day in MOMENTS.values() for n in (0, 1)}):
            self.book(1.0, day)

        def check(costs, day):
            reasons = {cost.date: cost.reason for cost in costs.search([])}
            self.assertFalse(reasons[day])
            self.assertEqual(reasons[day + DAY], "future")
            unbalanced = self.env["grant.subsidy"]._get_unbalanced(self.envelope)
            ahead = self.env["grant.entry"].search_count(
                [("kind", "=", "payment"), ("contract_id", "=", self.contract.id),
                 ("date", ">", day)]
            )  # fmt: skip
            self.assertEqual(len(unbalanced), ahead)

        self.in_each_zone(self.env["grant.own.cost"], self.finance_officer, check)


class TestDueToday(TodayCase):
    """What is due today is not late yet; tomorrow it is. In every place that says so."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy(convention_reference="CONV-42")
        cls.piece = cls.make_deliverable(cls.subsidy)
        cls.milestone = cls.piece.milestone_id
        cls.milestone.date = TODAY
        cls.tranche = cls.make_tranche(cls.subsidy, due_date=TODAY)
        cls.sign(cls.subsidy)
        cls.other_tranche = cls.make_tranche(cls.make_subsidy(amount=2000))
        cls.company.grant_late_interest_rate = 36.5
        cls.funding = cls.env["grant.funding"].create(
            {
                "name": "Acompte", "envelope_id": cls.envelope.id, "amount": 75000,
                "due_date": TODAY,
            }
        )  # fmt: skip
        cls.late_records = {
            "is_late": (cls.piece, cls.tranche, cls.subsidy, cls.funding),
            "is_overdue": (cls.tranche,),
        }

    def each_day(self):
        """Yields whether it is late, on the day itself and on the next."""
        for day, is_late in ((TODAY, False), (TODAY + DAY, True)):
            self.env.invalidate_all()
            # First and last minute of that day in Paris.
            for moment in (
                datetime.datetime.combine(day - DAY, datetime.time(23, 1)),
                datetime.datetime.combine(day, datetime.time(22, 59)),
            ):
                yield moment, is_late

    def test_fields_and_searches(self):
        self.assertEqual(self.tranche.payment_deadline, TODAY)
        for moment, is_late in self.each_day():
            with freeze_time(moment):
                for name, records in self.late_records.items():
                    for record in records:
                        with self.subTest(moment=moment, model=record._name, field=name):
                            self.assertEqual(record[name], is_late)
                            for value in (True, False):
                                found = record.search([(name, "=", value)])
                                self.assertEqual(record in found, is_late == value)
                with self.subTest(moment=moment, model="grant.milestone"):
                    self.assertEqual(self.milestone.state, "late" if is_late else "due")
                    for state in ("upcoming", "due", "late", "reached"):
                        found = self.milestone.search([("state", "=", state)])
                        self.assertEqual(self.milestone in found, state == self.milestone.state)
                with self.subTest(moment=moment, what="interest"):
                    self.assertEqual(self.tranche.days_left, -1 if is_late else 0)
                    self.assertEqual(self.tranche.late_interest, 1.0 if is_late else 0.0)
                with self.subTest(moment=moment, what="debts"):
                    self.assertEqual("Bilan" in (self.operator.grant_debts or ""), is_late)
                    self.assertEqual("Bilan" in (self.other_tranche.operator_debts or ""), is_late)
            self.env.invalidate_all()

    def test_upcoming(self):
        """A milestone is due 30 days before its date, and upcoming the day before."""
        for days, state in ((31, "upcoming"), (30, "due")):
            self.env.invalidate_all()
            with freeze_time(f"{TODAY - days * DAY} 12:00"):
                self.assertEqual(self.milestone.state, state)
                for other in ("upcoming", "due", "late"):
                    found = self.milestone.search([("state", "=", other)])
                    self.assertEqual(self.milestone in found, other == state)

    def test_filters_and_menus(self):
        """What the lists and the menus offer as late says the same."""
        recovery = self.make_recovery(self.make_paid_subsidy())
        with freeze_time(f"{TODAY - 15 * DAY} 12:00"):
            self.notify(recovery, TODAY - 15 * DAY)
        self.assertEqual(recovery.answer_deadline, TODAY)
        filters = [
            (self.piece, "late"), (self.tranche, "late"), (self.tranche, "overdue"),
            (self.subsidy, "late"), (self.milestone, "late"), (self.funding, "late"),
            (recovery, "delay_over"),
        ]  # fmt: skip
        domains = [
            (record, self.env["ir.actions.act_window"]._for_xml_id(f"ctai_grants.{name}")["domain"])
            for record, name in (
                (self.piece, "grant_deliverable_action_late"),
                (recovery, "grant_recovery_action_decide"),
            )
        ]
        for record, name in filters:
            arch = self.env["ir.ui.view"].browse(
                record.get_views([(False, "search")])["views"]["search"]["id"]
            )._get_combined_arch()
            [node] = arch.xpath(f"//filter[@name='{name}']")
            domains.append((record, node.get("domain")))
        for moment, is_late in self.each_day():
            with freeze_time(moment):
                for record, domain in domains:
                    with self.subTest(moment=moment, model=record._name, domain=domain):
                        found = record.with_user(self.reader).search(safe_eval(domain))
                        self.assertEqual(record in found.with_env(record.env), is_late)
            self.env.invalidate_all()

    def test_what_is_settled_is_not_late(self):
        self.ask(self.piece, "waive", self.coordinator)
        self.pay(self.tranche)
        with freeze_time(f"{TODAY + 10 * DAY} 12:00"):
            self.assertEqual(self.milestone.state, "reached")
            for name, records in self.late_records.items():
                for record in records[:-1] or records:
                    with self.subTest(model=record._name, field=name):
                        self.assertFalse(record[name])
                        self.assertNotIn(record, record.search([(name, "=", True)]))

    def test_the_night(self):
        """A decision that becomes executory today makes ready, in the night that begins the day."""
        self.subsidy.executory_date = TODAY
        for hour, state in (("22:59", "planned"), ("23:01", "ready")):
            with freeze_time(f"{TODAY - DAY} {hour}"), self.subTest(hour=hour):
                self.env["grant.disbursement"]._cron_refresh_readiness()
                self.assertEqual(self.tranche.state, state)


@tagged("post_install", "-at_install")
class TestDueTodayPages(PortalCase):
    def test_pages(self):
        """The operator reads that a piece is late from the day after, and not on the day."""
        self.company.partner_id.tz = False
        self.operator_user.tz = "Pacific/Auckland"
        self.piece.milestone_id.date = TODAY
        for moment, is_late in (
            (f"{TODAY} 11:30:00", False),
            (f"{TODAY} 22:30:00", False),
            (f"{TODAY} 23:30:00", True),
        ):
            with self.subTest(moment=moment), freeze_time(moment):
                self.login(self.operator_user)
                for path in ("/my/subsidies", f"/my/subsidies/{self.mine.id}"):
                    page = self.page(path)
                    badges = page.xpath("//*[contains(@class, 'text-bg-danger')]")
                    self.assertEqual([badge.text for badge in badges], ["Late"] * is_late)
                alerts = page.xpath("//*[contains(@class, 'alert-danger')]")
                self.assertEqual(len(alerts), is_late)
                pieces = self.make_jsonrpc_request(
                    "/web/dataset/call_kw",
                    {
                        "model": "grant.deliverable", "method": "search_read",
                        "args": [[["is_late", "=", True]], ["name", "is_late"]], "kwargs": {},
                    },
                )  # fmt: skip
                self.assertEqual([piece["is_late"] for piece in pieces], [True] * is_late)
