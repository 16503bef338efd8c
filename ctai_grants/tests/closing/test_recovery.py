import datetime
import io
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import Form, HttpCase, freeze_time, tagged
from odoo.tools import SQL, mute_logger
from odoo.tools.pdf import PdfFileReader

from ...lib.guard import typeset
from ..common import IBANS
from .test_due import DueCase

DAY = datetime.timedelta(days=1)


class RecoveryCase(DueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy()
        cls.tranche = cls.make_tranche(cls.subsidy, amount=8000)
        cls.sign(cls.subsidy)
        cls.pay(cls.tranche)

    def try_decide(self, recovery, user=None, **values):
        recovery.with_user(user or self.finance_manager)._do_decide("Fondé", **values)


class TestDueProcess(RecoveryCase):
    def test_from_identified_to_collected(self):
        """Each step is dated, by whom; the ledger only knows the money."""
        recovery = self.make_recovery(self.subsidy)
        self.assertRegex(recovery.name, r"^R\d{4}-\d+$")
        self.notify(recovery)
        self.assertIn("L'atelier n'a pas eu lieu.", recovery.letter)
        self.assertIn("1,000.00", recovery.letter)
        self.assertEqual(recovery.answer_deadline, datetime.date.today() + 15 * DAY)
        self.ask(recovery, "observe", self.coordinator, "L'atelier a été reporté.")
        self.ask(recovery, "observe", self.finance_officer, "Pièce jointe.")
        self.assertEqual(recovery.observations, "L'atelier a été reporté.\n\nPièce jointe.")
        decided = datetime.date.today() + 16 * DAY
        with freeze_time(decided):
            self.try_decide(recovery, amount=600)
        self.assertEqual((recovery.amount, recovery.notified_amount), (600, 1000))
        with freeze_time(decided + 30 * DAY):
            recovery.with_user(self.finance_officer)._do_claim(decided)
            self.assertFalse(self.subsidy.recovered_amount)
            recovery.with_user(self.finance_officer)._do_collect(decided + 20 * DAY, "VIR-7")
        self.assertEqual(self.subsidy.recovered_amount, 600)
        entry = self.subsidy.entry_ids.filtered(lambda entry: entry.kind == "recovery")
        self.assertEqual((entry.amount, entry.date), (600, decided + 20 * DAY))
        decisions = recovery.decision_ids.sorted("id")
        self.assertEqual(
            decisions.mapped("decision"),
            ["identified", "notified", "observed", "observed", "decided", "claimed", "collected"],
        )
        self.assertEqual(
            [decision.user_id.login for decision in decisions],
            [
                "test_coordinator", "test_finance_officer", "test_coordinator",
                "test_finance_officer", "test_finance_manager", "test_finance_officer",
                "test_finance_officer",
            ],
        )  # fmt: skip
        self.assertFalse(self.verify())

    def test_uncollect(self):
        recovery = self.collect(self.decide(self.make_recovery(self.subsidy)))
        with self.assertRaises(AccessError):
            self.ask(recovery, "uncollect", self.finance_officer)
        self.ask(recovery, "uncollect", self.finance_manager)
        self.assertEqual((recovery.state, recovery.residual_amount), ("claimed", 1000))
        self.assertEqual(self.subsidy.recovered_amount, 0)
        self.assertFalse(self.verify())

    def test_each_step_in_its_turn(self):
        recovery = self.make_recovery(self.subsidy)
        today = datetime.date.today()

        def steps(document):
            officer, manager = self.finance_officer, self.finance_manager
            return {
                "notify": lambda: document.with_user(officer)._do_notify(today),
                "observe": lambda: self.ask(document, "observe", officer),
                "decide": lambda: self.try_decide(document, manager),
                "claim": lambda: document.with_user(officer)._do_claim(datetime.date.today()),
                "collect": lambda: document.with_user(officer)._do_collect(datetime.date.today()),
                "waive": lambda: self.ask(document, "waive_recovery", manager),
            }

        allowed = {
            "identified": {"notify", "waive"},
            "notified": {"observe", "decide", "waive"},
            "decided": {"claim", "waive"},
            "claimed": {"collect"},
            "collected": set(),
            "waived": set(),
        }
        with self.assertRefused("letter"):
            steps(recovery)["notify"]()
        recovery.action_write_letter()
        path = ["notify", "decide", "claim", "collect"]
        for state, step in zip(list(allowed)[:5], [*path, None], strict=True):
            self.assertEqual(recovery.state, state)
            for name, call in steps(recovery).items():
                if name not in allowed[state]:
                    with self.subTest(state=state, step=name), self.assertRaises(UserError):
                        call()
            if step:
                with freeze_time(today + (0 if step == "notify" else 20) * DAY):
                    steps(recovery)[step]()
        waived = self.make_recovery(self.subsidy)
        self.ask(waived, "waive_recovery", self.finance_manager)
        for name, call in steps(waived).items():
            with self.subTest(state="waived", step=name), self.assertRaises(UserError):
                call()

    def test_who(self):
        today = datetime.date.today()
        with self.assertRaises(AccessError):
            self.make_recovery(self.subsidy, self.reader)
        recovery = self.make_recovery(self.subsidy, self.finance_officer)
        recovery.with_user(self.finance_officer).action_write_letter()
        for user in (self.reader, self.coordinator):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                recovery.with_user(user)._do_notify(today)
        self.notify(recovery)
        with freeze_time(today + 16 * DAY):
            for user in (self.reader, self.coordinator, self.finance_officer):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    self.try_decide(recovery, user)
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    self.ask(recovery, "waive_recovery", user)
        with self.assertRaises(AccessError):
            self.ask(recovery, "observe", self.reader)
        with self.assertRaises(AccessError):
            self.ask(recovery, "observe", self.operator_user)

    # ------------------------------------------------------------------
    # The delay to answer cannot be skipped
    # ------------------------------------------------------------------

    def test_the_last_day(self):
        recovery = self.notify(self.make_recovery(self.subsidy))
        for days in (0, 1, 14, 15):
            with self.subTest(days=days), freeze_time(datetime.date.today() + days * DAY):
                for user in (self.finance_manager, self.administrator):
                    with self.assertRefused("can answer until"):
                        self.try_decide(recovery, user)
        with freeze_time(datetime.date.today() + 16 * DAY):
            self.try_decide(recovery)
        self.assertEqual(recovery.state, "decided")

    def test_a_letter_of_last_month(self):
        """A date typed in does not shorten the delay; a date to come is refused."""
        recovery = self.make_recovery(self.subsidy)
        recovery.action_write_letter()
        with self.assertRefused("future"):
            self.notify(recovery, datetime.date.today() + DAY)
        with self.assertRefused("before its date"):
            recovery.with_user(self.finance_officer)._do_notify(datetime.date.today() - 40 * DAY)
        recovery.letter_date = datetime.date.today() - 50 * DAY
        recovery.with_user(self.finance_officer)._do_notify(datetime.date.today() - 40 * DAY)
        self.assertEqual(recovery.answer_deadline, datetime.date.today() + 15 * DAY)
        with self.assertRefused("can answer until"):
            self.try_decide(recovery)

    def test_a_time_zone(self):
        """The request's time zone does not make it tomorrow."""
        with freeze_time("2026-06-01 23:00:00"):
            recovery = self.notify(self.make_recovery(self.subsidy), datetime.date(2026, 6, 1))
        self.assertEqual(recovery.answer_deadline, datetime.date(2026, 6, 16))
        with freeze_time("2026-06-16 23:30:00"), self.assertRefused("can answer until"):
            self.try_decide(recovery.with_context(tz="Pacific/Kiritimati"))

    def test_a_delay_ends_on_a_working_day(self):
        """15 days from 1 April 2022 end on the Saturday before Easter: on Tuesday."""
        self.company.grant_working_day_deadlines = True
        for zip_code, day, end in (
            ("86000", "2022-04-01", "2022-04-19"),
            ("86000", "2022-03-31", "2022-04-15"),
            # Good Friday, in Alsace.
            ("67000", "2022-03-31", "2022-04-19"),
            ("86000", "2021-12-10", "2021-12-27"),
            ("86000", "2022-04-04", "2022-04-19"),
            # The abolition of slavery: in Martinique, at Saint-Martin, in La Réunion.
            ("97200", "2025-05-07", "2025-05-23"),
            ("97150", "2025-05-13", "2025-05-30"),
            ("97400", "2022-12-05", "2022-12-21"),
            ("86000", "2022-12-05", "2022-12-20"),
        ):
            self.company.zip = zip_code
            with self.subTest(zip_code=zip_code, day=day), freeze_time(f"{day} 12:00:00"):
                recovery = self.notify(self.make_recovery(self.subsidy, amount=1))
                self.assertEqual(recovery.answer_deadline.isoformat(), end)

    def test_a_setting_changed_meanwhile(self):
        recovery = self.notify(self.make_recovery(self.subsidy))
        self.company.grant_contradictory_days = 1
        with freeze_time(datetime.date.today() + 3 * DAY):
            with self.assertRefused("can answer until"):
                self.try_decide(recovery)
        for days in (0, -15, 1000):
            with self.subTest(days=days), mute_logger("odoo.sql_db"):
                with self.assertRaises(psycopg2.IntegrityError), self.env.cr.savepoint():
                    self.company.grant_contradictory_days = days
                    self.env.flush_all()

    def test_by_rpc(self):
        """No field of the process is typed in, by anybody, in any way."""
        recovery = self.notify(self.make_recovery(self.subsidy))
        model = self.env["grant.recovery"].with_user(self.administrator)
        for values in (
            {"state": "decided"},
            {"answer_deadline": "2020-01-01"},
            {"notified_date": "2020-01-01"},
            {"decided_date": "2020-01-01"},
            {"notified_amount": 9000},
            {"collected_amount": 1},
            {"observations": "Rien à dire"},
            {"report_id": 1},
            {"name": "R-1"},
            {"partner_id": self.other_operator.id},
        ):
            for context in ({}, {"grant_transition": True}, {"grant_transition": "object"}):
                with self.subTest(values=values), self.assertRaises(AccessError):
                    call_kw(model, "write", [recovery.ids, values], {"context": context})
            if "partner_id" in values:
                continue
            with self.subTest(created=values), self.assertRaises(AccessError):
                call_kw(
                    model,
                    "create",
                    [{"subsidy_id": self.subsidy.id, "amount": 1, **values}],
                    {},
                )
        for method in ("_do_decide", "_transition", "_decide", "_waive", "_identify", "_do_claim"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                call_kw(model, method, [recovery.ids, "x"], {})
        self.assertEqual(recovery.state, "notified")

    def test_by_default_values(self):
        context = {
            "default_state": "decided",
            "default_decided_date": "2020-01-20",
            "default_answer_deadline": "2020-01-10",
            "default_notified_date": "2020-01-01",
            "default_notified_amount": 1000,
        }
        self.env["ir.default"].set("grant.recovery", "state", "claimed")
        self.env["ir.default"].set("grant.recovery", "answer_deadline", "2020-01-01")
        recovery = self.make_recovery(self.subsidy.with_context(**context))
        recovery |= (
            self.env["grant.recovery"]
            .with_user(self.administrator)
            .with_context(**context)
            .create({"subsidy_id": self.subsidy.id, "amount": 1})
        )
        self.assertEqual(set(recovery.mapped("state")), {"identified"})
        self.assertFalse(any(recovery.mapped("answer_deadline")))

    def test_through_the_window(self):
        """The window of another step, or of another recovery, decides nothing early."""
        recovery = self.notify(self.make_recovery(self.subsidy))
        for step in ("notify", "decide", "claim", "collect"):
            wizard = (
                self.env["grant.recovery.step"]
                .with_user(self.administrator)
                .create({"recovery_id": recovery.id, "step": step, "reason": "x", "amount": 1})
            )
            with self.subTest(step=step), self.assertRaises(UserError):
                wizard.action_confirm()
        self.assertEqual(recovery.state, "notified")

    @mute_logger("odoo.sql_db")
    def test_behind_odoo(self):
        """The database refuses a decision without a delay, or within it."""
        recovery = self.notify(self.make_recovery(self.subsidy))
        self.env.flush_all()
        for change in (
            "state = 'decided'",
            "state = 'claimed', decided_date = answer_deadline",
            "state = 'decided', decided_date = '2020-01-20', answer_deadline = '2020-01-10'",
            "amount = 0",
        ):
            with self.subTest(change=change), self.assertRaises(psycopg2.IntegrityError):
                with self.env.cr.savepoint():
                    self.env.cr.execute(
                        SQL("UPDATE grant_recovery SET %s WHERE id = %s", SQL(change), recovery.id)
                    )

    def test_frozen_once_notified(self):
        recovery = self.notify(self.make_recovery(self.subsidy))
        for values in (
            {"amount": 5000},
            {"letter": "Autre chose"},
            {"letter_date": "2020-01-01"},
            {"facts": "Autre chose"},
            {"reason": "cer"},
            {"breach_date": "2022-01-01"},
        ):
            with self.subTest(values=values), self.assertRefused("cannot be changed"):
                recovery.write(values)
        with self.assertRefused("not deleted"):
            recovery.with_env(self.env).unlink()
        with self.assertRaises(AccessError):
            recovery.with_user(self.coordinator).unlink()

    def test_decision(self):
        recovery = self.notify(self.make_recovery(self.subsidy))
        with freeze_time(datetime.date.today() + 16 * DAY):
            for amount, word in ((1000.01, "heard"), (0, "waive"), (-5, "waive")):
                with self.subTest(amount=amount), self.assertRefused(word):
                    self.try_decide(recovery, amount=amount)
            with self.assertRaises(ValidationError):
                self.try_decide(recovery, amount=float("nan"))
            with self.assertRefused("reason"):
                recovery.with_user(self.finance_manager)._do_decide("  ")

    # ------------------------------------------------------------------
    # Amounts
    # ------------------------------------------------------------------

    @mute_logger("odoo.sql_db")
    def test_never_more_than_was_paid(self):
        for amount in (8000.01, 80000):
            with self.subTest(amount=amount), self.assertRefused("8,000.00"):
                self.make_recovery(self.subsidy, amount=amount)
        first = self.make_recovery(self.subsidy, amount=5000)
        second = self.make_recovery(self.subsidy, amount=3000)
        with self.assertRefused("8,000.01"), self.env.cr.savepoint():
            self.make_recovery(self.subsidy, amount=0.01)
        with self.assertRefused("8,000.01"), self.env.cr.savepoint():
            first.amount = 5000.01
        self.ask(second, "waive_recovery", self.finance_manager)
        third = self.make_recovery(self.subsidy, amount=3000)
        self.collect(self.decide(first))
        with self.assertRefused("3,000.00"), self.env.cr.savepoint():
            self.make_recovery(self.subsidy, amount=0.01)
        self.collect(self.decide(third))
        self.assertEqual(self.subsidy.recovered_amount, 8000)
        for amount in (0, -1):
            with self.subTest(amount=amount), self.assertRaises(psycopg2.IntegrityError):
                with self.env.cr.savepoint():
                    self.make_recovery(self.subsidy, amount=amount)

    def test_a_payment_cancelled_meanwhile(self):
        """What was never paid, after all, is not claimed."""
        recovery = self.decide(self.make_recovery(self.subsidy))
        self.ask(self.tranche, "unpay", self.finance_manager)
        with self.assertRefused("1,000.00"):
            recovery.with_user(self.finance_officer)._do_claim(datetime.date.today())

    def test_cer_breach(self):
        """Pro rata of what is left of the period, to the cent."""
        days = (datetime.date(2022, 6, 30) - datetime.date(2021, 10, 25)).days + 1
        with Form(self.env["grant.recovery"].with_user(self.coordinator)) as form:
            form.subsidy_id = self.subsidy
            form.reason = "cer"
            form.breach_date = "2022-06-01"
            form.facts = "Manquement constaté."
        self.assertEqual(form.record.amount, round(8000 * 30 / days, 2))
        self.assertEqual(form.record.amount, 963.86)
        self.ask(form.record, "waive_recovery", self.finance_manager)
        for breach, expected in (("2021-01-01", 8000), ("2022-06-30", round(8000 / days, 2))):
            recovery = self.make_recovery(self.subsidy, reason="cer", breach_date=breach)
            self.assertEqual(recovery._get_proposed_amount(), expected)
            self.ask(recovery, "waive_recovery", self.finance_manager)

    def test_what_is_withdrawn_is_not_paid_out_again(self):
        self.collect(self.decide(self.make_recovery(self.subsidy, amount=3000)))
        # Neither planned nor, where it was planned before that was refused, ordered.
        with self.assertRefused(self.subsidy.display_name, "10,000.01"):
            self.make_tranche(self.subsidy, amount=2000.01)
        again = self.make_tranche_beyond(self.subsidy, amount=2000.01)
        with self.assertRefused("2,000.00"):
            self.order(again)
        self.ask(again, "cancel", self.finance_manager)
        again = self.make_tranche(self.subsidy, amount=2000)
        self.order(again, "M-3")

    def test_what_is_paid_back_is_paid_again_to_the_cent(self):
        """All was paid, 30 come back: 30 may be paid again, and not a cent more, by any road."""
        officer, today = self.finance_officer, datetime.date.today()
        for name, envelope in (("city", self.envelope), ("direct", self.direct_envelope)):
            is_direct = name == "direct"
            subsidy = self.make_subsidy(amount=100, envelope_id=envelope.id)
            first = self.make_tranche(subsidy, amount=100)
            self.sign(subsidy)
            self.pay(first)
            self.assertEqual(subsidy.to_pay_amount, 0)
            over = self.make_tranche_beyond(subsidy, name="Trop", amount=30.01)
            again = self.make_tranche_beyond(subsidy, name="Reste", amount=30)
            cent = self.make_tranche_beyond(subsidy, name="Un centime", amount=0.01)
            recovery = self.make_recovery(subsidy, reason="overpaid", amount=30)
            self.collect(self.decide(recovery))
            self.assertEqual((subsidy.recovered_amount, subsidy.to_pay_amount), (30, 30))
            self.certify(over | again | cent)

            def attempt(tranche, is_direct=is_direct):
                """What the windows do, over RPC."""
                model = "grant.disbursement.pay" if is_direct else "grant.disbursement.order"
                values = (
                    {"disbursement_id": tranche.id, "paid_date": today}
                    if is_direct
                    else {"disbursement_ids": tranche.ids, "order_number": f"M-{tranche.id}",
                          "order_date": today}
                )  # fmt: skip
                windows = self.env[model].with_user(officer)
                call_kw(windows, "action_confirm", [windows.create(values).ids], {})

            for number, refused in enumerate((
                lambda over=over: attempt(over),
                # A document that does not ask.
                lambda over=over: over._post_payment(30.01, today),
            )):  # fmt: skip
                with (
                    self.subTest(envelope=name, attempt=number),
                    self.unasked(),
                    self.assertRefused("30.00", "30.01"),
                    self.env.cr.savepoint(),
                ):
                    refused()
            with self.subTest(envelope=name):
                attempt(again)
                if not is_direct:
                    # Ordered is not paid: what is left is asked for already.
                    with self.assertRefused("0.00", "0.01"), self.env.cr.savepoint():
                        attempt(cent)
                    again.with_user(officer)._do_pay(today, "P-2")
                self.assertEqual((again.state, subsidy.to_pay_amount), ("paid", 0))
                self.assertEqual(subsidy.paid_amount - subsidy.recovered_amount, 100)
                with self.assertRefused("0.00", "0.01"), self.env.cr.savepoint():
                    attempt(cent)
        self.assertFalse(self.verify())

    # ------------------------------------------------------------------
    # A repayment outstanding is a condition of payment (R4)
    # ------------------------------------------------------------------

    def test_condition(self):
        other = self.make_subsidy()
        tranche = self.make_tranche(other)
        overridden = self.make_tranche(other, name="Urgente")
        self.sign(other)
        self.assertEqual(tranche.state, "ready")
        recovery = self.decide(self.make_recovery(self.subsidy))
        self.assertEqual(tranche.state, "ready", "decided is not claimed")
        recovery.with_user(self.finance_officer)._do_claim(datetime.date.today())
        self.assertEqual((tranche.state, other.owed_amount), ("planned", 1000))
        with self.assertRefused("1,000.00"):
            tranche.with_user(self.coordinator).action_certify()
        self.override(overridden, "repayment", "Échéancier")
        self.assertEqual((overridden.state, tranche.state), ("ready", "planned"))
        recovery.with_user(self.finance_officer)._do_collect(datetime.date.today())
        self.assertEqual((tranche.state, other.owed_amount), ("ready", 0))
        self.ask(recovery, "uncollect", self.finance_manager)
        self.assertEqual(tranche.state, "planned")

    def test_condition_of_others(self):
        """Another operator is not concerned, nor the same operator in another city."""
        company = self.env["res.company"].create({"name": "Autre ville"})
        contract = self.env["grant.contract"].create(
            {
                "name": "Leur contrat",
                "code": "X",
                "company_id": company.id,
                "funder_id": self.prefecture.id,
                "envelope_ids": [(0, 0, {"name": "E", "code": "E", "amount": 10000})],
            }
        )
        theirs = self.env["grant.subsidy"].create(
            {"name": "S", "envelope_id": contract.envelope_ids.id, "amount": 10,
             "partner_id": self.operator.id}
        )  # fmt: skip
        recovery = self.decide(self.make_recovery(self.subsidy))
        recovery.with_user(self.finance_officer)._do_claim(datetime.date.today())
        self.assertEqual(theirs.owed_amount, 0)
        other = self.make_subsidy(partner_id=self.other_operator.id)
        self.assertEqual(other.owed_amount, 0)
        self.assertEqual(self.other_operator.bank_ids.acc_number.replace(" ", ""), IBANS[1])

    def test_owed_amounts_are_looked_up_together(self):
        subsidies = self.env["grant.subsidy"]
        for _index in range(6):
            subsidies |= self.make_subsidy()
        self.env.flush_all()
        self.env.invalidate_all()
        subsidies.mapped("partner_id.name")
        with self.assertQueryCount(1):
            subsidies.mapped("owed_amount")

    # ------------------------------------------------------------------
    # The letter
    # ------------------------------------------------------------------

    def test_letter(self):
        for reason, word in (
            ("unused", "L1611-4"),
            ("condition", "L242-2"),
            ("cer", "2021-1947"),
            ("overpaid", "1302"),
        ):
            recovery = self.make_recovery(
                self.subsidy, reason=reason, breach_date="2022-01-01", amount=1000
            )
            recovery.action_write_letter()
            with self.subTest(reason=reason):
                for part in (word, "15 days", "L121-1", "2021-0042", self.subsidy.code):
                    self.assertIn(part, recovery.letter)
        for nothing in (False, " \u200b", "\u2060…"):
            blank = self.make_recovery(self.subsidy, facts=nothing)
            with self.subTest(facts=nothing), self.assertRefused("facts"):
                blank.action_write_letter()
            blank.write({"facts": "Des faits", "letter": nothing})
            with self.subTest(letter=nothing), self.assertRefused("letter"):
                blank.action_print_letter()
        with self.assertRaises(AccessError):
            recovery.with_user(self.reader).action_write_letter()

    def test_letter_as_pdf(self):
        """What a person typed is text, whatever typst would make of it; the bytes are stable."""
        recovery = self.make_recovery(self.subsidy, facts="#panic() $x$ *gras* @ref <b> 1 000 €")
        recovery.action_write_letter()
        content = recovery._make_pdf()[1]
        self.assertEqual(content, recovery._make_pdf()[1])
        pages = PdfFileReader(io.BytesIO(content)).pages
        text = "".join("".join(page.extract_text() for page in pages).split())
        for part in ("#panic() $x$ *gras* @ref <b>", recovery.name, self.operator.name):
            self.assertIn(part.replace(" ", ""), text)
        # On its day, and by whom it was represented then.
        self.operator.write({"name": "Nouveau nom", "legal_representative": "A. Martin"})
        recovery.letter_date = datetime.date.today() - DAY
        renamed = recovery._make_pdf()[1]
        self.assertNotIn("Nouveau", PdfFileReader(io.BytesIO(renamed)).pages[0].extract_text())
        recovery.letter_date = datetime.date.today()
        text = PdfFileReader(io.BytesIO(recovery._make_pdf()[1])).pages[0].extract_text()
        self.assertIn("A. Martin", text)
        recovery.letter_date = datetime.date.today() - DAY
        self.assertNotEqual(content, recovery._make_pdf()[1], "dated of the letter")


class TestRecoveryInAccounting(RecoveryCase):
    """R6: the ledger's recoveries are what accounting says was paid back, whatever happens."""

    def claim(self, date=datetime.date(2021, 12, 15), **values):
        recovery = self.decide(self.make_recovery(self.subsidy, **values), on=date)
        recovery.with_user(self.finance_officer)._do_claim(date)
        # Whoever keeps the accounts.
        recovery = recovery.with_env(self.env)
        return recovery, recovery.move_ids

    def pay_back(self, recovery, amount=None, date=datetime.date(2022, 1, 10)):
        recovery.with_user(self.finance_officer)._do_collect(date, "VIR-9", amount)

    def assertLedger(self, recovery, state, amount):
        self.env.invalidate_all()
        self.assertEqual((recovery.state, recovery.collected_amount), (state, amount))
        self.assertEqual(self.subsidy.recovered_amount, amount)
        self.assertFalse(self.verify())

    def test_what_is_owed_by_many_claims(self):
        """It takes no more statements than what is owed by few."""
        counts = []
        for number in range(1, 6):
            self.claim(amount=100)
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(self.subsidy.owed_amount, 100 * number)
            counts.append(self.env.cr.sql_log_count - before)
        # The first one fills the caches of the server.
        self.assertLessEqual(counts[-1], counts[1])

    def test_the_year_is_open(self):
        """The order of the same year is reduced: a credit note on its account."""
        recovery, move = self.claim()
        self.assertEqual(recovery.reduced_disbursement_id, self.tranche)
        self.assertEqual((move.move_type, move.state), ("in_refund", "posted"))
        self.assertEqual(
            move.invoice_line_ids.account_id,
            self.tranche.with_env(self.env).move_ids.invoice_line_ids.account_id,
        )
        self.assertEqual((move.amount_total, move.partner_id), (1000, self.operator))
        self.assertEqual(move.invoice_origin, self.tranche.order_number)
        self.assertTrue(move.invoice_line_ids.analytic_distribution)
        self.assertLedger(recovery, "claimed", 0)
        self.pay_back(recovery)
        self.assertLedger(recovery, "collected", 1000)
        self.assertEqual(recovery.collected_date, datetime.date(2022, 1, 10))
        self.assertEqual(self.tranche.state, "paid")

    def test_not_before_it_was_decided(self):
        """Nor by the entry, set back to draft and posted at another date."""
        recovery = self.decide(self.make_recovery(self.subsidy), on=datetime.date(2021, 12, 15))
        officer = recovery.with_user(self.finance_officer)
        with self.assertRefused(recovery.name, "12/15/2021", "12/14/2021"):
            officer._do_claim(datetime.date(2021, 12, 14))
        self.assertEqual((recovery.state, recovery.claim_date), ("decided", False))
        officer._do_claim(datetime.date(2021, 12, 15))
        move = recovery.with_env(self.env).move_ids
        move.button_draft()
        move.write({"invoice_date": "2021-12-14", "date": "2021-12-14"})
        with self.assertRefused(recovery.name, "12/14/2021"):
            move.action_post()
        # In the next year it would reduce no order: it is another act.
        move.write({"invoice_date": "2022-01-10", "date": "2022-01-10"})
        with self.assertRefused(recovery.name, self.tranche.order_number):
            move.action_post()

    def test_posted_again_in_the_future(self):
        recovery, move = self.claim(datetime.date(2022, 9, 1))
        move.button_draft()
        tomorrow = self.company._grant_today() + datetime.timedelta(days=1)
        move.write({"invoice_date": tomorrow, "date": tomorrow})
        with self.assertRefused(recovery.name, "not in the future"):
            move.action_post()

    def test_what_was_paid_later_is_not_reduced(self):
        later = self.make_tranche(self.subsidy, amount=2000, name="Suite")
        self.pay(later, datetime.date(2021, 12, 20))
        recovery, _move = self.claim(datetime.date(2021, 12, 15), amount=2000)
        self.assertEqual(recovery.reduced_disbursement_id, self.tranche)
        self.assertFalse(self.verify())

    def test_a_payment_that_is_claimed_is_not_cancelled(self):
        """8 000 paid, 5 000 of them claimed and not paid back yet: the claim falls first, whether
        it is cancelled by us or in the journal."""
        recovery, move = self.claim(datetime.date(2022, 9, 1), amount=5000)
        bill = self.tranche.with_env(self.env)._get_live_move()
        payment = bill._get_payment_moves().origin_payment_id
        asked = (recovery.name, self.subsidy.code, "cannot be cancelled")
        with self.assertRefused(*asked), self.env.cr.savepoint():
            self.ask(self.tranche, "unpay", self.finance_manager)
        for undo in (payment.action_draft, bill.line_ids.remove_move_reconcile):
            with self.assertRefused(*asked), self.env.cr.savepoint():
                undo()
        self.env.invalidate_all()
        self.assertEqual((self.tranche.state, self.subsidy.paid_amount), ("paid", 8000))
        move.button_draft()
        self.assertEqual(recovery.state, "decided")
        self.ask(recovery, "waive_recovery", self.finance_manager)
        self.ask(self.tranche, "unpay", self.finance_manager)
        self.assertEqual(self.subsidy.paid_amount, 0)
        self.assertFalse(self.verify())

    def test_a_payment_that_was_paid_back_is_not_cancelled(self):
        """8 000 paid, 5 000 of them paid back: undo the repayment first."""
        recovery, move = self.claim(datetime.date(2022, 9, 1), amount=5000)
        self.pay_back(recovery, date=datetime.date(2022, 9, 20))
        with self.assertRefused(self.subsidy.name, "3,000.00", "Cancel the repayments first"):
            self.ask(self.tranche, "unpay", self.finance_manager)
        with self.assertRefused("Cancel the repayments first"):
            self.tranche.with_env(self.env).move_ids.line_ids.remove_move_reconcile()
        self.env.invalidate_all()
        self.assertEqual((self.tranche.state, self.subsidy.to_pay_amount), ("paid", 7000))
        self.ask(recovery, "uncollect", self.finance_manager)
        # It is claimed again.
        move.button_draft()
        self.ask(self.tranche, "unpay", self.finance_manager)
        self.assertEqual(self.subsidy.to_pay_amount, 10000)
        self.assertFalse(self.verify())

    def test_not_paid_back_before_it_was_paid(self):
        recovery, _move = self.claim()
        with self.assertRefused(self.subsidy.name, "11/24/2021", "cannot have been paid back"):
            self.pay_back(recovery, date=datetime.date(2021, 11, 24))
        self.assertLedger(recovery, "claimed", 0)

    def test_dates_of_before_are_named(self):
        """Data of before these rules: the verifier names them."""
        recovery, _move = self.claim()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE grant_recovery SET claim_date = '2021-12-01' WHERE id = %s", [recovery.id]
        )
        self.env.cr.execute(
            "UPDATE grant_disbursement SET order_date = '2021-11-01' WHERE id = %s",
            [self.tranche.id],
        )
        self.env.invalidate_all()
        wrong = "\n".join(self.verify())
        self.assertIn(f"{recovery.display_name} was claimed on 12/01/2021", wrong)
        self.assertIn(f"{self.tranche.display_name}: ordered on 11/01/2021", wrong)

    def test_the_year_is_closed(self):
        """A claim of its own, on the account of money back from closed years."""
        recovery, move = self.claim(datetime.date(2022, 9, 1))
        self.assertFalse(recovery.reduced_disbursement_id)
        self.assertEqual((move.move_type, move.state), ("out_invoice", "posted"))
        account = self.env["grant.account"]._get(self.company, 2022, "recovery")
        self.assertEqual(move.invoice_line_ids.account_id, account)
        self.pay_back(recovery, date=datetime.date(2022, 9, 20))
        self.assertLedger(recovery, "collected", 1000)

    def test_an_order_is_not_reduced_beyond_its_amount(self):
        another = self.make_tranche(self.subsidy, amount=2000, name="Suite")
        self.pay(another, datetime.date(2021, 11, 24))
        first, _move = self.claim(amount=5000)
        second, move = self.claim(amount=3000)
        self.assertEqual(second.reduced_disbursement_id, first.reduced_disbursement_id)
        self.assertEqual(move.move_type, "in_refund")
        third, move = self.claim(amount=2000)
        self.assertEqual(third.reduced_disbursement_id, another)

    def test_an_order_that_is_reduced_stays_paid(self):
        """What a claim takes off an order was paid on it: first the claim is taken back."""
        another = self.make_tranche(self.subsidy, amount=2000, name="Suite")
        self.pay(another, datetime.date(2021, 11, 24))
        recovery, move = self.claim(amount=1500)
        reduced = recovery.reduced_disbursement_id
        payment = reduced.with_env(self.env)._get_live_move()._get_payment_moves()
        for undo in (
            lambda: self.ask(reduced, "unpay", self.finance_manager, "Rejet"),
            lambda: payment.line_ids.remove_move_reconcile(),
        ):
            with self.assertRefused(reduced.display_name, recovery.name, "draft"):
                undo()
        self.assertLedger(recovery, "claimed", 0)
        move.button_draft()
        self.ask(reduced, "unpay", self.finance_manager, "Rejet")
        move.with_context(force_delete=True).unlink()
        recovery.with_user(self.finance_officer)._do_claim(datetime.date(2021, 12, 16))
        self.assertNotEqual(recovery.reduced_disbursement_id, reduced)
        self.assertLedger(recovery, "claimed", 0)

    def test_claimed_again_in_another_year(self):
        """What it is, is chosen anew: an order of the year before is not reduced any more."""
        recovery, move = self.claim()
        self.assertEqual(move.move_type, "in_refund")
        move.button_draft()
        move.with_context(force_delete=True).unlink()
        recovery.with_user(self.finance_officer)._do_claim(datetime.date(2022, 9, 1))
        self.assertEqual(recovery.move_ids.move_type, "out_invoice")
        self.assertFalse(recovery.reduced_disbursement_id)
        self.assertLedger(recovery, "claimed", 0)

    def test_in_parts_and_undone(self):
        recovery, move = self.claim()
        self.pay_back(recovery, 400)
        self.assertLedger(recovery, "claimed", 400)
        self.assertEqual(recovery.residual_amount, 600)
        for amount in (600.01, 0, -1):
            with self.subTest(amount=amount), self.assertRefused("600.00"):
                self.pay_back(recovery, amount)
        self.pay_back(recovery, 600, datetime.date(2022, 2, 1))
        self.assertLedger(recovery, "collected", 1000)
        lines = move._get_payment_lines()
        lines.remove_move_reconcile()
        self.assertLedger(recovery, "claimed", 0)

    def test_cancelled_by_the_button(self):
        recovery, _move = self.claim()
        self.pay_back(recovery)
        self.ask(recovery, "uncollect", self.finance_manager, "Erreur")
        self.assertLedger(recovery, "claimed", 0)
        self.pay_back(recovery)
        self.assertLedger(recovery, "collected", 1000)

    def test_reset_and_deleted(self):
        for date in (datetime.date(2021, 12, 15), datetime.date(2022, 9, 1)):
            with self.subTest(date=date):
                recovery, move = self.claim(date)
                self.pay_back(recovery, date=datetime.date(2022, 10, 1))
                move.button_draft()
                self.assertLedger(recovery, "decided", 0)
                with self.assertRefused("already"), self.env.cr.savepoint():
                    recovery.with_user(self.finance_officer)._do_claim(date)
                move.action_post()
                # Odoo matches it with its payment again.
                self.assertLedger(recovery, "collected", 1000)
                move.button_draft()
                move.with_context(force_delete=True).unlink()
                self.assertLedger(recovery, "decided", 0)
                self.ask(recovery, "waive_recovery", self.finance_manager)

    def test_reversed(self):
        recovery, move = self.claim(datetime.date(2022, 9, 1))
        move._reverse_moves([{"date": move.date}], cancel=True)
        self.assertLedger(recovery, "decided", 0)

    def test_the_rest_is_written_off(self):
        """Paid back in part, the rest given up in accounting: nothing is owed any more, and
        only the money is in the ledger."""
        recovery, move = self.claim(datetime.date(2022, 9, 1))
        self.pay_back(recovery, 400, datetime.date(2022, 9, 20))
        note = move._reverse_moves([{"date": move.date}])
        note.invoice_line_ids.price_unit = 600
        note.action_post()
        (note | move)._get_payment_lines().filtered(lambda line: not line.reconciled).reconcile()
        self.assertLedger(recovery, "waived", 400)
        self.assertEqual((recovery.residual_amount, self.subsidy.owed_amount), (0, 0))
        # What was paid bounced: that is owed again, not what was given up.
        self.ask(recovery, "uncollect", self.finance_manager, "Chèque sans provision")
        self.assertLedger(recovery, "claimed", 0)
        self.assertEqual((recovery.residual_amount, self.subsidy.owed_amount), (400, 400))
        recovery.with_user(self.finance_officer)._do_collect(datetime.date(2022, 10, 1), "V")
        self.assertLedger(recovery, "waived", 400)
        self.assertFalse(self.verify())

    def test_a_part_is_given_up_first(self):
        """What is outstanding, owed, and told to the operator, is what accounting has left."""
        recovery, move = self.claim(datetime.date(2022, 9, 1))
        tranche = self.make_tranche(self.subsidy, amount=500)
        condition = tranche.condition_ids.filtered(lambda row: row.code == "repayment")
        self.assertEqual((condition.state, condition.amount), ("unmet", 1000))
        note = move._reverse_moves([{"date": move.date}])
        note.invoice_line_ids.price_unit = 600
        note.action_post()
        (note | move)._get_payment_lines().filtered(lambda line: not line.reconciled).reconcile()
        self.assertLedger(recovery, "claimed", 0)
        self.assertEqual((recovery.residual_amount, self.subsidy.owed_amount), (400, 400))
        self.assertEqual((condition.state, condition.amount), ("unmet", 400))
        self.assertIn("400.00", self.operator.grant_debts)
        recovery.with_user(self.finance_officer)._do_collect(datetime.date(2022, 10, 1), "V")
        self.assertLedger(recovery, "waived", 400)
        self.assertEqual((condition.state, self.operator.grant_debts), ("met", ""))
        self.assertFalse(self.verify())

    def test_not_changed_by_hand(self):
        recovery, move = self.claim()
        for values in (
            {"price_unit": 1},
            {"account_id": self.company.grant_payment_journal_id.default_account_id.id},
            {"quantity": 2},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                with self.env.cr.savepoint():
                    move.invoice_line_ids.write(values)
        move.button_draft()
        move.invoice_line_ids.price_unit = 999
        with self.assertRefused(recovery.name, "does not say the same"):
            move.action_post()

    def test_paid_by_the_state(self):
        """On a direct envelope nothing is in the city's books."""
        subsidy = self.make_subsidy(envelope_id=self.direct_envelope.id)
        tranche = self.make_tranche(subsidy, amount=5000)
        self.sign(subsidy)
        self.pay(tranche)
        recovery = self.collect(self.decide(self.make_recovery(subsidy)))
        self.assertFalse(recovery.move_ids)
        self.assertEqual((subsidy.recovered_amount, recovery.state), (1000, "collected"))
        self.ask(recovery, "uncollect", self.finance_manager)
        self.assertEqual((subsidy.recovered_amount, recovery.state), (0, "claimed"))
        # The State's claim is no entry of the city's: waived, its payment is cancelled.
        with self.assertRefused(recovery.name, "where the State claims"):
            self.ask(tranche, "unpay", self.finance_manager)
        self.ask(recovery, "waive_recovery", self.finance_manager)
        self.ask(tranche, "unpay", self.finance_manager)
        self.assertEqual((subsidy.paid_amount, recovery.state), (0, "waived"))
        self.assertFalse(self.verify())

    def test_a_part_bounces_after_the_rest_was_waived(self):
        """The State's: no entry of accounting takes it back."""
        subsidy = self.make_subsidy(envelope_id=self.direct_envelope.id)
        tranche = self.make_tranche(subsidy, amount=5000)
        self.sign(subsidy)
        self.pay(tranche)
        recovery = self.decide(self.make_recovery(subsidy)).with_user(self.finance_officer)
        recovery._do_claim(recovery.decided_date)
        recovery._do_collect(recovery.decided_date, "P", 400)
        self.ask(recovery, "waive_recovery", self.finance_manager)
        self.assertEqual((subsidy.recovered_amount, recovery.state), (400, "waived"))
        self.ask(recovery, "uncollect", self.finance_manager, "Chèque sans provision")
        self.assertEqual((subsidy.recovered_amount, recovery.state), (0, "claimed"))
        self.assertEqual(recovery.residual_amount, 1000)
        self.ask(recovery, "waive_recovery", self.finance_manager)
        with self.assertRefused("Waived"):
            self.ask(recovery, "uncollect", self.finance_manager)
        self.assertFalse(self.verify())


@tagged("post_install", "-at_install")
class TestRecoveryPages(RecoveryCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in (cls.reader, cls.operator_user, cls.other_operator_user):
            user.password = user.login
        cls.recovery = cls.make_recovery(cls.subsidy)
        cls.recovery.action_write_letter()

    def get(self, user, path):
        self.authenticate(user.login, user.login)
        return self.url_open(path)

    def test_letter(self):
        path = f"/grants/recoveries/{self.recovery.id}/letter"
        answer = self.get(self.reader, path)
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(answer.content.startswith(b"%PDF"))
        self.assertEqual(self.url_open("/grants/recoveries/0/letter").status_code, 404)
        for user in (self.operator_user, self.other_operator_user):
            self.assertEqual(self.get(user, path).status_code, 404)
        self.authenticate(None, None)
        self.assertIn("/web/login", self.url_open(path).url)

    def test_operators_page(self):
        """The calculation once it is accepted, the recovery once the letter is sent."""
        page = f"/my/subsidies/{self.subsidy.id}"
        report = self.make_report(self.subsidy, actual_amount=4321, eligible_amount=4321)
        text = self.get(self.operator_user, page).text
        for hidden in ("due in the end", "4,321", "To pay back", self.recovery.name):
            self.assertNotIn(hidden, text)
        report.action_accept()
        self.notify(self.recovery)
        text = self.url_open(page).text
        for shown in ("due in the end", "Amount due", "To pay back", self.recovery.name):
            self.assertIn(shown, text)
        self.assertNotIn("atelier n", text, "the facts are in the letter")
        self.assertEqual(self.get(self.other_operator_user, page).status_code, 404)

    def test_letter_with_any_sign(self):
        """What no font here has is replaced, and said; what no PDF shows is left out."""
        signs = "團 ﷽ 😀 👨‍👩‍👧 مؤسسة Αθήνα עברית नमस्ते \ue000 \x07 \u200b"
        self.operator.write({"name": f"Maison {signs}", "lang": "fr_FR"})
        recovery = self.make_recovery(self.subsidy, facts=f"Faits {signs}")
        recovery.action_write_letter()
        content = recovery._make_pdf()[1]
        self.assertEqual(content, recovery._make_pdf()[1])
        pages = PdfFileReader(io.BytesIO(content)).pages
        text = "".join("".join(page.extract_text() for page in pages).split())
        # One and the same sign in a name, and a note.
        self.assertIn("Maison□", text)
        self.assertIn("Αθήνα", text)
        self.assertGreaterEqual(text.count("□"), 3)
        self.assertRegex(text, "cannotbeprinted|imprim")

    def test_a_letter_that_cannot_be_made(self):
        recovery = self.make_recovery(self.subsidy)
        recovery.action_write_letter()
        with patch.object(typeset, "_typeset", side_effect=typeset.Unprintable("broken")):
            with self.assertRefused("unusual", recovery.name):
                recovery._make_pdf()
            answer = self.get(self.reader, f"/grants/recoveries/{recovery.id}/letter")
            self.assertEqual(answer.status_code, 400)
            self.assertIn("unusual signs", answer.text)
