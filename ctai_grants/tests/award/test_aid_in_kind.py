import datetime

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time
from odoo.tools import SQL, mute_logger

from ..common import GrantsCommon, make_siret


@freeze_time("2021-12-01 10:00:00")
class TestAidInKind(GrantsCommon):
    """Premises, staff, equipment: counted, published, never paid."""

    def make_aid(self, user=None, **values):
        return (
            self.env["grant.aid.in.kind"]
            .with_user(user or self.coordinator)
            .create(
                {
                    "name": "Salle B",
                    "partner_id": self.operator.id,
                    "amount": 3600,
                    "date_start": "2021-01-01",
                    "date_end": "2021-12-31",
                    "decision_number": "2020-0118",
                    "decision_date": "2020-12-14",
                    **values,
                }
            )
        )

    def record(self, user=None, **values):
        aid = self.make_aid(user, **values)
        aid.action_record()
        return aid

    # ------------------------------------------------------------------
    # The document
    # ------------------------------------------------------------------

    def test_recorded_then_frozen(self):
        aid = self.record()
        self.assertEqual((aid.state, aid.recorded_by_id), ("recorded", self.coordinator))
        for values in ({"amount": 1}, {"date_start": "2021-02-01"}, {"name": "Salle C"}):
            with self.assertRefused("Recorded"):
                aid.write(values)
        aid.note = "Clé au gardien."
        with self.assertRefused("Salle B"):
            aid.unlink()
        with self.assertRefused("Salle B"):
            aid.action_record()

    def test_state_is_not_typed_in(self):
        aid = self.make_aid()
        for name, value in (
            ("state", "recorded"),
            ("recorded_at", "2021-11-01 10:00:00"),
            ("cancel_reason", "Non"),
        ):
            with self.assertRefused(exception=AccessError):
                aid.write({name: value})
            with self.assertRefused(exception=AccessError):
                self.make_aid(**{name: value})

    def test_cancelled_by_reason(self):
        aid = self.record()
        with self.assertRefused("reason"):
            aid._do_cancel("  ")
        self.ask(aid, "cancel", self.finance_officer, "Salle reprise")
        self.assertEqual(
            (aid.state, aid.cancel_reason, aid.cancelled_by_id),
            ("cancelled", "Salle reprise", self.finance_officer),
        )
        with self.assertRefused("Cancelled"):
            aid.action_record()
        again = aid.copy()
        self.assertEqual((again.state, again.decision_number), ("draft", False))

    def test_ground(self):
        """Nothing is given without a decision, and none that is still to come."""
        nothing = self.make_aid(decision_number=False, decision_date=False)
        with self.assertRefused("ground"):
            nothing.action_record()
        half = self.make_aid(decision_number="  ")
        with self.assertRefused("ground"):
            half.action_record()
        later = self.make_aid(decision_date="2021-12-02")
        with self.assertRefused("12/02/2021"):
            later.action_record()
        self.record(
            decision_number=False, decision_date=False, convention_reference="C-1",
            convention_date="2021-01-04",
        )  # fmt: skip

    @mute_logger("odoo.sql_db")
    def test_bad_values(self):
        for values in (
            {"amount": 0},
            {"amount": -5},
            {"amount": float("nan")},
            {"amount": 10.001},
            {"date_end": "2022-01-01"},
            {"date_end": "2020-12-31"},
            {"partner_id": self.company.partner_id.id},
        ):
            with self.subTest(values=values), self.assertRefused(exception=Exception):
                self.make_aid(**values)

    def test_of_a_subsidy(self):
        """Operator and contract come from the subsidy, and no others are accepted."""
        subsidy = self.make_subsidy()
        with Form(self.env["grant.aid.in.kind"].with_user(self.coordinator)) as form:
            form.name, form.amount = "Mobilier", 250
            form.date_start = form.date_end = "2021-11-02"
            form.subsidy_id = subsidy
        self.assertEqual(form.record.partner_id, self.operator)
        self.assertEqual(form.record.contract_id, self.contract)
        with self.assertRefused(subsidy.code, exception=ValidationError):
            form.record.partner_id = self.other_operator

    def test_roles(self):
        for user in (self.coordinator, self.finance_officer, self.administrator):
            self.record(user)
        aid = self.make_aid()
        with self.assertRefused(exception=AccessError):
            aid.with_user(self.reader).action_record()
        with self.assertRefused(exception=AccessError):
            self.make_aid(self.reader)
        self.assertEqual(aid.with_user(self.reader).amount, 3600)
        for user in self.portal_users:
            with self.assertRefused(exception=AccessError):
                aid.with_user(user).read(["amount"])

    def test_other_city(self):
        other = self.env["res.company"].create({"name": "Autre ville"})
        aid = self.make_aid(self.env.user, company_id=other.id)
        self.assertFalse(
            self.env["grant.aid.in.kind"].with_user(self.coordinator).search([("id", "=", aid.id)])
        )
        with self.assertRefused(exception=UserError):
            aid.contract_id = self.contract

    def test_sealed(self):
        """What is written behind the application is named."""
        aid = self.record()
        self.env.flush_all()
        self.assertFalse(self.env["grant.seal"]._get_altered_documents())
        self.env.cr.execute(
            SQL("UPDATE grant_aid_in_kind SET amount = 9999 WHERE id = %s", aid.id)
        )
        (sentence,) = self.env["grant.seal"]._get_altered_documents()
        self.assertIn("Salle B", sentence)

    # ------------------------------------------------------------------
    # What it counts for
    # ------------------------------------------------------------------

    def test_threshold(self):
        """20 000 € in money and 3 000.01 € in kind in one year: a convention is required."""
        subsidy = self.make_subsidy(amount=20000)
        aid = self.make_aid(amount=3000.01)
        self.assertFalse(subsidy.convention_required)
        aid.action_record()
        subsidy.invalidate_recordset()
        self.assertTrue(subsidy.convention_required)
        self.ask(aid, "cancel", self.coordinator)
        subsidy.invalidate_recordset()
        self.assertFalse(subsidy.convention_required)

    def test_threshold_by_body_year_and_city(self):
        subsidy = self.make_subsidy(amount=20000)
        self.record(amount=2000, partner_id=self.other_operator.id)
        self.record(amount=2000, date_start="2020-01-01", date_end="2020-12-31")
        other = self.env["res.company"].create({"name": "Autre ville"})
        foreign = self.make_aid(self.env.user, amount=2000, company_id=other.id)
        foreign.with_user(self.env.user).action_record()
        self.record(amount=3000)
        self.assertFalse(subsidy.convention_required)
        siren = 77
        self.operator.company_registry = make_siret(siren)
        branch = self._make_organisation("Antenne", "operator")
        branch.company_registry = make_siret(siren, nic=2)
        self.record(amount=0.01, partner_id=branch.id)
        subsidy.invalidate_recordset()
        self.assertTrue(subsidy.convention_required)

    def test_wakes_the_tranches(self):
        """A payment waits for its convention as soon as the aid is recorded, and no longer when it
        is cancelled."""
        subsidy = self.sign(self.make_subsidy(amount=20000, convention_reference=False))
        tranche = self.make_tranche(subsidy)
        condition = tranche.condition_ids.filtered(lambda row: row.code == "convention")
        self.assertEqual(condition.state, "not_required")
        aid = self.record(amount=3000.01)
        self.assertEqual((condition.state, condition.amount), ("unmet", 23000.01))
        self.ask(aid, "cancel", self.coordinator)
        self.assertEqual(condition.state, "not_required")

    def test_lines_of_a_statement(self):
        """As at a day: what was given by then, and not cancelled by then."""
        day = datetime.date
        early = self.record(contract_id=self.contract.id, date_start="2021-10-21")
        late = self.record(contract_id=self.contract.id, date_start="2021-12-01")
        self.record()
        self.make_aid(contract_id=self.contract.id, date_start="2021-10-21")
        lines = self.contract._get_in_kind_lines
        self.assertFalse(lines(day(2021, 10, 20)))
        self.assertEqual(lines(day(2021, 11, 30)), early)
        self.assertEqual(lines(day(2021, 12, 1)), early | late)
        with freeze_time("2022-02-10 10:00:00"):
            self.ask(early, "cancel", self.coordinator)
        self.assertEqual(lines(day(2021, 11, 30)), early)
        self.assertEqual(lines(day(2022, 2, 9)), early | late)
        self.assertEqual(lines(day(2022, 2, 10)), late)

    def test_smart_button(self):
        aid = self.record()
        operator = self.operator.with_user(self.reader)
        self.assertEqual(operator.grant_aid_count, 1)
        found = self.env["grant.aid.in.kind"].search(operator.action_view_grant_aids()["domain"])
        self.assertEqual(found, aid)

    def test_budget_of_a_year(self):
        years = self.env["grant.operator.year"].with_user(self.finance_officer)
        known = years.create({"partner_id": self.operator.id, "year": 2021, "income": 90000})
        with self.assertRefused(exception=ValidationError):
            known.accounts_date = "2021-12-02"
        known.accounts_date = "2021-12-01"
        with self.assertRefused(exception=AccessError):
            known.with_user(self.reader).income = 1
