import datetime

from odoo.exceptions import AccessError
from odoo.tests import Form, TransactionCase

from ...lib.award.renewal import move, say
from ..common import GrantsCommon


class TestMoving(TransactionCase):
    def test_days_and_names(self):
        day = datetime.date
        self.assertEqual(move(day(2023, 2, 28), 1), day(2024, 2, 29))
        self.assertEqual(move(day(2024, 2, 29), 1), day(2025, 2, 28))
        self.assertEqual(move(day(2023, 2, 27), 1), day(2024, 2, 27))
        self.assertFalse(move(False, 1))
        self.assertEqual(say("Ateliers 2021-2022, lot 12021", 1), "Ateliers 2022-2023, lot 12021")


class TestRenewal(GrantsCommon):
    """The next year of a subsidy, and of a contract: drafts, without anything decided."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        values = {"date_start": "2021-10-25", "date_end": "2021-12-31", "name": "Ateliers 2021"}
        cls.subsidy = cls.make_subsidy(engagement_number="E1", **values)
        cls.piece = cls.make_deliverable(cls.subsidy)
        cls.env["grant.action"].create({"name": "FLE", "subsidy_id": cls.subsidy.id, "amount": 10})
        cls.tranche = cls.make_tranche(cls.subsidy, deliverable_ids=cls.piece.ids)
        cls.sign(cls.subsidy)

    def test_one_button(self):
        action = self.subsidy.with_user(self.coordinator).action_renew()
        draft = self.subsidy.browse(action["res_id"])
        self.assertEqual((draft.state, draft.name), ("draft", "Ateliers 2022"))
        self.assertEqual([str(draft.date_start), str(draft.date_end)], ["2022-10-25", "2022-12-31"])
        self.assertNotEqual(draft.code, self.subsidy.code)
        for name in (
            "decision_number", "decision_date", "signature_date", "executory_date",
            "convention_reference", "engagement_number",
        ):  # fmt: skip
            self.assertFalse(draft[name], name)
        self.assertEqual(draft.action_ids.mapped("name"), ["FLE"])
        piece, tranche = draft.deliverable_ids, draft.disbursement_ids
        self.assertEqual((piece.state, str(piece.due_date)), ("expected", "2023-06-30"))
        self.assertEqual(tranche.deliverable_ids, piece)
        self.assertEqual((tranche.amount, tranche.state), (self.tranche.amount, "planned"))
        self.assertEqual(tranche.due_date, move(self.tranche.due_date, 1))
        # Once is enough, and a draft has no next year.
        with self.assertRefused(self.subsidy.code, draft.code, "renewed already"):
            self.subsidy.with_user(self.coordinator).action_renew()
        with self.assertRefused("Draft"):
            draft.with_user(self.coordinator).action_renew()
        with self.assertRaises(AccessError):
            self.subsidy.with_user(self.finance_officer).action_renew()

    def test_after_the_closing(self):
        """What the closing cancelled is planned again; what others were put in the place of is
        not."""
        given_up = self.make_tranche(self.subsidy, name="Abandonnée", amount=9000)
        self.ask(given_up, "cancel", self.finance_manager, "Remplacée")
        self.make_tranche(self.subsidy, name="Suite", amount=6500)
        self.make_tranche(self.subsidy, name="Solde", amount=2500)
        self.ask(self.subsidy, "close", self.finance_manager, "Fin")
        self.assertEqual(set(self.subsidy.disbursement_ids.mapped("state")), {"cancelled"})
        draft = self.subsidy.with_user(self.coordinator)._renew()
        self.assertEqual(sorted(draft.disbursement_ids.mapped("amount")), [1000, 2500, 6500])
        self.assertFalse(draft.schedule_warning)

    def test_of_several_years(self):
        """As many again, after them: no year is granted twice."""
        values = {"name": "A", "date_start": "2022-01-01", "date_end": "2023-12-31"}
        next_ones = self.env["grant.subsidy"].new(values)._get_renewal_values()
        dates = [str(next_ones[name]) for name in ("date_start", "date_end")]
        self.assertEqual(dates, ["2024-01-01", "2025-12-31"])

    def test_a_piece_due_before_the_start(self):
        """At the signature, which the next year has not yet."""
        subsidy = self.make_subsidy(date_end="2021-12-31")
        self.make_deliverable(subsidy).milestone_id.date = "2021-10-01"
        draft = self.sign(subsidy).with_user(self.coordinator)._renew()
        self.assertEqual(str(draft.milestone_ids.date), "2022-10-25")

    def test_a_whole_contract(self):
        self.make_subsidy(name="Brouillon")
        window = self.env["grant.contract.renewal"].with_user(self.coordinator)
        form = Form(window.with_context(**self.contract.action_renew()["context"]))
        self.assertEqual((form.code, str(form.date_start)), ("TEST-2022", "2022-10-21"))
        self.assertEqual(form.subsidy_ids[:], self.subsidy)
        action = form.save().action_confirm()
        contract = self.contract.browse(action["res_id"])
        self.assertEqual((contract.state, contract.code), ("draft", "TEST-2022"))
        self.assertFalse(contract.signature_date)
        self.assertEqual(
            contract.envelope_ids.mapped("amount"), self.contract.envelope_ids.mapped("amount")
        )
        self.env.invalidate_all()
        draft = contract.subsidy_ids
        self.assertEqual((draft.name, draft.state), ("Ateliers 2022", "draft"))
        self.assertEqual(draft.envelope_id, contract.envelope_ids[0])

    def test_the_same_contract_goes_on(self):
        window = self.env["grant.contract.renewal"].with_user(self.coordinator)
        window = window.create({"contract_id": self.contract.id, "target": "same"})
        action = window.action_confirm()
        draft = self.subsidy.browse(action["res_id"])
        self.assertEqual((draft.contract_id, draft.state), (self.contract, "draft"))

    def test_budget_codes(self):
        draft = self.make_subsidy(budget_function="424", budget_service="CULTURE")
        for values in ({"budget_function": "42.4"}, {"budget_service": "TOO LONG A CODE"}):
            with self.subTest(values=values), self.assertRefused(*values.values()):
                draft.write(values)
