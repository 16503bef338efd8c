import datetime

import psycopg2

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import Form, freeze_time
from odoo.tools import mute_logger

from ..common import PDF, GrantsCommon


class TestSubsidyFlow(GrantsCommon):
    def decisions(self, document):
        return document.decision_ids.sorted("id").mapped("decision")

    def test_from_draft_to_closed(self):
        subsidy = self.make_subsidy(
            action_ids=[
                Command.create({"name": "Atelier", "amount": 6000.1}),
                Command.create({"name": "Permanence", "amount": 0}),
            ]
        )
        subsidy.action_grant()
        self.assertFalse(subsidy.entry_ids)
        subsidy.action_sign()
        self.assertEqual(subsidy.committed_amount, 10000)
        commitments = subsidy.entry_ids.sorted("number")
        self.assertEqual(commitments.mapped("amount"), [6000.1, 3999.9])
        self.assertEqual(commitments.mapped("action_id.name"), ["Atelier"])
        self.assertEqual(commitments.partner_id, self.operator)
        self.assertEqual(set(commitments.mapped("date")), {datetime.date(2021, 10, 25)})
        self.assertEqual(commitments.user_id, self.coordinator)
        paid = self.make_tranche(subsidy, amount=4000)
        planned = self.make_tranche(subsidy, amount=6000)
        self.pay(paid)
        self.ask(subsidy, "close", self.finance_manager, "Terminé")
        self.assertEqual((paid.state, planned.state), ("paid", "cancelled"))
        self.assertEqual(subsidy.committed_amount, 4000)
        decision = subsidy.decision_ids.sorted("id")[-1]
        self.assertEqual((decision.decision, decision.reason), ("closed", "Terminé"))
        self.assertEqual(decision.user_id, self.finance_manager)
        subsidy.with_user(self.finance_manager).action_reopen()
        self.assertEqual(subsidy.committed_amount, 10000)
        self.assertFalse(self.verify())

    def test_what_granting_needs(self):
        for name in ("amount", "date_start", "date_end", "decision_number", "decision_date"):
            subsidy = self.make_subsidy(**{name: False})
            with self.subTest(name=name), self.assertRefused(subsidy._fields[name].string):
                subsidy.action_grant()
        own_cost = self.make_subsidy(
            kind="own_cost",
            decision_number=False,
            decision_date=False,
            partner_id=self.company.partner_id.id,
        )
        self.sign(own_cost)

    def test_what_signing_needs(self):
        subsidy = self.make_subsidy(signature_date=False)
        with self.assertRefused("Draft"):
            subsidy.action_sign()
        subsidy.action_grant()
        with self.assertRefused(subsidy._fields["signature_date"].string):
            subsidy.action_sign()
        with self.assertRefused("and today is"):
            subsidy.signature_date = fields.Date.today() + datetime.timedelta(days=1)
        subsidy.signature_date = fields.Date.today()
        subsidy.action_sign()
        with self.assertRefused("Signed"):
            subsidy.action_sign()
        self.assertEqual(subsidy.committed_amount, 10000)

    def test_operator_without_siret(self):
        subsidy = self.make_subsidy()
        subsidy.action_grant()
        self.operator.company_registry = False
        with self.assertRefused("SIRET", self.operator.name):
            subsidy.action_sign()
        self.assertEqual((subsidy.state, self.envelope.committed_amount), ("granted", 0))
        # An association of another country has none.
        self.operator.country_id = self.env.ref("base.ca")
        subsidy.action_sign()

    def test_by_whom(self):
        subsidy = self.make_subsidy()
        outsiders = (self.reader, self.finance_officer, self.finance_manager, *self.portal_users)
        for user in outsiders:
            for method in ("action_grant", "action_sign", "action_reset_to_draft"):
                with self.subTest(user=user.login, method=method), self.assertRaises(AccessError):
                    getattr(subsidy.with_user(user), method)()
            with self.subTest(user=user.login, method="create"), self.assertRaises(AccessError):
                subsidy.with_user(user).copy()
            with self.subTest(user=user.login, method="cancel"), self.assertRaises(AccessError):
                self.ask(subsidy, "cancel", user)
        self.sign(subsidy)
        for user in (self.reader, self.coordinator, self.finance_officer, *self.portal_users):
            with self.subTest(user=user.login, method="close"), self.assertRaises(AccessError):
                self.ask(subsidy, "close", user)
            with self.subTest(user=user.login, method="reopen"), self.assertRaises(AccessError):
                subsidy.with_user(user).action_reopen()

    def test_frozen(self):
        subsidy = self.make_subsidy()
        subsidy.action_grant()
        other = self.direct_envelope.id
        changes = (
            {"amount": 1},
            {"envelope_id": other},
            {"partner_id": self.other_operator.id},
            {"kind": "own_cost"},
            {"decision_number": "x"},
            {"decision_date": "2021-01-01"},
            {"active": False},
        )
        for state in ("granted", "signed"):
            for values in changes:
                with self.subTest(state=state, values=values), self.assertRefused():
                    subsidy.with_user(self.administrator).write(values)
            with self.subTest(state=state), self.assertRefused():
                subsidy.with_user(self.administrator).unlink()
            if state == "granted":
                subsidy.signature_date = "2021-10-26"
                subsidy.code = "S-X"
                subsidy.action_sign()
        for values in ({"signature_date": "2021-10-27"}, {"code": "S-Y"}):
            with self.subTest(values=values), self.assertRefused():
                subsidy.write(values)
        subsidy.write({"amount": 10000.0, "partner_id": self.operator.id, "name": "Renamed"})

    def test_frozen_actions(self):
        subsidy = self.make_subsidy(
            action_ids=[Command.create({"name": "Atelier", "amount": 6000})]
        )
        action = subsidy.action_ids
        self.sign(subsidy)
        other = self.make_subsidy()
        for values in ({"amount": 1}, {"subsidy_id": other.id}):
            with self.subTest(values=values), self.assertRefused():
                action.write(values)
        with self.assertRefused():
            action.unlink()
        action.places = 12

    @mute_logger("odoo.sql_db")
    def test_what_actions_are_about_stays(self):
        """Themes and audiences: archived ones stay on them, and none is deleted."""
        theme = self.env["grant.theme"].create({"name": "Patrimoine local"})
        audience = self.env["grant.audience"].create({"name": "Seniors", "code": "test_seniors"})
        values = {"name": "A", "theme_ids": theme.ids, "audience_ids": audience.ids}
        action = self.make_subsidy(action_ids=[Command.create(values)]).action_ids
        theme.active = audience.active = False
        self.env.invalidate_all()
        self.assertEqual((action.theme_ids, action.audience_ids), (theme, audience))
        self.assertEqual(action.subsidy_id.theme_ids, theme)
        for used in (theme, audience):
            with self.subTest(used=used), self.assertRaises(psycopg2.IntegrityError):
                used.unlink()

    def test_a_draft_can_go_and_nothing_else(self):
        draft = self.make_subsidy()
        self.make_tranche(draft)
        self.make_deliverable(draft)
        draft.unlink()
        granted = self.make_subsidy()
        granted.action_grant()
        granted.action_reset_to_draft()
        with self.assertRefused("decisions"):
            granted.unlink()

    def test_cancelled_and_taken_up_again(self):
        subsidy = self.sign(self.make_subsidy())
        self.ask(subsidy, "cancel", self.coordinator, "Abandon")
        self.assertEqual((subsidy.state, subsidy.committed_amount), ("cancelled", 0))
        self.assertEqual(subsidy.entry_ids.mapped("amount"), [-10000, 10000])
        subsidy.action_reset_to_draft()
        for values in (
            {"envelope_id": self.direct_envelope.id},
            {"partner_id": self.other_operator.id},
            {"active": False},
        ):
            with self.subTest(values=values), self.assertRefused():
                subsidy.write(values)
        subsidy.amount = 9000
        self.sign(subsidy)
        self.assertEqual(subsidy.committed_amount, 9000)
        self.assertFalse(self.verify())

    def test_what_it_left_behind_stays_with_it(self):
        """Actions in the ledger and files of its operator, when it is a draft again (R3, R7)."""
        subsidy = self.make_subsidy(action_ids=[Command.create({"name": "A", "amount": 1})])
        piece = self.make_deliverable(subsidy)
        self.sign(subsidy)
        piece._do_submit("bilan.pdf", PDF)
        self.ask(subsidy, "cancel", self.coordinator)
        subsidy.action_reset_to_draft()
        other = self.make_subsidy(partner_id=self.other_operator.id)
        for child in (subsidy.action_ids, piece.milestone_id):
            with self.subTest(child=child), self.assertRefused("cannot be changed"):
                child.with_user(self.coordinator).subsidy_id = other
        with self.assertRefused("cannot be changed"):
            other.milestone_ids = [Command.link(piece.milestone_id.id)]

    def test_what_forbids_cancelling_and_closing(self):
        subsidy = self.sign(self.make_subsidy())
        tranche = self.order(self.make_tranche(subsidy))
        for action, user in (("cancel", self.coordinator), ("close", self.finance_manager)):
            with self.subTest(action=action), self.assertRefused(tranche.name):
                self.ask(subsidy, action, user)
        tranche.with_user(self.finance_officer)._do_pay(datetime.date(2021, 11, 25))
        with self.assertRefused("paid"):
            self.ask(subsidy, "cancel", self.coordinator)
        self.ask(subsidy, "close", self.finance_manager)
        with self.assertRefused("Closed"):
            self.ask(tranche, "unpay", self.finance_manager)
        with self.assertRefused("Closed"):
            self.ask(subsidy, "close", self.finance_manager)

    def test_reasons(self):
        subsidy = self.sign(self.make_subsidy())
        with self.assertRefused("reason"):
            self.ask(subsidy, "close", self.finance_manager, "  ")
        for model, action in (
            ("grant.subsidy", "unlink"),
            ("grant.subsidy", "_transition"),
            ("res.users", "unlink"),
            ("grant.contract", "close"),
        ):
            with self.subTest(model=model, action=action), self.assertRefused("no such action"):
                self.env["grant.reason"].with_user(self.administrator).create(
                    {"res_model": model, "res_ids": [1], "action": action, "reason": "x"}
                ).action_confirm()
        self.assertEqual(subsidy.state, "signed")

    def test_decisions_are_written_once(self):
        subsidy = self.sign(self.make_subsidy())
        first = subsidy.decision_ids.sorted("id")
        self.assertEqual(first.mapped("decision"), ["granted", "signed"])
        self.assertEqual(first.user_id, self.coordinator)
        self.ask(subsidy, "cancel", self.coordinator)
        subsidy.action_reset_to_draft()
        self.assertEqual(self.decisions(subsidy), ["granted", "signed", "cancelled", "reopened"])
        self.assertEqual(subsidy.decision_ids.sorted("id")[:2], first)

    def test_a_decision_is_about_its_document(self):
        """Whatever defaults a client sends along (R5)."""
        other = self.sign(self.make_subsidy())
        defaults = {
            "default_disbursement_id": self.make_tranche(other).id,
            "default_deliverable_id": self.make_deliverable(other).id,
            "default_condition": "bank",
            "default_reason": "x",
        }
        subsidy = self.make_subsidy().with_context(**defaults)
        subsidy.action_grant()
        decision = subsidy.decision_ids
        self.assertEqual(decision.decision, "granted")
        for name in ("disbursement_id", "deliverable_id", "condition", "reason"):
            self.assertFalse(decision[name], name)

    @mute_logger("odoo.sql_db")
    def test_bad_input(self):
        subsidy = self.make_subsidy()
        for values in (
            {"amount": -0.01},
            {"date_end": "2021-10-24"},
            {"code": self.make_subsidy().code},
            {"partner_id": False},
        ):
            with self.subTest(values=values), self.assertRaises(psycopg2.IntegrityError):
                subsidy.write(values)
                self.env.flush_all()
        for values in (
            {"kind": "own_cost", "partner_id": self.operator.id},
            {"partner_id": self.company.partner_id.id},
            {"action_ids": [Command.create({"name": "Trop", "amount": 10000.01})]},
        ):
            with self.subTest(values=values), self.assertRefused(subsidy.code):
                subsidy.write(values)
        subsidy.action_ids = [Command.create({"name": "Tout", "amount": 10000})]
        with self.assertRefused(subsidy.code):
            subsidy.amount = 9999.99

    def test_new_form(self):
        """The form opens empty, and each field may come first."""
        with Form(self.env["grant.subsidy"].with_user(self.coordinator)) as form:
            form.amount = 10
            form.name = "Nouvelle"
            form.partner_id = self.operator
            form.envelope_id = self.envelope
        self.assertEqual(form.record.state, "draft")
        self.assertEqual(form.record.user_id, self.coordinator)

    def test_new_own_cost(self):
        with Form(self.env["grant.subsidy"].with_user(self.coordinator)) as form:
            form.kind = "own_cost"
            form.name = "Poste"
            form.amount = 10
            form.envelope_id = self.envelope
        self.assertEqual(form.record.partner_id, self.company.partner_id)

    # ------------------------------------------------------------------
    # The convention's threshold
    # ------------------------------------------------------------------

    def test_convention_threshold(self):
        subsidy = self.make_subsidy(amount=23000)
        self.assertFalse(subsidy.convention_required)
        subsidy.amount = 23000.01
        self.assertTrue(subsidy.convention_required)

    def test_convention_counts_the_year(self):
        first = self.make_subsidy(amount=23000)
        second = self.make_subsidy(amount=0.01, decision_date="2021-12-31")
        self.assertTrue(second.convention_required)
        for values in (
            {"decision_date": "2022-01-01"},
            {"partner_id": self.other_operator.id},
        ):
            with self.subTest(values=values):
                self.assertFalse(self.make_subsidy(amount=0.01, **values).convention_required)
        self.ask(first, "cancel", self.coordinator)
        second.invalidate_recordset()
        self.assertFalse(second.convention_required)

    def test_a_grant_cannot_be_hidden_from_the_threshold(self):
        """Archiving the other grant of the year would make the convention unnecessary."""
        first = self.make_subsidy(amount=23000)
        first.action_grant()
        with self.assertRefused():
            first.active = False

    def test_period_within_the_contract(self):
        subsidy = self.make_subsidy()
        for vals, field in (
            ({"date_start": "2020-02-01"}, "Start"),
            ({"date_end": "2031-01-01"}, "End"),
        ):
            with self.assertRefused(field, self.contract.code):
                subsidy.write(vals)
        with self.assertRefused("End", self.contract.code):
            self.contract._transition(date_end="2022-06-29")

    def test_no_milestone_before_the_subsidy(self):
        subsidy = self.make_subsidy(date_start="2021-11-15")
        piece = self.make_deliverable(subsidy)
        piece.milestone_id.date = subsidy.decision_date
        with self.assertRefused("Bilan", subsidy.code):
            piece.milestone_id.date = "2021-09-26"

    def test_tranches_add_up(self):
        subsidy = self.make_subsidy(amount=1500)
        self.make_tranche(subsidy)
        self.assertIn("short of the amount", subsidy.schedule_warning)
        second = self.make_tranche(subsidy, amount=500.01)
        self.assertIn("exceed the amount", subsidy.schedule_warning)
        subsidy.action_grant()
        with self.assertRefused(subsidy.code, "1,500.01"):
            subsidy.action_sign()
        self.assertEqual(subsidy.state, "granted")
        second.amount = 500
        self.assertFalse(subsidy.schedule_warning)
        subsidy.action_sign()

    def test_what_is_archived_stays_a_draft(self):
        """Once granted it could not come back, and its contract would be closed over it."""
        subsidy = self.make_subsidy(active=False)
        contract = self.contract.copy({"active": False})
        contract.signature_date = "2021-10-21"
        for document, action in (
            (subsidy, subsidy.action_grant),
            (contract, contract.with_user(self.finance_manager).action_put_in_force),
        ):
            with self.subTest(document=document), self.assertRefused("archived"):
                action()
        self.assertEqual((subsidy.state, contract.state), ("draft", "draft"))

    # ------------------------------------------------------------------
    # Lists
    # ------------------------------------------------------------------

    @freeze_time("2022-08-01")
    def test_late(self):
        subsidy = self.make_subsidy()
        piece = self.make_deliverable(subsidy)
        tranche = self.make_tranche(subsidy, due_date="2022-07-01")
        late = [("is_late", "=", True)]
        milestone = piece.milestone_id
        self.assertFalse(piece.is_late or tranche.is_late, "nothing is late before the signature")
        self.assertEqual(milestone.state, "due")
        self.assertIn(milestone, milestone.search([("state", "=", "due")]))
        self.assertNotIn(milestone, milestone.search([("state", "=", "late")]))
        self.assertNotIn(piece, piece.search(late))
        self.assertNotIn(tranche, tranche.search(late))
        self.sign(subsidy)
        self.assertTrue(piece.is_late and tranche.is_late)
        self.assertEqual(milestone.state, "late")
        self.assertIn(milestone, milestone.search([("state", "=", "late")]))
        self.assertNotIn(milestone, milestone.search([("state", "=", "due")]))
        self.assertIn(piece, piece.search(late))
        self.assertIn(tranche, tranche.search(late))
        self.assertTrue(subsidy.is_late)
        found = self.env["grant.subsidy"].search([("is_late", "=", True)])
        self.assertIn(subsidy, found)
        self.assertNotIn(subsidy, found.search([("is_late", "=", False)]))
        self.ask(piece, "waive", self.coordinator)
        self.assertFalse(subsidy.is_late)

    def test_next_payment(self):
        subsidy = self.sign(self.make_subsidy())
        late = self.make_tranche(subsidy, amount=2, due_date="2022-06-01")
        soon = self.make_tranche(subsidy, amount=1, due_date="2021-12-01")
        self.assertEqual((subsidy.next_disbursement_id, subsidy.next_amount), (soon, 1))
        self.pay(soon)
        self.assertEqual(subsidy.next_disbursement_id, late)
