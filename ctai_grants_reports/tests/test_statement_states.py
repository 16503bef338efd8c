import datetime
from types import SimpleNamespace

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.ctai_grants.tests.common import PDF

from .common import OPERATORS, PIECES, TRANCHES, StatementCase, day


class StatesCase(StatementCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.partner_id.tz = "Europe/Paris"
        cls.subsidy = cls.make_subsidy(code="S-CITY", amount=10000)
        cls.tranche = cls.make_tranche(cls.subsidy, name="Avance", amount=4000)
        cls.sign(cls.subsidy)

    def certify(self, tranche=None):
        (tranche or self.tranche).with_user(self.coordinator).action_certify()

    def order_on(self, date, number="M-1", tranche=None):
        """Order on a day, dated of that day."""
        tranche = (tranche or self.tranche).with_user(self.finance_officer)
        self.on(date, tranche._do_order, number, day(date))

    def pay_on(self, date, amount=None, tranche=None):
        tranche = (tranche or self.tranche).with_user(self.finance_officer)
        if amount:
            self.on(date, tranche._register_payment, day(date), amount, "P")
        else:
            self.on(date, tranche._do_pay, day(date), "P")


@tagged("post_install", "-at_install")
class TestTranches(StatesCase):
    """What a tranche is said to be as at each date."""

    def test_each_step_on_its_day(self):
        self.on("2021-11-18", self.certify)
        self.order_on("2021-11-20")
        self.pay_on("2021-11-25")
        self.assertEqual(
            self.tell_tranche(
                "Avance", "2021-11-17", "2021-11-18", "2021-11-19", "2021-11-20", "2021-11-24",
                "2021-11-25", "2022-06-30",
            ),
            ["Planned", "Certified", "Certified", "Ordered", "Ordered", "Paid Out", "Paid Out"],
        )  # fmt: skip

    def test_part_paid_is_ordered(self):
        self.order(self.tranche, "M-1")
        self.pay_on("2021-11-25", 1500.01)
        self.pay_on("2021-12-10", 2498.98)
        self.pay_on("2022-01-14", 0.01)
        self.pay_on("2022-01-15", 1.00)
        for date, state, paid in (
            ("2021-11-19", "Planned", 0),
            ("2021-11-20", "Ordered", 0),
            ("2021-11-25", "Ordered", 1500.01),
            ("2021-12-09", "Ordered", 1500.01),
            ("2021-12-10", "Ordered", 3998.99),
            ("2022-01-14", "Ordered", 3999.00),
            ("2022-01-15", "Paid Out", 4000.00),
        ):
            row = self.get_tranche("Avance", day(date))
            with self.subTest(date=date):
                self.assertEqual((row["State"], row["Paid"]), (state, paid))
                self.assertEqual(row["Paid on"] is None, not paid)

    def test_paid_before_and_recorded_later(self):
        """The treasury's extract comes weeks later, with the dates of the payments."""
        self.order(self.tranche, "M-1")
        tranche = self.tranche.with_user(self.finance_officer)
        self.on("2022-03-01", tranche._register_payment, day("2021-12-03"), 4000, "P")
        self.assertEqual(
            self.tell_tranche("Avance", "2021-12-02", "2021-12-03", "2022-02-28"),
            ["Ordered", "Paid Out", "Paid Out"],
        )

    def test_an_order_that_was_taken_back(self):
        self.on("2021-11-18", self.certify)
        self.order_on("2021-11-20")
        self.on("2021-11-24", self.ask, self.tranche, "withdraw", self.finance_officer)
        self.assertEqual(
            self.tell_tranche("Avance", "2021-11-18", "2021-11-20", "2021-11-23", "2021-11-24"),
            ["Certified", "Ordered", "Ordered", "Certified"],
        )
        self.order_on("2021-11-30", "M-2")
        self.assertEqual(
            self.tell_tranche("Avance", "2021-11-23", "2021-11-29", "2021-11-30"),
            ["Ordered", "Certified", "Ordered"],
        )
        row = self.get_tranche("Avance", day("2021-11-30"))
        self.assertEqual(row["Order no."], "M-2")
        self.assertEqual(row["Ordered on"], datetime.datetime(2021, 11, 30))

    def test_an_order_that_the_treasury_rejects(self):
        self.on("2021-11-18", self.certify)
        self.order_on("2021-11-20")
        answer = SimpleNamespace(state="rejected", reason="RIB clos")
        tranche = self.tranche.with_user(self.finance_officer)
        self.on("2021-11-22", tranche._take_answer, answer, day("2021-11-22"))
        self.assertEqual(
            self.tell_tranche("Avance", "2021-11-21", "2021-11-22", "2021-12-31"), ["Ordered"] * 3
        )
        self.on("2021-12-01", self.ask, self.tranche, "withdraw", self.finance_officer)
        self.assertEqual(
            self.tell_tranche("Avance", "2021-11-30", "2021-12-01"), ["Ordered", "Certified"]
        )

    def test_an_order_dated_before_it_was_entered(self):
        self.on("2021-11-18", self.certify)
        tranche = self.tranche.with_user(self.finance_officer)
        self.on("2021-12-20", tranche._do_order, "M-1", day("2021-12-01"))
        self.assertEqual(
            self.tell_tranche("Avance", "2021-11-30", "2021-12-01"), ["Certified", "Ordered"]
        )

    def test_returned_cancelled_and_planned_again(self):
        self.on("2021-11-18", self.certify)
        self.on("2021-11-19", self.ask, self.tranche, "return", self.coordinator)
        self.on("2021-11-20", self.ask, self.tranche, "cancel", self.finance_manager)
        replan = self.tranche.with_user(self.finance_manager).action_replan
        self.on("2021-11-22", replan)
        self.assertEqual(
            self.tell_tranche(
                "Avance", "2021-11-17", "2021-11-18", "2021-11-19", "2021-11-20", "2021-11-21",
                "2021-11-22",
            ),
            ["Planned", "Certified", "Planned", "Cancelled", "Cancelled", "Planned"],
        )  # fmt: skip

    def test_a_payment_cancelled_and_made_again(self):
        """The ledger corrects a payment at its own date: on no day was it paid, since."""
        self.on("2021-11-18", self.certify)
        self.order_on("2021-11-20")
        self.pay_on("2021-11-25")
        self.assertEqual(self.tell_tranche("Avance", "2021-11-26"), ["Paid Out"])
        self.on("2021-11-28", self.ask, self.tranche, "unpay", self.finance_manager)
        self.pay_on("2021-12-05")
        for date, state, paid in (
            ("2021-11-26", "Ordered", 0),
            ("2021-12-04", "Ordered", 0),
            ("2021-12-05", "Paid Out", 4000),
        ):
            row = self.get_tranche("Avance", day(date))
            self.assertEqual((row["State"], row["Paid"]), (state, paid), date)

    def test_paid_by_the_state(self):
        direct = self.make_subsidy(
            code="S-STATE", envelope_id=self.direct_envelope.id, partner_id=self.other_operator.id
        )
        tranche = self.make_tranche(direct, name="Versement", amount=5000)
        self.sign(direct)
        self.on("2021-11-18", self.certify, tranche)
        self.pay_on("2021-11-25", tranche=tranche)
        self.assertEqual(
            self.tell_tranche("Versement", "2021-11-17", "2021-11-24", "2021-11-25"),
            ["Planned", "Certified", "Paid Out"],
        )
        self.on("2021-12-01", self.ask, tranche, "unpay", self.finance_manager)
        self.assertEqual(
            self.tell_tranche("Versement", "2021-11-24", "2021-11-25", "2021-12-01"),
            ["Certified"] * 3,
        )

    def test_settled_by_something_else_than_money(self):
        """Once the order is settled nothing is left to pay, and what was paid is what was paid."""
        self.order(self.tranche, "M-1")
        self.pay_on("2021-11-25", 3000)
        self.on("2021-12-10", self.tranche._decide, "paid")
        row = self.get_tranche("Avance", day("2021-12-10"))
        self.assertEqual((row["State"], row["Paid"]), ("Paid Out", 3000))
        self.assertEqual(self.tell_tranche("Avance", "2021-12-09"), ["Ordered"])

    def test_closing_cancels_what_is_planned(self):
        self.make_tranche(self.subsidy, name="Solde", amount=2000)
        close = self.subsidy.with_user(self.finance_manager)._do_close
        self.on("2022-02-01", close, "Terminé")
        self.assertEqual(
            self.tell_tranche("Solde", "2022-01-31", "2022-02-01"), ["Planned", "Cancelled"]
        )


@tagged("post_install", "-at_install")
class TestSubsidies(StatesCase):
    """What a subsidy is said to be as at each date."""

    def test_granted_signed_closed_reopened(self):
        """The dates of the council and of the convention count, those of the buttons do not."""
        manager = self.subsidy.with_user(self.finance_manager)
        self.on("2022-02-01", manager._do_close, "Terminé")
        self.on("2022-02-10", manager.action_reopen)
        self.assertEqual(
            self.tell_subsidy(
                "S-CITY", "2021-09-26", "2021-09-27", "2021-10-24", "2021-10-25", "2022-01-31",
                "2022-02-01", "2022-02-09", "2022-02-10",
            ),
            [None, "Granted", "Granted", "Signed", "Signed", "Closed Out", "Closed Out", "Signed"],
        )  # fmt: skip

    def test_a_closed_one_stays_closed(self):
        """What is decided afterwards on its report or its recoveries is not decided on it."""
        self.order(self.tranche, "M-1")
        self.pay_on("2021-11-25")
        report = self.env["grant.financial.report"].create({
            "subsidy_id": self.subsidy.id, "exercise_start": "2021-10-25",
            "exercise_end": "2022-06-30",
        })  # fmt: skip
        self.on("2022-02-01", self.subsidy.with_user(self.finance_manager)._do_close, "Terminé")
        recovery = self.env["grant.recovery"]
        for date, decision, details in (
            ("2022-02-03", "accepted", {"report_id": report.id}),
            ("2022-02-04", "unpaid", {"recovery_id": self._make_recovery().id}),
        ):
            self.on(
                date, recovery.env["grant.decision"]._record, decision, self.subsidy, **details
            )
        self.assertEqual(
            self.tell_subsidy("S-CITY", "2022-01-31", "2022-02-01", "2022-02-03", "2022-02-04"),
            ["Signed", "Closed Out", "Closed Out", "Closed Out"],
        )

    def _make_recovery(self):
        self.env.flush_all()
        self.env.cr.execute(
            """INSERT INTO grant_recovery (name, subsidy_id, company_id, reason, amount, state,
                                           collected_amount)
               VALUES ('R-1', %s, %s, 'unused', 1, 'waived', 0) RETURNING id""",
            [self.subsidy.id, self.company.id],
        )
        return self.env["grant.recovery"].browse(self.env.cr.fetchone())

    def test_cancelled_after_the_grant(self):
        granted = self.make_subsidy(code="S-GONE", amount=500, signature_date=False)
        self.on("2021-10-10", granted.with_user(self.coordinator).action_grant)
        self.on("2021-11-10", self.ask, granted, "cancel", self.coordinator)
        self.assertEqual(
            self.tell_subsidy("S-GONE", "2021-09-26", "2021-11-09", "2021-11-10"),
            [None, "Granted", None],
        )

    def test_cancelled_after_the_signature(self):
        gone = self.make_subsidy(code="S-GONE", amount=500)
        self.on("2021-10-25", self.sign, gone)
        self.on("2021-11-10", self.ask, gone, "cancel", self.coordinator)
        self.assertEqual(
            self.tell_subsidy("S-GONE", "2021-10-24", "2021-10-25", "2021-11-09", "2021-11-10"),
            ["Granted", "Signed", "Signed", None],
        )

    def test_a_grant_entered_by_mistake(self):
        """Put back to draft, the council's date counts no more; the days it stood do."""
        wrong = self.make_subsidy(code="S-WRONG", amount=500, decision_date="2021-10-02")
        self.on("2021-11-10", wrong.with_user(self.coordinator).action_grant)
        self.assertEqual(self.tell_subsidy("S-WRONG", "2021-10-02"), ["Granted"])
        self.on("2021-11-12", wrong.with_user(self.coordinator).action_reset_to_draft)
        self.assertEqual(
            self.tell_subsidy("S-WRONG", "2021-10-02", "2021-11-09", "2021-11-11", "2021-11-12"),
            [None, None, "Granted", None],
        )

    def test_all_released_and_still_signed(self):
        """Nothing is due: nothing is committed any more, and the convention still holds."""
        subsidy = self.make_subsidy(code="S-NIL", due_rule="pro_rata", amount=900)
        self.sign(subsidy)
        report = self.env["grant.financial.report"].with_user(self.both_roles).create({
            "subsidy_id": subsidy.id, "exercise_start": "2021-10-25",
            "exercise_end": "2021-12-31", "budget_amount": 1000, "actual_amount": 0,
            "eligible_amount": 0, "acceptance_date": "2022-01-10",
            "version_id": self.make_report_file(subsidy).id,
        })  # fmt: skip
        self.on("2022-01-10", report.with_user(self.coordinator).action_accept)
        self.assertFalse(subsidy.committed_amount)
        other = self.make_subsidy(code="S-RUN", amount=100)
        self.sign(other)
        self.assertEqual(self.tell_subsidy("S-NIL", "2022-01-09", "2022-01-10"), ["Signed"] * 2)

    def test_midnight_is_that_of_the_city(self):
        """23:30 in Greenwich: in Paris the next year has begun, in Martinique it has not."""
        granted = self.make_subsidy(
            code="S-NIGHT", kind="own_cost", partner_id=self.company.partner_id.id, amount=500,
            decision_date=False,
        )  # fmt: skip
        with self.frozen("2021-12-31 23:30:00"):
            granted.with_user(self.coordinator).action_grant()
        self.assertEqual(self.tell_subsidy("S-NIGHT", "2021-12-31", "2022-01-01")[0], None)
        self.company.partner_id.tz = "America/Martinique"
        self.assertEqual(self.tell_subsidy("S-NIGHT", "2021-12-30", "2021-12-31")[1], "Granted")

    def test_signed_by_the_ledger_alone(self):
        """Brought in by SQL, as from another program: what is committed was signed."""
        subsidy = self.make_subsidy(code="S-SQL", amount=700)
        self.env.flush_all()
        self.env.cr.execute(
            """INSERT INTO grant_entry (envelope_id, subsidy_id, date, kind, amount, origin_model,
                                        origin_id, user_id)
               VALUES (%s, %s, '2021-11-02', 'commitment', 700, 'grant.subsidy', %s, 1)""",
            [self.envelope.id, subsidy.id, subsidy.id],
        )
        self.env.invalidate_all()
        self.assertEqual(
            self.tell_subsidy("S-SQL", "2021-11-01", "2021-11-02"), [None, "Signed"]
        )

    def test_decisions_that_make_no_sense(self):
        """Refused, naming the document: no state is made up."""
        for decision in ("signed", "reopened"):
            self.env["grant.decision"]._record(decision, self.subsidy)
        with self.assertRaisesRegex(UserError, "S-CITY.*cannot have followed each other"):
            self.make()


@tagged("post_install", "-at_install")
class TestPieces(StatesCase):
    """What a piece is said to be as at each date."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.piece = cls.make_deliverable(cls.subsidy, name="Bilan")

    def hand_in(self, name, content=PDF):
        return self.piece.with_user(self.operator_user)._do_submit(name, content)

    def tell_versions(self, date):
        column = f"State as at {day(date):%d/%m/%Y}"
        return [row[column] for row in self.get_pieces("Bilan", day(date))]

    def test_each_version_has_its_state(self):
        self.on("2021-11-02", self.hand_in, "un.pdf")
        self.on("2021-11-04", self.ask, self.piece, "send_back", self.coordinator)
        self.on("2021-11-06", self.hand_in, "deux.pdf")
        self.on("2021-11-08", self.piece.with_user(self.coordinator).action_accept)
        self.on("2021-11-10", self.ask, self.piece, "reopen", self.coordinator)
        later = "Handed in later"
        for date, states in (
            ("2021-11-01", [later, later]),
            ("2021-11-02", ["Submitted", later]),
            ("2021-11-04", ["To Complete", later]),
            ("2021-11-06", ["To Complete", "Submitted"]),
            ("2021-11-08", ["To Complete", "Accepted"]),
            ("2021-11-10", ["To Complete", "To Complete"]),
        ):
            self.assertEqual(self.tell_versions(date), states, date)
        rows = self.get_pieces("Bilan", day("2021-11-06"))
        self.assertEqual([row["File"] for row in rows], ["un.pdf", "deux.pdf"])
        self.assertEqual([row["Last decision"] for row in rows], ["To Complete", "To Complete"])
        self.assertEqual(
            [row["Decided on"].date() for row in rows], [day("2021-11-04"), day("2021-11-10")]
        )

    def test_done_without(self):
        self.on("2021-11-04", self.ask, self.piece, "waive", self.coordinator)
        self.assertEqual(self.tell_versions("2021-11-03"), ["Expected"])
        self.assertEqual(self.tell_versions("2021-11-04"), ["Waived"])
        self.on("2021-11-05", self.ask, self.piece, "reopen", self.coordinator)
        self.assertEqual(self.tell_versions("2021-11-05"), ["To Complete"])

    def test_a_tranche_is_paid_without_it(self):
        """The condition is overridden, which says nothing of the piece: it is still expected."""
        other = self.make_subsidy(code="S-2")
        piece = self.make_deliverable(other, name="Convention")
        tranche = self.make_tranche(other, deliverable_ids=piece.ids)
        self.sign(other)
        self.on("2021-11-05", self.override, tranche, "deliverable")
        row = self.get_pieces("Convention")[0]
        self.assertEqual(row["State as at 31/12/2021"], "Expected")
        self.assertEqual(row["Last decision"], "Condition Overridden")
        self.assertEqual(row["Decided on"].date(), day("2021-11-05"))


@tagged("post_install", "-at_install")
class TestOnceSaid(StatesCase):
    """What a statement said of its day, evening by evening, it still says a year later."""

    def test_every_evening(self):
        piece = self.make_deliverable(self.subsidy, name="Bilan")
        balance = self.make_tranche(self.subsidy, name="Solde", amount=2000.05)
        steps = [
            self.certify,
            lambda: self.order_today(self.tranche, "M-1"),
            lambda: self.ask(self.tranche, "withdraw", self.finance_officer),
            lambda: self.order_today(self.tranche, "M-2"),
            lambda: piece.with_user(self.operator_user)._do_submit("a.pdf", PDF),
            lambda: self.pay_today(self.tranche, 999.99),
            lambda: self.ask(piece, "send_back", self.coordinator),
            lambda: piece.with_user(self.operator_user)._do_submit("b.pdf", PDF),
            lambda: self.pay_today(self.tranche, 3000.01),
            lambda: piece.with_user(self.coordinator).action_accept(),
            lambda: self.ask(balance, "cancel", self.finance_manager),
            lambda: balance.with_user(self.finance_manager).action_replan(),
            lambda: self.certify(balance),
            lambda: self.order_today(balance, "M-3"),
            lambda: self.pay_today(balance, 2000.05),
            lambda: self.ask(self.subsidy, "close", self.finance_manager),
            lambda: self.subsidy.with_user(self.finance_manager).action_reopen(),
        ]
        said = {}
        for number, step in enumerate(steps):
            date = day("2021-11-02") + datetime.timedelta(days=number)
            self.on(date, step)
            said[date] = self.on(date, self.read_lists, date)
        for date, rows in said.items():
            self.assertEqual(self.read_lists(date), rows, date)
        evenings = list(said.values())
        for number, (before, after) in enumerate(zip(evenings, evenings[1:], strict=False), 1):
            self.assertNotEqual(before, after, f"step {number} shows")

    def order_today(self, tranche, number):
        tranche.with_user(self.finance_officer)._do_order(number, datetime.date.today())

    def pay_today(self, tranche, amount):
        today = datetime.date.today()
        tranche.with_user(self.finance_officer)._register_payment(today, amount, "P")

    def read_lists(self, date):
        """Rows of the documents as at a date, but for what is said not to be as at that date:
        what was handed in, decided and ordered since."""
        self.env.invalidate_all()
        book = self.open(date)
        operators, tranches, pieces = (
            self.get_rows(book, number) for number in (OPERATORS, TRANCHES, PIECES)
        )
        state = f"State as at {date:%d/%m/%Y}"
        order, later = ("Order no.", "Ordered on", "Batch no."), ("Handed in later", "Expected")
        return (
            operators,
            [{key: row[key] for key in row if key not in order} for row in tranches],
            [(row["File"], row[state]) for row in pieces if row[state] not in later],
        )
