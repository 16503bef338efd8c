import datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from odoo.exceptions import UserError
from odoo.tests import freeze_time

from ...lib.award import history
from ..common import PDF
from .test_due import DueCase

PARIS = ZoneInfo("Europe/Paris")
FIRST = datetime.date(2021, 11, 2)
# Its conditions say whether a tranche that is planned is ready, and the table does not.
UNDECIDED = {"ready": "planned"}


class TestDecisionState(DueCase):
    """What a document was on a past day, as its decisions tell it: played through the buttons."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.partner_id.tz = "Europe/Paris"

    def play(self, steps):
        """Take one step a day, and note each evening what every document is.

        A step is what to do; a number before it is how many more days to wait. What the buttons
        make on their way is noted too.

        :return: {document: {day: its state that evening}}
        """
        seen, day = {}, FIRST
        for step in steps:
            if isinstance(step, int):
                day += datetime.timedelta(days=step)
                continue
            with freeze_time(datetime.datetime.combine(day, datetime.time(15))):
                step()
            self.env.invalidate_all()
            for document in self.get_documents():
                state = UNDECIDED.get(document.state, document.state)
                seen.setdefault(document, {})[day] = state
            day += datetime.timedelta(days=1)
        return seen

    def get_documents(self):
        subsidy = self.subsidy
        amendments = self.env["grant.amendment"].search([("subsidy_id", "=", subsidy.id)])
        return [
            document
            for documents in (
                subsidy, subsidy.disbursement_ids, subsidy.deliverable_ids, subsidy.report_ids,
                subsidy.recovery_ids, amendments,
            )
            for document in documents
        ]  # fmt: skip

    def check(self, acts):
        """Each document was on each day what the table says of it."""
        seen = self.play(acts)
        for document, states in seen.items():
            steps = document._get_histories(PARIS)[document.id]
            told = {day: history.last_step(steps, day).state for day in states}
            self.assertEqual(told, states, document)
        return seen

    def get_models(self):
        """The models about whose documents people decide."""
        names = self.env.registry.descendants(["grant.decided.mixin"], "_inherit")
        return [self.env[name] for name in names if not self.env[name]._abstract]

    def assertTaken(self, model, *but):
        """The play has taken every decision that the table has for these documents."""
        documents = self.env[model]
        domain = [("subsidy_id", "=", self.subsidy.id), (documents._decision_key, "!=", False)]
        domain += documents._get_decisions_domain()
        taken = set(self.env["grant.decision"].search(domain).mapped("decision"))
        self.assertEqual(taken, documents._get_decision_states().keys() - set(but))

    # --- as the people concerned ------------------------------------------------------------

    def by(self, user, document, method, *args, **kwargs):
        """A step: a button of a document, pressed by one of the users."""
        return lambda: getattr(document.with_user(user), method)(*args, **kwargs)

    def why(self, user, document, action):
        """A step: a button that asks for a reason."""
        return lambda: self.ask(document, action, user)

    def answer(self, tranche, state):
        """A step: what the treasury says of an order."""
        answer = SimpleNamespace(state=state, reason="Motif" if state == "rejected" else "")
        return lambda: tranche.with_user(self.finance_officer)._take_answer(
            answer, datetime.date.today()
        )

    def order_today(self, tranche, number):
        return lambda: tranche.with_user(self.finance_officer)._do_order(
            number, datetime.date.today()
        )

    def pay_today(self, tranche):
        return lambda: tranche.with_user(self.finance_officer)._do_pay(datetime.date.today(), "P")

    def pay_part_today(self, tranche, amount):
        return lambda: tranche.with_user(self.finance_officer)._register_payment(
            datetime.date.today(), amount, "P"
        )

    def grant_and_sign(self):
        """Steps: the subsidy granted and signed, dated of the day."""
        subsidy = self.subsidy

        def grant():
            today = datetime.date.today()
            subsidy.write({
                "decision_date": today, "executory_date": today, "signature_date": today,
            })  # fmt: skip
            subsidy.with_user(self.coordinator).action_grant()

        def sign():
            subsidy.signature_date = datetime.date.today()
            subsidy.with_user(self.coordinator).action_sign()

        return [grant, sign]

    # ------------------------------------------------------------------

    def test_a_subsidy(self):
        self.subsidy = subsidy = self.make_subsidy(report_required=True)
        tranche = self.make_tranche(subsidy, amount=4000)
        self.make_tranche(subsidy, name="Solde", amount=2000)
        grant, sign = self.grant_and_sign()
        coordinator, manager = self.coordinator, self.finance_manager
        seen = self.check([
            lambda: None,
            grant,
            self.by(coordinator, subsidy, "action_reset_to_draft"),
            grant,
            self.why(coordinator, subsidy, "cancel"),
            self.by(coordinator, subsidy, "action_reset_to_draft"),
            grant,
            self.by(manager, tranche, "action_replan"),
            sign,
            lambda: subsidy.with_user(manager)._do_correct_date("cer_date", "2021-10-01", "Lu"),
            self.by(coordinator, tranche, "action_certify"),
            self.order_today(tranche, "M-1"),
            self.pay_today(tranche),
            self.why(manager, subsidy, "waive_report"),
            self.why(manager, subsidy, "close"),
            self.by(manager, subsidy, "action_reopen"),
            self.why(manager, subsidy, "close"),
        ])  # fmt: skip
        self.assertEqual(
            list(seen[subsidy].values()),
            ["draft", "granted", "draft", "granted", "cancelled", "draft", "granted", "granted"]
            + ["signed"] * 6 + ["closed", "signed", "closed"],
        )  # fmt: skip
        # Which is about the city's own costs.
        self.assertTaken("grant.subsidy", "cost_account")

    def test_a_tranche_paid_by_the_city(self):
        self.subsidy = self.make_subsidy(due_rule="pro_rata")
        piece = self.make_deliverable(self.subsidy)
        tranche = self.make_tranche(self.subsidy, amount=4000, deliverable_ids=piece.ids)
        balance = self.make_tranche(self.subsidy, name="Solde", kind="balance", amount=2000)
        coordinator, manager = self.coordinator, self.finance_manager
        certify = self.by(coordinator, tranche, "action_certify")
        report = {}

        def accept_report():
            report["it"] = self.make_report(
                self.subsidy, eligible_amount=11000, exercise_end="2021-10-31"
            )
            report["it"].action_accept()

        self.check([
            *self.grant_and_sign(),
            lambda: self.override(tranche, "deliverable"),
            certify,
            self.why(coordinator, tranche, "return"),
            self.why(manager, tranche, "cancel"),
            self.by(manager, tranche, "action_replan"),
            certify,
            self.order_today(tranche, "M-1"),
            *(self.answer(tranche, state) for state in ("received", "pending", "rejected")),
            self.why(self.finance_officer, tranche, "withdraw"),
            self.order_today(tranche, "M-2"),
            *(self.answer(tranche, state) for state in ("taken", "settled")),
            self.pay_part_today(tranche, 1500.01),
            self.pay_today(tranche),
            self.why(manager, tranche, "unpay"),
            self.pay_today(tranche),
            accept_report,
        ])  # fmt: skip
        self.assertEqual(balance.amount, 1500)
        self.assertTaken("grant.disbursement")

    def test_a_tranche_paid_by_the_state(self):
        self.subsidy = self.make_subsidy(envelope_id=self.direct_envelope.id)
        tranche = self.make_tranche(self.subsidy, amount=4000)
        seen = self.check([
            *self.grant_and_sign(),
            self.by(self.coordinator, tranche, "action_certify"),
            self.pay_today(tranche),
            self.why(self.finance_manager, tranche, "unpay"),
            self.pay_today(tranche),
        ])  # fmt: skip
        self.assertEqual(
            list(seen[tranche].values()),
            ["planned", "planned", "certified", "paid", "certified", "paid"],
        )

    def test_a_piece(self):
        self.subsidy = self.make_subsidy()
        piece = self.make_deliverable(self.subsidy)
        tranche = self.make_tranche(self.subsidy, amount=4000, deliverable_ids=piece.ids)
        hand_in = self.by(self.operator_user, piece, "_do_submit", "bilan.pdf", PDF)
        take_back = self.by(self.operator_user, piece, "_do_take_back")

        def hand_in_and_accept():
            hand_in()
            piece.with_user(self.coordinator).action_accept()

        seen = self.check([
            *self.grant_and_sign(),
            lambda: self.override(tranche, "deliverable"),
            self.why(self.coordinator, piece, "waive"),
            self.why(self.coordinator, piece, "reopen"),
            hand_in,
            self.why(self.coordinator, piece, "send_back"),
            hand_in,
            take_back,
            hand_in,
            self.why(self.coordinator, piece, "purge"),
            hand_in_and_accept,
            self.why(self.coordinator, piece, "reopen"),
            hand_in,
            self.why(self.coordinator, piece, "waive"),
        ])  # fmt: skip
        self.assertEqual(
            list(seen[piece].values())[3:],
            ["waived", "to_complete", "submitted", "to_complete", "submitted", "expected",
             "submitted", "to_complete", "accepted", "to_complete", "submitted", "waived"],
        )  # fmt: skip
        # Opened without a scan, which moves no state: tests/operator/test_scan.py.
        self.assertTaken("grant.deliverable", "submitted", "released")
        self.assertTaken("grant.deliverable.version", "released")
        versions = piece.version_ids.sorted("number")
        histories = versions._get_histories(PARIS)
        self.assertEqual(
            [[step.state for step in histories[version.id]] for version in versions],
            [["submitted", "to_complete"], ["submitted", "taken_back"],
             ["submitted", "to_complete"], ["submitted", "accepted", "to_complete"],
             ["submitted", "waived"]],
        )  # fmt: skip

    def test_a_piece_within_a_second(self):
        self.subsidy = self.make_subsidy()
        piece = self.make_deliverable(self.subsidy)
        self.play(self.grant_and_sign())
        with freeze_time("2021-11-10 15:00"):
            for act in ("waive", "reopen"):
                self.ask(piece, act, self.coordinator)
            piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
            for act in ("waive", "reopen", "waive", "reopen"):
                self.ask(piece, act, self.coordinator)
                with self.subTest(act=act):
                    self.assertFalse(piece._get_undecided(self.subsidy.envelope_id))
        steps = [step.state for step in piece._get_histories(PARIS)[piece.id]]
        self.assertEqual(
            steps,
            ["expected", *["waived", "to_complete"], "submitted", *["waived", "to_complete"] * 2],
        )

    def test_a_report_and_the_recoveries(self):
        self.subsidy = self.make_subsidy(due_rule="pro_rata")
        tranche = self.make_tranche(self.subsidy, amount=8000)
        manager, officer = self.finance_manager, self.finance_officer
        made = {}

        def report():
            made["report"] = self.make_report(self.subsidy, exercise_end="2021-10-31")

        def accept(**values):
            made["report"].write(values)
            made["report"].with_user(self.coordinator).action_accept()

        def last():
            return self.subsidy.recovery_ids.sorted("id")[-1:]

        def claim():
            last().with_user(officer)._do_claim(datetime.date.today())

        def withdraw_claim():
            move = last().sudo()._get_live_move()
            move.button_draft()
            move.button_cancel()

        def collect():
            last().with_user(officer)._do_collect(datetime.date.today(), "VIR")

        self.check([
            *self.grant_and_sign(),
            self.by(self.coordinator, tranche, "action_certify"),
            self.order_today(tranche, "M-1"),
            self.pay_today(tranche),
            report,
            lambda: accept(eligible_amount=10000),
            lambda: self.ask(made["report"], "reopen_report", manager),
            lambda: accept(eligible_amount=12000),
            lambda: self.ask(last(), "waive_recovery", manager),
            lambda: self.make_recovery(self.subsidy, amount=500),
            lambda: self.notify(last()),
            lambda: self.ask(last(), "observe", officer),
            20,
            lambda: last().with_user(manager)._do_decide("Fondé", amount=400),
            claim,
            withdraw_claim,
            claim,
            *(
                lambda state=state: self.answer(last(), state)()
                for state in ("received", "pending", "rejected", "taken", "settled")
            ),
            collect,
            lambda: self.ask(last(), "uncollect", manager),
            collect,
            self.why(manager, self.subsidy, "close"),
        ])  # fmt: skip
        # What is sent back was handed in online (operator layer).
        self.assertTaken("grant.financial.report", "to_complete")
        # Of an envelope that the State pays from itself.
        self.assertTaken("grant.recovery", "collected_part")

    def test_an_amendment(self):
        self.subsidy = self.make_subsidy()
        tranche = self.make_tranche(self.subsidy, amount=4000)
        made = {}

        def draft():
            today = datetime.date.today()
            made["it"] = self.env["grant.amendment"].with_user(self.coordinator).create({
                "subsidy_id": self.subsidy.id, "amount": 6000, "reason": "Moins",
                "decision_number": "D-2", "decision_date": today, "executory_date": today,
                "signature_date": today + datetime.timedelta(days=1),
                "attachment_ids": [(0, 0, {"name": "avenant.pdf", "raw": PDF})],
            })  # fmt: skip
            files = made["it"].attachment_ids
            files.write({"res_model": made["it"]._name, "res_id": made["it"].id})
            line = made["it"].tranche_line_ids.filtered(lambda line: line.item_id == tranche.id)
            line.is_cancelled = True

        seen = self.check([
            *self.grant_and_sign(),
            draft,
            lambda: made["it"].with_user(self.finance_manager).action_sign(),
        ])  # fmt: skip
        self.assertEqual(list(seen[made["it"]].values()), ["draft", "signed"])
        self.assertEqual(tranche.state, "cancelled")
        self.assertTaken("grant.amendment", "corrected")

    # ------------------------------------------------------------------

    def test_what_is_dated_of_another_day(self):
        """The council's date, the signature's and the order's count, not when they were entered;
        not any more once that was taken back."""
        self.subsidy = self.make_subsidy(decision_date="2021-10-22", signature_date="2021-10-25")
        tranche = self.make_tranche(self.subsidy, amount=4000)
        day = datetime.date
        with freeze_time("2021-11-20 12:00"):
            self.sign(self.subsidy)
            self.by(self.coordinator, tranche, "action_certify")()
        with freeze_time("2021-12-20 12:00"):
            tranche.with_user(self.finance_officer)._do_order("M-1", day(2021, 12, 1))

        def tell(document, *days):
            steps = document._get_histories(PARIS)[document.id]
            return [history.last_step(steps, each).state for each in days]

        days = [day(2021, 10, 21), day(2021, 10, 22), day(2021, 10, 24), day(2021, 10, 25)]
        self.assertEqual(tell(self.subsidy, *days), ["draft", "granted", "granted", "signed"])
        days = [day(2021, 11, 19), day(2021, 11, 20), day(2021, 12, 1), day(2021, 12, 20)]
        self.assertEqual(tell(tranche, *days), ["planned", "certified", "ordered", "ordered"])
        with freeze_time("2022-01-10 12:00"):
            self.why(self.finance_officer, tranche, "withdraw")()
        days += [day(2022, 1, 9), day(2022, 1, 10)]
        self.assertEqual(
            tell(tranche, *days),
            ["planned", "certified", "certified", "ordered", "ordered", "certified"],
        )

    def test_the_day_of_a_decision_is_the_city_s(self):
        self.subsidy = self.make_subsidy(
            kind="own_cost", partner_id=self.company.partner_id.id, decision_date=False
        )
        with freeze_time("2021-11-20 23:30"):
            self.subsidy.with_user(self.coordinator).action_grant()
        steps = self.subsidy._get_histories(PARIS)[self.subsidy.id]
        self.assertEqual(steps[-1].day, datetime.date(2021, 11, 21))

    def test_every_decision_has_a_place_in_the_table(self):
        tables = [model._get_decision_states() for model in self.get_models()]
        decisions = dict(self.env["grant.decision"]._fields["decision"].selection)
        self.assertEqual(set().union(*tables) - {"submitted"}, set(decisions))
        for model in self.get_models():
            # A version has no state of its own: what is decided on it is the piece's.
            name = model._name.removesuffix(".version")
            states = {**dict(self.env[name]._fields["state"].selection), "taken_back": None}
            reached = {model._first_state}
            for state in model._get_decision_states().values():
                reached |= set(state.values() if isinstance(state, dict) else [state]) - {None}
            self.assertLessEqual(reached, set(states), model)

    def test_every_document_of_a_decision_has_a_place_in_the_table(self):
        fields = self.env["grant.decision"]._fields.values()
        documents = {
            field.comodel_name: field.name
            for field in fields
            if field.type == "many2one" and field.comodel_name.startswith("grant.")
        }
        keys = {model._name: model._decision_key for model in self.get_models()}
        self.assertEqual(keys, documents)

    def test_no_document_goes_its_own_way(self):
        """A decision that is not in the table is a fault of the program, and nothing is written."""
        subsidy = self.make_subsidy()
        for decision in ("closed_again", "certified", "reopened"):
            with self.assertRaisesRegex(ValueError, decision), self.env.cr.savepoint():
                subsidy._decide(decision)
        self.assertEqual(subsidy.state, "draft")

    def test_decisions_that_cannot_have_followed_each_other(self):
        subsidy = self.make_subsidy()
        for decision in ("signed", "reopened"):
            self.env["grant.decision"]._record(decision, subsidy)
        with self.assertRaisesRegex(UserError, "signed, reopened"):
            subsidy._get_histories(PARIS)
