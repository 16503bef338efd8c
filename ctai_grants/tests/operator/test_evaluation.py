import datetime

from psycopg2.errors import UniqueViolation

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..common import GrantsCommon

DAY = datetime.date.fromisoformat


class TestEvaluation(GrantsCommon):
    """An action is evaluated: marks, exchanges, a conclusion, the next year's amendment."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["grant.criterion"].search([]).active = False
        cls.need, cls.effect = cls.env["grant.criterion"].create([
            {"name": "Need", "sequence": 1},
            {"name": "Effect", "sequence": 2, "weight": 2, "most": 10},
        ])  # fmt: skip
        cls.subsidy = cls.sign(
            cls.make_subsidy(
                amount=10000,
                action_ids=[
                    Command.create({"name": "Atelier", "amount": 6000}),
                    Command.create({"name": "Sorties", "amount": 4000}),
                ],
            )
        )
        cls.action = cls.subsidy.action_ids[0]
        cls.other = cls.sign(cls.make_subsidy(amount=500, partner_id=cls.other_operator.id))
        cls.evaluation = cls.make_evaluation()

    @classmethod
    def make_evaluation(cls, user=None, **values):
        evaluations = cls.env["grant.evaluation"].with_user(user or cls.coordinator)
        return evaluations.create({"action_id": cls.action.id, "year": 2021, **values})

    def fill(self, evaluation=None, **values):
        evaluation = evaluation or self.evaluation
        for line, mark in zip(evaluation.line_ids, (3, 6), strict=True):
            line.write({"is_marked": True, "mark": mark})
        evaluation.write({
            "opinion": "Bien fréquenté.", "conclusion": "continue",
            "conclusion_reason": "Le besoin demeure.", **values,
        })  # fmt: skip
        return evaluation

    def conclude(self, **values):
        evaluation = self.fill(**values)
        evaluation.action_share()
        evaluation.action_conclude()
        return evaluation

    def test_the_grid_of_the_day_is_taken_and_kept(self):
        self.assertEqual(self.evaluation.line_ids.mapped("name"), ["Need", "Effect"])
        self.effect.write({"name": "Changed", "weight": 9})
        self.assertEqual(self.evaluation.line_ids[1].weight, 2)
        self.assertEqual(self.evaluation.line_ids[1].name, "Effect")

    def test_score_by_hand(self):
        self.fill()
        # 3 of 4, once; 6 of 10, twice: 15 of 24.
        self.assertAlmostEqual(self.evaluation.score, 62.5)
        self.evaluation.line_ids[1].is_marked = False
        self.assertAlmostEqual(self.evaluation.score, 75)

    def test_a_mark_is_within_its_scale(self):
        for mark in (-1, 5):
            with self.assertRefused("from 0 to 4", exception=ValidationError):
                self.evaluation.line_ids[0].write({"is_marked": True, "mark": mark})

    def test_its_way(self):
        self.evaluation.participant_ids = self.both_roles
        with self.assertRefused("In Preparation"):
            self.evaluation.action_conclude()
        self.evaluation.action_share()
        self.assertEqual(self.evaluation.activity_ids.user_id, self.both_roles)
        with self.assertRefused("Opinion", "Conclusion"):
            self.evaluation.action_conclude()
        self.fill()
        self.evaluation.line_ids[0].is_marked = False
        with self.assertRefused("Need", "why there is none"):
            self.evaluation.action_conclude()
        self.evaluation.line_ids[0].comment = "Sans objet la première année."
        self.evaluation.with_user(self.both_roles).action_conclude()
        self.assertEqual(self.evaluation.concluded_by_id, self.both_roles)
        decisions = self.env["grant.decision"].search(
            [("evaluation_id", "=", self.evaluation.id)], order="id"
        )
        self.assertEqual(decisions.mapped("decision"), ["shared", "concluded"])
        self.assertEqual(decisions[1].reason, "Le besoin demeure.")
        self.assertFalse(self.verify())

    def test_concluded_it_stays_as_it_is(self):
        evaluation = self.conclude(
            meeting_ids=[Command.create({"date": "2021-12-01", "minutes": "Vu ensemble."})]
        )
        for values in (
            {"opinion": "Autre"}, {"conclusion": "stop"}, {"year": 2022},
            {"line_ids": [Command.update(evaluation.line_ids[0].id, {"mark": 0})]},
            {"meeting_ids": [Command.create({"date": "2021-12-02", "minutes": "Encore"})]},
        ):  # fmt: skip
            with self.assertRaises(UserError):
                evaluation.write(values)
        for act in (
            lambda: evaluation.line_ids[0].write({"mark": 0}),
            lambda: evaluation.line_ids.unlink(),
            lambda: evaluation.meeting_ids.write({"minutes": "Non"}),
            lambda: evaluation.meeting_ids.copy(),
            lambda: evaluation.unlink(),
        ):
            with self.assertRefused("Concluded"):
                act()
        with self.assertRefused("write the reason"):
            evaluation._do_reopen(" ")
        evaluation._do_reopen("Un chiffre manquait.")
        self.assertEqual((evaluation.state, evaluation.concluded_date), ("shared", False))
        evaluation.opinion = "Autre"
        self.assertFalse(self.verify())

    def test_nobody_types_its_state(self):
        for values in (
            {"state": "concluded"}, {"concluded_by_id": self.reader.id}, {"score": 100},
            {"amendment_id": 1},
        ):  # fmt: skip
            with self.assertRaises(AccessError):
                self.evaluation.with_user(self.administrator).write(values)
        with self.assertRaises(AccessError):
            self.make_evaluation(year=2020, state="concluded")

    def test_continue_prepares_one_more_year(self):
        action = self.conclude().action_prepare_next_year()
        amendment = self.env["grant.amendment"].browse(action["res_id"])
        self.assertEqual(amendment.state, "draft")
        self.assertEqual(amendment.amount, 16000)
        self.assertEqual(amendment.date_end, DAY("2023-06-30"))
        added = amendment.action_line_ids.filtered(lambda line: line.operation == "add")
        self.assertEqual((added.name, added.amount), ("Atelier (2022)", 6000))
        self.assertIn("Le besoin demeure.", amendment.reason)
        # Pressed twice, it is the same one; nothing is committed.
        self.assertEqual(self.evaluation.action_prepare_next_year()["res_id"], amendment.id)
        self.assertEqual(self.subsidy.committed_amount, 10000)

    def test_amend_writes_what_to_change(self):
        self.fill(conclusion="amend")
        self.evaluation.action_share()
        with self.assertRefused("What to Change Next Year"):
            self.evaluation.action_conclude()
        self.evaluation.next_year = "Deux séances de plus le soir."
        self.evaluation.action_conclude()
        action = self.evaluation.action_prepare_next_year()
        amendment = self.env["grant.amendment"].browse(action["res_id"])
        self.assertIn("Deux séances de plus le soir.", amendment.reason)
        self.assertEqual((amendment.amount, amendment.date_end), (10000, DAY("2022-06-30")))

    def test_stop_prepares_nothing(self):
        self.conclude(conclusion="stop")
        with self.assertRefused("decided to stop"):
            self.evaluation.action_prepare_next_year()

    def test_once_a_year_and_of_what_is_signed(self):
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            self.make_evaluation()
        draft = self.make_subsidy(action_ids=[Command.create({"name": "Rien", "amount": 1})])
        with self.assertRefused("Draft"):
            self.make_evaluation(action_id=draft.action_ids.id)

    def test_evidence_is_of_the_same_subsidy(self):
        piece = self.make_deliverable(self.other, user=self.env.user)
        with self.assertRefused(self.other.code):
            self.evaluation.deliverable_ids = piece
        own = self.make_deliverable(self.subsidy, user=self.env.user)
        self.evaluation.deliverable_ids = own

    def test_an_exchange_took_place(self):
        with self.assertRefused("took place", exception=ValidationError):
            self.evaluation.meeting_ids = [
                Command.create({"date": "2099-01-01", "minutes": "Demain"})
            ]

    def test_who_may(self):
        for user in (self.reader, self.finance_officer, self.finance_manager):
            evaluation = self.evaluation.with_user(user)
            self.assertEqual(evaluation.year, 2021)
            for act in (
                lambda one=evaluation: one.write({"opinion": "x"}),
                evaluation.action_share, evaluation.action_conclude,
                evaluation.action_prepare_next_year,
                lambda one=evaluation: one.line_ids.write({"mark": 1}),
            ):  # fmt: skip
                with self.assertRaises(AccessError):
                    act()
        for user in self.portal_users:
            with self.assertRaises(AccessError):
                self.evaluation.with_user(user).read(["opinion"])
        with self.assertRaises(AccessError):
            self.need.with_user(self.coordinator).write({"weight": 50})

    def test_another_city_s_is_not_there(self):
        company = self.env["res.company"].create({"name": "Autre ville"})
        user = new_test_user(
            self.env, "test_other_city", "ctai_grants.group_coordinator",
            company_id=company.id, company_ids=company.ids,
        )  # fmt: skip
        for records in (self.evaluation, self.evaluation.line_ids):
            self.assertFalse(records.with_user(user).search([("id", "in", records.ids)]))
        with self.assertRaises(AccessError):
            self.make_evaluation(user=user, year=2019)
