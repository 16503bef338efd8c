import datetime

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form, freeze_time

from ..common import IBANS, PDF, GrantsCommon

DAY = datetime.date(2021, 11, 20)


class TranchesCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy()
        cls.piece = cls.make_deliverable(cls.subsidy)
        cls.tranche = cls.make_tranche(cls.subsidy)
        cls.conditioned = cls.make_tranche(cls.subsidy, name="Solde", deliverable_ids=cls.piece.ids)
        cls.sign(cls.subsidy)
        direct = cls.make_subsidy(envelope_id=cls.direct_envelope.id)
        cls.direct = cls.make_tranche(direct)
        cls.sign(direct)


class TestFlow(TranchesCase):
    def test_city(self):
        self.assertEqual(self.tranche.state, "ready")
        self.certify(self.tranche)
        self.assertEqual(self.tranche.certified_by_id, self.coordinator)
        self.tranche.with_user(self.finance_officer)._do_order("M-1", DAY)
        self.assertEqual(self.tranche.ordered_by_id, self.finance_officer)
        self.assertFalse(self.subsidy.paid_amount)
        self.tranche.with_user(self.finance_officer)._do_pay(DAY, "P-1")
        self.assertEqual(self.tranche.paid_by_id, self.finance_officer)
        self.assertEqual(self.subsidy.paid_amount, 1000)
        entry = self.subsidy.entry_ids.filtered(lambda entry: entry.kind == "payment")
        self.assertEqual((entry.amount, entry.date), (1000, DAY))
        self.assertEqual(entry.memo, f"Order M-1, {self.tranche.name}")
        self.assertEqual(entry.user_id, self.finance_officer)
        self.assertEqual(
            self.tranche.decision_ids.sorted("id").mapped("decision"),
            ["certified", "ordered", "paid"],
        )

    def test_direct(self):
        """The State pays: nothing is ordered, its payment is recorded."""
        self.certify(self.direct)
        with self.assertRefused("State pays"):
            self.direct.with_user(self.finance_officer)._do_order("M-1", DAY)
        self.direct.with_user(self.finance_officer)._do_pay(DAY, "P-1")
        self.assertEqual(self.direct_envelope.paid_amount, 1000)
        self.assertFalse(self.envelope.paid_amount)
        self.ask(self.direct, "unpay", self.finance_manager, "Erreur")
        self.assertEqual(self.direct.state, "certified")
        self.assertFalse(self.direct.ordered_by_id)
        self.assertFalse(self.direct_envelope.paid_amount)

    def test_no_step_is_skipped(self):
        officer, manager = self.finance_officer, self.finance_manager
        steps = {
            "certify": lambda t: self.certify(t),
            "order": lambda t: t.with_user(officer)._do_order("M-1", DAY),
            "pay": lambda t: t.with_user(officer)._do_pay(DAY, "P-1"),
            "unpay": lambda t: self.ask(t, "unpay", manager),
            "return": lambda t: self.ask(t, "return", self.coordinator),
            "cancel": lambda t: self.ask(t, "cancel", manager),
            "replan": lambda t: t.with_user(manager).action_replan(),
            "delete": lambda t: t.unlink(),
            "override": lambda t: self.override(t, "cer"),
        }
        allowed = {
            "ready": {"certify", "cancel", "delete"},
            "certified": {"order", "return", "cancel"},
            "ordered": {"pay"},
            "paid": {"unpay"},
        }
        path = ("certify", "order", "pay")
        for number, (state, possible) in enumerate(allowed.items()):
            for name in steps.keys() - possible:
                with (
                    self.subTest(state=state, step=name),
                    self.assertRefused(),
                    self.env.cr.savepoint(),
                ):
                    for step in path[:number]:
                        steps[step](self.tranche)
                    self.assertEqual(self.tranche.state, state)
                    steps[name](self.tranche)
        steps["cancel"](self.tranche)
        for name in steps.keys() - {"replan"}:
            with self.subTest(state="cancelled", step=name), self.assertRefused():
                steps[name](self.tranche)
        steps["replan"](self.tranche)
        self.assertEqual(self.tranche.state, "ready")

    def test_frozen_once_certified(self):
        self.certify(self.tranche)
        other = self.make_subsidy()
        for values in (
            {"amount": 1},
            {"subsidy_id": other.id},
            {"kind": "balance"},
            {"deliverable_ids": [Command.link(self.piece.id)]},
        ):
            with self.subTest(values=values), self.assertRefused():
                self.tranche.with_user(self.administrator).write(values)
        with self.assertRefused():
            self.tranche.unlink()
        # The value it has, in any form, is no change.
        self.certify(self.conditioned_and_met())
        for value in (self.piece, self.piece.ids, [Command.set(self.piece.ids)], []):
            self.conditioned.write({"deliverable_ids": value, "note": "x"})
        self.assertEqual(self.conditioned.deliverable_ids, self.piece)

    def conditioned_and_met(self):
        self.ask(self.piece, "waive", self.coordinator)
        return self.conditioned

    def test_unpaid(self):
        self.pay(self.tranche)
        self.ask(self.tranche, "unpay", self.finance_manager, "Rejet bancaire")
        self.assertEqual(self.tranche.state, "ordered")
        self.assertFalse(self.subsidy.paid_amount)
        payments = self.subsidy.entry_ids.filtered(lambda entry: entry.kind == "payment")
        self.assertEqual(payments.mapped("amount"), [-1000, 1000])
        self.assertEqual(payments[0].memo, "Rejet bancaire")
        self.tranche.with_user(self.finance_officer)._do_pay(DAY, "P-2")
        self.assertEqual(self.subsidy.paid_amount, 1000)
        self.assertFalse(self.verify())

    def test_dates(self):
        tomorrow = fields.Date.today() + datetime.timedelta(days=1)
        self.order(self.tranche)
        with self.assertRefused("after today"):
            self.tranche.with_user(self.finance_officer)._do_pay(tomorrow, "P-1")
        before = self.subsidy.signature_date - datetime.timedelta(days=1)
        with self.assertRefused(self.tranche.name, "signed"):
            self.tranche.with_user(self.finance_officer)._do_pay(before, "P-1")
        self.assertEqual(self.tranche.state, "ordered")

    def test_wizards(self):
        self.certify(self.tranche)
        officer = self.tranche.with_user(self.finance_officer)
        for action, values in (
            (officer.action_order, {"order_number": "M-7"}),
            (officer.action_pay, {"payment_reference": "P-7"}),
        ):
            opened = action()
            model = self.env[opened["res_model"]].with_user(self.finance_officer)
            with Form(model.with_context(**opened["context"])) as form:
                for name, value in values.items():
                    form[name] = value
            form.record.action_confirm()
        self.assertEqual(self.tranche.state, "paid")
        self.assertEqual(self.tranche.order_number, "M-7")
        self.assertEqual(self.tranche.paid_date, fields.Date.context_today(self.tranche))

    def test_order_number(self):
        self.certify(self.tranche)
        for number in ("", "   ", False):
            with self.subTest(number=number), self.assertRefused():
                self.tranche.with_user(self.finance_officer)._do_order(number, DAY)

    def test_by_whom(self):
        wrong = {
            "certify": (self.reader, self.finance_officer, self.finance_manager),
            "order": (self.reader, self.coordinator),
            "pay": (self.reader, self.coordinator),
            "unpay": (self.reader, self.coordinator, self.finance_officer),
            "cancel": (self.reader, self.coordinator, self.finance_officer),
            "return": (self.reader,),
        }
        for step, users in wrong.items():
            for user in (*users, *self.portal_users):
                with self.subTest(step=step, user=user.login), self.assertRaises(AccessError):
                    tranche = self.tranche.with_user(user)
                    match step:
                        case "certify":
                            tranche.action_certify()
                        case "order":
                            tranche._do_order("M", DAY)
                        case "pay":
                            tranche._do_pay(DAY)
                        case _:
                            self.ask(self.tranche, step, user)

    def test_whom_to_tell(self):
        self.contract.finance_user_id = self.finance_officer
        self.certify(self.tranche)
        self.assertEqual(self.tranche.activity_ids.user_id, self.finance_officer)
        self.tranche.with_user(self.finance_officer)._do_order("M-1", DAY)
        self.assertFalse(self.tranche.activity_ids)

    def test_whom_to_tell_when_the_contract_names_nobody(self):
        self.contract.finance_user_id = False
        self.certify(self.tranche)
        told = self.tranche.activity_ids.user_id
        self.assertTrue(told.has_group("ctai_grants.group_finance_officer"))
        self.assertIn(self.company, told.company_ids)
        self.assertNotEqual(told, self.coordinator)

    def test_pieces_of_another_subsidy(self):
        other = self.make_subsidy()
        piece = self.make_deliverable(other, name="À l'autre")
        tranche = self.make_tranche(other)
        with self.assertRefused(self.tranche.name):
            self.make_tranche(self.subsidy, name=self.tranche.name, deliverable_ids=piece.ids)
        with self.assertRefused(tranche.name):
            tranche.deliverable_ids = self.piece
        with self.assertRefused(self.tranche.name):
            piece.disbursement_ids = self.tranche
        tranche.deliverable_ids = piece
        milestone = self.make_deliverable(self.make_subsidy()).milestone_id
        with self.assertRefused(tranche.name):
            piece.milestone_id = milestone


class TestConditions(TranchesCase):
    """R4: not certified while a condition is unmet, whatever one tries."""

    def assertBlocked(self, tranche, *texts):
        self.assertEqual(tranche.state, "planned")
        for text in texts:
            self.assertIn(text, tranche.blockers)
        with self.assertRefused(*texts):
            self.certify(tranche)
        with self.assertRefused(*texts):
            tranche.with_user(self.reader).action_check()

    def assertFree(self, tranche):
        tranche.with_user(self.reader).action_check()
        self.assertEqual(tranche.state, "ready")
        self.assertFalse(tranche.blockers)

    def test_subsidy_not_signed(self):
        subsidy = self.make_subsidy()
        tranche = self.make_tranche(subsidy)
        self.assertBlocked(tranche, "not signed")
        subsidy.action_grant()
        self.assertBlocked(tranche, "not signed")
        subsidy.action_sign()
        self.assertFree(tranche)

    def test_queries(self):
        """A list says what blocks each tranche in as many queries as for one."""
        tranches = self.env["grant.disbursement"]
        for _subsidy in range(6):
            subsidy = self.make_subsidy(amount=1000)
            piece = self.make_deliverable(subsidy)
            tranches |= self.make_tranche(subsidy, deliverable_ids=piece.ids)

        def count(subsidies):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            for blockers in subsidies.next_disbursement_id.mapped("blockers"):
                self.assertIn("Bilan", blockers)
            return self.env.cr.sql_log_count - before

        subsidies = self.env["grant.subsidy"].browse(tranches.subsidy_id.ids)
        few = count(subsidies[:1])
        self.assertLessEqual(count(subsidies), few)

    def test_deliverable(self):
        self.assertBlocked(self.conditioned, "Bilan", "Expected")
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        self.assertBlocked(self.conditioned, "Bilan", "Submitted")
        self.ask(self.piece, "send_back", self.coordinator)
        self.assertBlocked(self.conditioned, "Bilan", "To Complete")
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        self.piece.with_user(self.coordinator).action_accept()
        self.assertFree(self.conditioned)
        self.ask(self.piece, "reopen", self.coordinator)
        self.assertBlocked(self.conditioned, "Bilan", "To Complete")
        self.ask(self.piece, "waive", self.coordinator)

    def test_the_schedule_signed_is_kept(self):
        """A tranche without conditions, or a larger one, would pay what another one waits for."""
        tranches = self.env["grant.disbursement"].with_user(self.coordinator)
        values = {"name": "Autre", "subsidy_id": self.subsidy.id, "amount": 1}
        officer = self.conditioned.with_user(self.finance_officer)
        for attempt in (
            lambda: tranches.create(values),
            lambda: self.conditioned.with_user(self.coordinator).copy(),
            lambda: self.subsidy.with_user(self.coordinator).write(
                {"disbursement_ids": [Command.create(values)]}
            ),
            lambda: self.conditioned.with_user(self.coordinator).unlink(),
            lambda: self.conditioned.with_user(self.coordinator).write({"amount": 1}),
            lambda: officer.write({"amount": 1}),
            lambda: officer.write({"kind": "advance"}),
        ):
            with self.called_by(self.coordinator), self.assertRaises(UserError):
                attempt()
        added = tranches.with_user(self.finance_manager).create(values)
        for attempt in (
            added.unlink,
            lambda: added.write({"amount": 2}),
            lambda: added.write({"due_date": "2022-01-01"}),
            lambda: added.write({"kind": "advance"}),
        ):
            with self.assertRaises(UserError):
                attempt()

    def test_executory(self):
        self.subsidy.executory_date = False
        self.assertBlocked(self.tranche, "executory")
        self.subsidy.executory_date = fields.Date.today()
        self.assertFree(self.tranche)

    def test_a_day_that_comes_makes_ready(self):
        """Of a date in the future, from before they were refused."""
        tomorrow = fields.Date.today() + datetime.timedelta(days=1)
        self.set_dates(self.subsidy, executory_date=tomorrow)
        self.tranche._refresh_readiness()
        self.env.flush_all()
        job = self.env.ref("ctai_grants.ir_cron_refresh_readiness")
        # At noon: late in the evening it is tomorrow already further east.
        with self.enter_registry_test_mode():
            with freeze_time(f"{fields.Date.today()} 12:00"):
                job.method_direct_trigger()
            self.assertEqual(self.tranche.state, "planned")
            with freeze_time(f"{tomorrow} 12:00"):
                job.method_direct_trigger()
        self.assertEqual(self.tranche.state, "ready")
        self.assertEqual(self.conditioned.state, "planned")

    def test_convention(self):
        # Both subsidies of the operator count.
        self.company.grant_convention_threshold = 19999.99
        self.subsidy.convention_reference = False
        self.assertBlocked(self.tranche, "convention")
        self.company.grant_convention_threshold = 20000
        self.assertEqual(self.tranche.state, "ready")
        self.assertFree(self.tranche)
        self.make_subsidy(amount=1)
        self.assertBlocked(self.tranche, "convention")

    def test_republican_commitment(self):
        for requested, cer, blocked in (
            ("2022-01-01", None, False), ("2022-01-02", None, True),
            ("2022-01-02", "2022-01-02", False),
        ):  # fmt: skip
            self.set_dates(self.subsidy, request_date=requested, cer_date=cer)
            self.tranche._refresh_readiness()
            if blocked:
                self.assertBlocked(self.tranche, "républicain")
            else:
                self.assertFree(self.tranche)
        later = self.make_subsidy(decision_date="2022-01-03")
        tranche = self.make_tranche(later)
        self.sign(later)
        # Nobody entered when it was requested.
        self.assertBlocked(tranche, "républicain")

    def test_bank_changed_since(self):
        """What was verified when the work was certified is what is paid."""
        self.certify(self.tranche)
        account = self.operator.bank_ids
        account.allow_out_payment = False
        with self.assertRefused("0115", "none"):
            self.tranche.with_user(self.finance_officer)._do_order("M-1", DAY)
        self.operator.bank_ids = [
            Command.create({"acc_number": IBANS[1], "allow_out_payment": True, "sequence": 1})
        ]
        with self.assertRefused("0115", "0212"):
            self.tranche.with_user(self.finance_officer)._do_order("M-1", DAY)
        self.ask(self.tranche, "return", self.finance_officer)
        self.certify(self.tranche)
        self.tranche.with_user(self.finance_officer)._do_order("M-1", DAY)
        self.assertEqual(
            self.tranche._get_live_move().partner_bank_id.sanitized_acc_number, IBANS[1]
        )

    def test_no_order_tomorrow(self):
        self.certify(self.tranche)
        tomorrow = fields.Date.today() + datetime.timedelta(days=1)
        with self.assertRefused("future"):
            self.tranche.with_user(self.finance_officer)._do_order("M-1", tomorrow)

    def test_the_checklist_is_not_typed_in(self):
        """Nobody meets a condition by writing, nor adds or deletes one, over RPC or imports."""
        self.subsidy.executory_date = False
        row = self.tranche.condition_ids.filtered(lambda row: row.code == "executory")
        values = {"disbursement_id": self.tranche.id, "code": "due", "state": "met"}
        for user in self.staff:
            attempts = (
                lambda row: row.write({"state": "met"}),
                lambda row: row.sudo().write({"state": "met"}),
                lambda row: row.create(values),
                lambda row: row.sudo().create(values),
                lambda row: row.unlink(),
                lambda row: row.disbursement_id.write(
                    {"condition_ids": [Command.update(row.id, {"state": "met"})]}
                ),
                lambda row: row.disbursement_id.write({"condition_ids": [Command.delete(row.id)]}),
            )
            for number, attempt in enumerate(attempts):
                with (
                    self.subTest(user=user.login, attempt=number),
                    self.assertRefused(exception=AccessError),
                ):
                    attempt(row.with_user(user))
        self.assertBlocked(self.tranche, "executory")

    def test_the_evidence_stays(self):
        """What the certificate rested on is read as it was that day."""
        self.certify(self.tranche)
        evidence = self.tranche.condition_ids.filtered(lambda row: row.code == "convention")
        self.assertIn("CONV-42", evidence.evidence)
        # And it is what is paid for.
        for user in (self.coordinator, self.administrator):
            with self.assertRefused("CONV-42", self.tranche.name):
                self.subsidy.with_user(user).convention_reference = "CONV-43"
        self.subsidy.convention_reference = "CONV-42"
        self.ask(self.tranche, "return", self.finance_officer)
        self.subsidy.convention_reference = "CONV-43"

    def test_bank(self):
        account = self.operator.bank_ids
        account.allow_out_payment = False
        self.assertBlocked(self.tranche, "bank account")
        self.assertFree(self.direct)
        account.allow_out_payment = True
        self.assertFree(self.tranche)
        with self.assertRefused():
            account.unlink()
            self.certify(self.tranche)

    def test_all_are_named(self):
        self.set_dates(self.subsidy, request_date="2022-03-01", executory_date=None)
        self.operator.bank_ids.allow_out_payment = False
        self.assertBlocked(self.conditioned, "Bilan", "executory", "républicain", "bank account")

    def test_conditions_are_not_dropped_silently(self):
        """Once signed, a condition goes by an override with its reason, and no other way."""
        other = self.make_deliverable(self.make_subsidy()).milestone_id
        tranche, piece, milestone = self.conditioned, self.piece, self.piece.milestone_id
        attempts = (
            lambda: tranche.write({"deliverable_ids": [Command.clear()]}),
            lambda: tranche.write({"deliverable_ids": False}),
            lambda: tranche.write({"deliverable_ids": ()}),
            lambda: tranche.write({"deliverable_ids": piece.browse()}),
            lambda: piece.write({"disbursement_ids": False}),
            lambda: tranche.write({"deliverable_ids": [Command.unlink(piece.id)]}),
            lambda: tranche.write({"deliverable_ids": [Command.set([])]}),
            lambda: tranche.write({"deliverable_ids": [Command.delete(piece.id)]}),
            lambda: piece.write({"disbursement_ids": [Command.unlink(tranche.id)]}),
            lambda: piece.write({"milestone_id": other.id}),
            lambda: piece.unlink(),
            lambda: milestone.unlink(),
            lambda: milestone.write({"subsidy_id": other.subsidy_id.id}),
            lambda: milestone.write({"deliverable_ids": [Command.delete(piece.id)]}),
            lambda: self.subsidy.write({"milestone_ids": [Command.delete(milestone.id)]}),
            lambda: tranche.write({"subsidy_id": other.subsidy_id.id}),
        )
        for number, attempt in enumerate(attempts):
            for user in (self.coordinator, self.administrator):
                tranche, piece, milestone = (
                    record.with_user(user) for record in (tranche, piece, milestone)
                )
                with self.subTest(attempt=number, user=user.login), self.assertRefused():
                    attempt()
        self.assertBlocked(self.conditioned, "Bilan")

    def test_an_override_stays_where_it_was_given(self):
        self.subsidy.executory_date = False
        self.override(self.tranche, "executory", "Urgence")
        self.assertFree(self.tranche)
        self.assertBlocked(self.conditioned, "executory")
        other = self.make_subsidy(executory_date=False)
        with self.assertRefused():
            self.tranche.subsidy_id = other
        copy = self.tranche.with_user(self.finance_manager).copy()
        self.assertBlocked(copy.with_user(self.coordinator), "executory")

    def test_nothing_is_overridden_in_advance(self):
        self.assertEqual(
            {condition.code: condition.state for condition in self.tranche.condition_ids},
            {
                "signed": "met",
                "executory": "met",
                "convention": "met",
                "cer": "not_required",
                "bank": "met",
                "repayment": "met",
            },
        )
        for condition in self.tranche.condition_ids:
            with self.subTest(code=condition.code), self.assertRefused("nothing to override"):
                self.ask(condition, "override", self.finance_manager)

    def test_certified_then_unmet(self):
        """The certificate is a decision of its day: it is taken back with a reason."""
        self.certify(self.tranche)
        self.subsidy.with_user(self.finance_manager)._do_correct_date(
            "executory_date", False, "Jamais transmise"
        )
        self.ask(self.tranche, "return", self.finance_officer, "Non exécutoire")
        self.assertBlocked(self.tranche, "executory")
        self.assertFalse(self.tranche.certified_by_id)

    def test_no_condition_comes_after_the_certificate(self):
        self.ask(self.piece, "waive", self.coordinator)
        self.certify(self.conditioned)
        with self.assertRefused(self.conditioned.display_name):
            self.make_deliverable(self.subsidy, disbursement_ids=self.conditioned.ids)
        self.piece.copy()
        self.assertEqual(self.conditioned.deliverable_ids, self.piece)


class TestTwoPeople(TranchesCase):
    """R5: who certifies does not order, even with both jobs, by any path."""

    def test_city(self):
        self.certify(self.tranche, self.both_roles)
        tranche = self.tranche.with_user(self.both_roles)
        wizard = self.env["grant.disbursement.order"].with_user(self.both_roles)
        attempts = (
            lambda: tranche._do_order("M-1", DAY),
            lambda: tranche.sudo()._do_order("M-1", DAY),
            lambda: wizard.create(
                {"disbursement_ids": tranche.ids, "order_number": "M-1"}
            ).action_confirm(),
            lambda: call_kw(
                wizard,
                "action_confirm",
                [wizard.create({"disbursement_ids": tranche.ids, "order_number": "M-1"}).ids],
                {"context": {"grant_transition": True, "force": True}},
            ),
        )
        for number, attempt in enumerate(attempts):
            with self.subTest(attempt=number), self.assertRefused("somebody else"):
                attempt()
        self.assertEqual(self.tranche.state, "certified")
        self.tranche.with_user(self.finance_officer)._do_order("M-1", DAY)

    def test_direct(self):
        self.certify(self.direct, self.both_roles)
        wizard = self.env["grant.disbursement.pay"].with_user(self.both_roles)
        for attempt in (
            lambda: self.direct.with_user(self.both_roles)._do_pay(DAY, "P-1"),
            lambda: wizard.create({"disbursement_id": self.direct.id}).action_confirm(),
        ):
            with self.assertRefused("somebody else"):
                attempt()
        self.assertFalse(self.direct_envelope.paid_amount)
        self.direct.with_user(self.finance_officer)._do_pay(DAY, "P-1")

    def test_administrators_too(self):
        admin = self.env.ref("base.user_admin")
        # Beside other data its companies are others.
        admin.company_ids |= self.company
        for user in (self.administrator, admin, self.env.user):
            with self.subTest(user=user.login), self.assertRefused("somebody else"):
                self.certify(self.tranche, user)
                self.tranche.with_user(user)._do_order("M-1", DAY)

    def test_the_certificate_is_not_passed_on(self):
        """One may certify, take it back, and order what another person certified after that."""
        self.certify(self.tranche, self.both_roles)
        self.ask(self.tranche, "return", self.both_roles)
        self.certify(self.tranche, self.coordinator)
        self.tranche.with_user(self.both_roles)._do_order("M-1", DAY)
        self.assertEqual(
            self.tranche.decision_ids.sorted("id").mapped(lambda d: (d.decision, d.user_id)),
            [
                ("certified", self.both_roles),
                ("returned", self.both_roles),
                ("certified", self.coordinator),
                ("ordered", self.both_roles),
            ],
        )

    def test_nobody_signs_for_another(self):
        self.certify(self.tranche, self.both_roles)
        for values in (
            {"certified_by_id": self.coordinator.id},
            {"certified_by_id": False},
            {"ordered_by_id": self.finance_officer.id},
            {"state": "ordered"},
        ):
            with self.subTest(values=values), self.assertRaises(AccessError):
                self.tranche.with_user(self.both_roles).write(values)
