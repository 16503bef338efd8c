from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import tagged

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

from ...models.guard import transition
from ..common import GrantsCommon

KEY = transition.KEY


class TestTransition(GrantsCommon):
    """What lets a document's method write a guarded field is spent by that one write."""

    def watch(self, model, method, seen):
        """Have another add-on's override of ``method`` that notes the context it is given."""
        origin = getattr(type(self.env[model]), method)

        def override(records, *args, **kwargs):
            result = origin(records, *args, **kwargs)
            seen.append(records.env.context.get(KEY))
            return result

        return patch.object(type(self.env[model]), method, override)

    def test_spent_by_the_write(self):
        tranche = self.make_tranche(self.make_subsidy())
        allowed = transition.writing(tranche, {"state": "paid"})
        allowed.write({"state": "paid"})
        with self.assertRaises(AccessError):
            allowed.write({"state": "planned"})
        self.assertEqual(tranche.state, "paid")

    def test_only_what_it_was_made_for(self):
        subsidy = self.make_subsidy()
        tranche, other = self.make_tranche(subsidy), self.make_tranche(subsidy)
        for records, vals in (
            (other, {"state": "paid"}),
            (tranche | other, {"state": "paid"}),
            (tranche, {"paid_date": "2021-11-25"}),
            (tranche, {"state": "paid", "paid_date": "2021-11-25"}),
        ):
            allowed = transition.writing(tranche, {"state": "paid"})
            context = {KEY: allowed.env.context[KEY]}
            with self.subTest(records=records, vals=vals), self.assertRaises(AccessError):
                records.with_context(**context).write(vals)
        self.assertEqual((tranche | other).mapped("paid_date"), [False, False])

    def test_no_other_object_opens(self):
        tranche = self.make_tranche(self.make_subsidy())

        class Forged:
            def spend(self, *_args, **_kwargs):
                return frozenset({"state"})

        for key in (True, "transition", object(), Forged(), {"names": ["state"]}):
            with self.subTest(key=key), self.assertRaises(AccessError):
                tranche.with_context(**{KEY: key}).write({"state": "paid"})

    def test_creation_is_counted(self):
        decisions = self.env["grant.decision"]
        subsidy = self.make_subsidy()
        vals = {
            "decision": "granted", "subsidy_id": subsidy.id, "company_id": self.company.id,
            "user_id": self.env.uid, "decided_at": "2021-10-01 10:00:00",
        }  # fmt: skip
        allowed = transition.creating(decisions, [vals])
        with self.assertRaises(AccessError):
            allowed.create([vals, vals])
        allowed.create(vals)
        with self.assertRaises(AccessError):
            allowed.create(vals)

    def test_nobody_below_or_beside_inherits_it(self):
        """Neither what an act does in turn, nor whoever overrides, gets a transition that opens."""
        subsidy = self.make_subsidy()
        seen = []
        with (
            self.watch("grant.subsidy", "write", seen),
            self.watch("grant.disbursement", "write", seen),
            self.watch("grant.condition", "create", seen),
            self.watch("grant.decision", "create", seen),
        ):
            self.make_tranche(subsidy)
            self.sign(subsidy)
        self.assertGreater(len(seen), 5)
        for left in filter(None, seen):
            self.assertFalse(left.ids)
            self.assertFalse(left.count)

    def test_an_override_cannot_use_it_for_more(self):
        """An add-on that writes more on the way is refused; its own fields are its affair."""
        subsidy = self.make_subsidy()
        origin = type(subsidy).write

        def override(records, vals):
            if "state" in vals and "committed_amount" not in vals:
                vals = {**vals, "committed_amount": 5000}
            return origin(records, vals)

        with patch.object(type(subsidy), "write", override), self.assertRaises(AccessError):
            subsidy.with_user(self.coordinator).action_grant()

        def harmless(records, vals):
            return origin(records, {**vals, "note": "<p>vu</p>"} if "state" in vals else vals)

        with patch.object(type(subsidy), "write", harmless):
            subsidy.with_user(self.coordinator).action_grant()
        self.assertEqual((subsidy.state, subsidy.note), ("granted", "<p>vu</p>"))


class TestDeletion(GrantsCommon):
    def test_no_key_of_the_context_deletes(self):
        """Odoo skips the guards of deletion under a key that a client can send."""
        subsidy = self.make_subsidy()
        piece = self.make_deliverable(subsidy)
        tranche = self.make_tranche(subsidy, deliverable_ids=piece.ids)
        self.sign(subsidy)
        amendment = self.env["grant.amendment"].create({"contract_id": self.contract.id})
        amendment._transition(state="signed")
        documents = (piece, piece.milestone_id, tranche, subsidy, self.envelope, self.contract)
        for document in (*documents, amendment, amendment.line_ids[0]):
            for user in (self.coordinator, self.finance_manager, self.administrator):
                kwargs = {"context": {MODULE_UNINSTALL_FLAG: True}}
                with (
                    self.subTest(document=document, user=user.login),
                    self.assertRaises(UserError),
                    self.env.cr.savepoint(),
                ):
                    call_kw(self.env[document._name].with_user(user), "unlink",
                            [document.ids], kwargs)  # fmt: skip
                self.assertTrue(document.exists())


@tagged("post_install", "-at_install")
class TestAutomation(GrantsCommon):
    """A real automation rule, which runs inside the write it watches."""

    def make_rule(self, code):
        if "base.automation" not in self.env:
            # Our own test database has it, and ./ctai test lets nothing be skipped.
            self.skipTest("no base_automation in this database")
        model = self.env["ir.model"]._get("grant.disbursement")
        action = self.env["ir.actions.server"].create(
            {"name": "Règle", "model_id": model.id, "state": "code", "code": code}
        )
        return self.env["base.automation"].create(
            {
                "name": "Règle",
                "model_id": model.id,
                "trigger": "on_create_or_write",
                "action_server_ids": [(6, 0, action.ids)],
            }
        )

    def test_a_rule_inherits_nothing(self):
        """It may look and take notes; what nobody types in, it does not type in either."""
        tranche = self.make_tranche(self.sign(self.make_subsidy()))
        self.make_rule(
            "if record.state == 'certified' and not record.note: "
            "record.write({'note': str(bool(env.context.get('grant_transition')))})"
        )
        tranche.with_user(self.coordinator).action_certify()
        self.assertEqual(tranche.state, "certified")
        self.assertTrue(tranche.note)

    def test_a_rule_cannot_pay(self):
        tranche = self.make_tranche(self.sign(self.make_subsidy()))
        self.make_rule("if record.state == 'certified': record.write({'state': 'paid'})")
        with self.assertRaises(AccessError):
            tranche.with_user(self.coordinator).action_certify()
        self.assertFalse(tranche.subsidy_id.paid_amount)

    def test_a_rule_cannot_pass_it_on(self):
        """Not even with the context that the write came with."""
        tranche = self.make_tranche(self.sign(self.make_subsidy()))
        other = self.make_tranche(tranche.subsidy_id)
        self.make_rule(
            f"if record.state == 'certified' and record.id == {tranche.id}: "
            f"env['grant.disbursement'].browse({other.id})"
            ".with_context(record.env.context).write({'state': 'paid'})"
        )
        with self.assertRaises(AccessError):
            tranche.with_user(self.coordinator).action_certify()
