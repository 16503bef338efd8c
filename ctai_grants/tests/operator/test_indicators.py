import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import freeze_time
from odoo.tools import SQL, mute_logger

from ..common import GrantsCommon

MODELS = (
    "grant.indicator", "grant.indicator.target", "grant.indicator.value", "grant.indicator.result",
    "grant.context.figure", "grant.indicator.entry", "grant.indicator.entry.line",
)  # fmt: skip


class IndicatorCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.women = cls.env["grant.audience"].create({"name": "Femmes", "code": "test_women"})
        cls.people = cls.make_indicator("people", aggregation="latest", is_counted_once=True)
        cls.sessions = cls.make_indicator("sessions", unit="sessions")
        cls.satisfied = cls.make_indicator("satisfied", kind="percent", aggregation="average")

    @classmethod
    def make_indicator(cls, code, **values):
        return cls.env["grant.indicator"].with_user(cls.administrator).create({
            "name": f"Indicateur {code}", "code": f"test_{code}", "frequency": "quarter", **values,
        }).with_env(cls.env)  # fmt: skip

    @classmethod
    def ask_for(cls, subsidy, *lines):
        """Write into a draft subsidy what its convention asks for: indicator, target, and more."""
        subsidy.with_user(cls.coordinator).indicator_target_ids = [
            Command.create({"indicator_id": indicator.id, "target": target, **values})
            for indicator, target, values in lines
        ]

    @classmethod
    def make_asked(cls, *lines, **values):
        """A signed subsidy whose convention asks for ``lines``."""
        subsidy = cls.make_subsidy(**values)
        cls.ask_for(subsidy, *(lines or [(cls.people, 60, {}), (cls.sessions, 20, {})]))
        return cls.sign(subsidy)

    def line(self, subsidy, indicator, audience=None):
        return subsidy.sudo().indicator_target_ids.filtered(
            lambda line: (
                line.indicator_id == indicator
                and line.audience_id == (audience or line.audience_id.browse())
            )
        )

    def tell(self, line, value, period="2021-Q4", user=None, known=0, **values):
        """Tell a figure as the operator; what cannot be taken."""
        row = {"target": line, "period": period, "known": known, "value": value, "base": None,
               "comment": None, **values}  # fmt: skip
        return line.subsidy_id.with_user(user or self.operator_user)._enter_figures([row])

    def result(self, line):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["grant.indicator.result"].browse(line.id)


class TestDefinitions(IndicatorCase):
    def test_what_cannot_be_put_together_so(self):
        for code, values in {
            "a": {"kind": "percent"},
            "b": {"is_counted_once": True},
            "c": {"kind": "number", "aggregation": "max", "is_counted_once": True},
        }.items():
            with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.CheckViolation):
                with self.env.cr.savepoint():
                    self.make_indicator(code, **values)

    def test_not_another_one_once_signed(self):
        subsidy = self.make_subsidy()
        self.ask_for(subsidy, (self.sessions, 20, {}))
        self.sessions.aggregation = "latest"
        self.sign(subsidy)
        with self.assertRefused("signed subsidies tell this figure", "archive it"):
            self.sessions.aggregation = "sum"
        self.sessions.name = "Séances"
        with self.assertRaises(AccessError):
            self.sessions.with_user(self.coordinator).name = "Autre"


class TestTargets(IndicatorCase):
    def test_part_of_what_was_signed(self):
        subsidy = self.make_asked()
        line = self.line(subsidy, self.people).with_user(self.coordinator)
        with self.assertRefused("part of what was signed"):
            line.target = 10
        with self.assertRefused("cannot be changed any more"):
            line.frequency = "month"
        with self.assertRefused("part of what was signed"):
            line.unlink()
        with self.assertRefused("part of what was signed"):
            self.ask_for(subsidy, (self.satisfied, 80, {}))
        draft = self.make_subsidy()
        self.ask_for(draft, (self.satisfied, 80, {}))
        with self.assertRefused("part of what was signed"):
            draft.indicator_target_ids.subsidy_id = subsidy

    def test_numbers(self):
        subsidy = self.make_subsidy()
        for indicator, target, said in (
            (self.sessions, 2.5, "whole numbers"),
            (self.satisfied, 101, "between 0 and 100"),
            (self.sessions, -1, ""),
            (self.sessions, 1e12, ""),
        ):
            with mute_logger("odoo.sql_db"), self.assertRaises(Exception) as caught:
                with self.env.cr.savepoint():
                    self.ask_for(subsidy, (indicator, target, {}))
                    self.env.flush_all()
            self.assertIn(said, str(caught.exception))

    def test_a_part_has_a_whole(self):
        subsidy = self.make_subsidy()
        self.ask_for(subsidy, (self.people, 20, {"audience_id": self.women.id}))
        with self.assertRefused("nothing asks for the whole"):
            self.sign(subsidy)
        self.ask_for(subsidy, (self.people, 60, {}))
        self.sign(subsidy)

    def test_an_action_of_the_same_subsidy(self):
        other = self.make_subsidy()
        action = self.env["grant.action"].create({"name": "Ici", "subsidy_id": other.id})
        with self.assertRefused("of another subsidy"):
            self.ask_for(self.make_subsidy(), (self.people, 1, {"action_id": action.id}))

    def test_an_amendment_changes_a_target(self):
        subsidy = self.make_asked()
        action = subsidy.with_user(self.coordinator).action_amend()
        amendment = self.env["grant.amendment"].browse(action["res_id"])
        amendment = amendment.with_user(self.coordinator)
        line = amendment.target_line_ids.filtered(lambda line: line.amount == 60)
        line.amount = 80
        self.assertIn("60 → 80", amendment.summary)
        self.assertNotIn("€", line._get_sentence())
        amendment.write({
            "reason": "Davantage de monde", "decision_number": "2021-0099",
            "decision_date": "2021-12-01", "executory_date": "2021-12-02",
            "signature_date": "2021-12-03",
            "attachment_ids": [Command.create({"name": "avenant.pdf", "raw": b"%PDF-1.7 "})],
        })  # fmt: skip
        amendment.with_user(self.finance_manager).action_sign()
        self.assertEqual(self.line(subsidy, self.people).target, 80)


@freeze_time("2022-02-10 12:00:00")
class TestFigures(IndicatorCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_asked(
            (cls.people, 60, {}), (cls.people, 20, {"audience_id": cls.women.id}),
            (cls.sessions, 20, {}), (cls.satisfied, 80, {"frequency": "once"}),
        )  # fmt: skip

    def setUp(self):
        super().setUp()
        self.of_people = self.line(self.subsidy, self.people)
        self.of_women = self.line(self.subsidy, self.people, self.women)
        self.of_sessions = self.line(self.subsidy, self.sessions)
        self.of_satisfied = self.line(self.subsidy, self.satisfied)

    def test_a_correction_leaves_the_old_one(self):
        self.assertFalse(self.tell(self.of_people, 12, comment="Les premiers"))
        self.assertFalse(self.tell(self.of_people, 14, known=1, user=self.coordinator))
        values = self.of_people.value_ids.sorted("number")
        self.assertEqual(values.mapped("value"), [12, 14])
        self.assertEqual(values.mapped("user_id"), self.operator_user | self.coordinator)
        self.assertEqual(values.mapped("is_current"), [False, True])
        found = self.env["grant.indicator.value"].search([("is_current", "=", True)])
        self.assertIn(values[1], found)
        self.assertNotIn(values[0], found)
        self.assertEqual(self.result(self.of_people).value, 14)
        # The same again is nothing new.
        self.tell(self.of_people, 14, known=2)
        self.assertEqual(len(self.of_people.value_ids), 2)

    def test_taken_back(self):
        self.tell(self.of_people, 12)
        self.tell(self.of_people, None, known=1)
        self.assertFalse(self.result(self.of_people).is_told)
        self.assertEqual(len(self.of_people.value_ids), 2)
        self.tell(self.of_people, 0, known=2)
        self.assertTrue(self.result(self.of_people).is_told)

    def test_never_changed(self):
        self.tell(self.of_people, 12)
        value = self.of_people.value_ids
        for user in (self.administrator, self.env.ref("base.user_root")):
            for act in (
                lambda v: v.write({"value": 99}), lambda v: v.unlink(), lambda v: v.copy(),
                lambda v: v.create({"target_id": v.target_id.id, "value": 3}),
            ):  # fmt: skip
                with self.assertRaises(UserError):
                    act(value.with_user(user))
        for statement in ("UPDATE grant_indicator_value SET value = 99",
                          "DELETE FROM grant_indicator_value"):  # fmt: skip
            with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.CheckViolation):
                with self.env.cr.savepoint():
                    self.env.cr.execute(SQL(statement))

    def test_what_was_altered_behind_is_named(self):
        self.tell(self.of_people, 12)
        self.tell(self.of_people, 14, known=1)
        lines = self.env["grant.append.only.mixin"]
        before = lines._get_broken_lines()
        self.env.flush_all()
        self.env.cr.execute(
            "ALTER TABLE grant_indicator_value DISABLE TRIGGER USER;"
            "UPDATE grant_indicator_value SET value = 15 WHERE number = 2 AND target_id = %s;"
            "ALTER TABLE grant_indicator_value ENABLE TRIGGER USER",
            [self.of_people.id],
        )
        self.env.invalidate_all()
        (sentence,) = set(lines._get_broken_lines()) - set(before)
        self.assertIn("altered", sentence)
        self.assertIn(self.of_people.display_name, sentence)

    def test_numbers(self):
        for line, value, said in (
            (self.of_people, 2.5, "whole numbers"),
            (self.of_people, -1, "zero or more"),
            (self.of_people, float("nan"), "no number"),
            (self.of_people, float("inf"), "no number"),
            (self.of_people, 1e9, "too large"),
        ):
            (sentence,) = self.tell(line, value).values()
            self.assertIn(said, sentence)
        errors = self.tell(self.of_satisfied, 101, "all", base=10)
        self.assertIn("between 0 and 100", next(iter(errors.values())))
        for base in (None, 0, -4, 2.5):
            (key,) = self.tell(self.of_satisfied, 50, "all", base=base)
            self.assertEqual(key[2], "base")
        self.assertFalse(self.of_people.value_ids | self.of_satisfied.value_ids)

    def test_the_database_refuses_what_is_no_number(self):
        values = self.env["grant.indicator.value"]
        period = self.of_people._get_periods()["2021-Q4"]
        for value in (float("nan"), float("inf"), -1):
            # The first two by Odoo already, which cannot round them.
            error = psycopg2.DatabaseError if value == -1 else Exception
            with mute_logger("odoo.sql_db"), self.assertRaises(error):
                with self.env.cr.savepoint():
                    values._append(values._prepare(self.of_people, period, 1, value=value))

    def test_all_or_nothing(self):
        rows = [
            {"target": self.of_sessions, "period": "2021-Q4", "known": 0, "value": 3,
             "base": None, "comment": None},
            {"target": self.of_people, "period": "2021-Q4", "known": 0, "value": -1,
             "base": None, "comment": None},
        ]  # fmt: skip
        self.assertTrue(self.subsidy.with_user(self.operator_user)._enter_figures(rows))
        self.assertFalse(self.of_sessions.value_ids)

    def test_a_part_is_no_larger_than_the_whole(self):
        self.tell(self.of_people, 12)
        (sentence,) = self.tell(self.of_women, 13).values()
        self.assertIn("cannot be more: 12", sentence)
        self.assertFalse(self.tell(self.of_women, 12))
        (sentence,) = self.tell(self.of_people, 5, known=1).values()
        self.assertIn("cannot be more: 5", sentence)

    def test_periods(self):
        for period in ("2022-Q2", "2021-Q3", "2023-Q1", "all", "", "2022-04"):
            (sentence,) = self.tell(self.of_people, 1, period).values()
            self.assertIn("not within the subsidy", sentence)
        # One that is running: to date.
        self.assertFalse(self.tell(self.of_people, 1, "2022-Q1"))
        value = self.of_people.value_ids
        self.assertEqual(str(value.date_end), "2022-03-31")
        awaited = self.subsidy._get_awaited_figures()
        self.assertEqual(
            {(line, period.code) for line, period in awaited},
            {(line, "2021-Q4") for line in (self.of_people, self.of_women, self.of_sessions)},
        )

    def test_somebody_else_meanwhile(self):
        self.tell(self.of_people, 12, user=self.coordinator)
        with self.assertRefused("test_coordinator", "look at the page again"):
            self.tell(self.of_people, 14)
        self.assertEqual(self.of_people.value_ids.value, 12)

    def test_only_signed_ones(self):
        draft = self.make_subsidy()
        self.ask_for(draft, (self.people, 60, {}))
        with self.assertRefused("Draft"):
            self.tell(draft.indicator_target_ids, 1)

    def test_only_of_ones_own(self):
        for user in (self.other_operator_user, self.prefecture_user, self.reader,
                     self.finance_officer):  # fmt: skip
            with self.assertRaises(AccessError):
                self.tell(self.of_people, 1, user=user)
        # A line of somebody else's beside one's own subsidy.
        other = self.make_asked(partner_id=self.other_operator.id)
        row = {"target": self.line(other, self.people), "period": "2021-Q4", "known": 0,
               "value": 1, "base": None, "comment": None}  # fmt: skip
        with self.assertRaises(AccessError):
            self.subsidy.with_user(self.operator_user)._enter_figures([row])

    def test_not_by_the_coordinator_of_another_city(self):
        elsewhere = self.env["res.company"].create({"name": "Autre ville"})
        away = self.coordinator.copy(
            {"login": "elsewhere", "company_ids": elsewhere.ids, "company_id": elsewhere.id}
        )
        told = {"target_id": self.of_people.id, "period": "2021-Q4", "is_told": True, "value": 1}
        entry = self.env["grant.indicator.entry"].with_user(away).create(
            {"subsidy_id": self.subsidy.id, "line_ids": [Command.create(told)]}
        )  # fmt: skip
        with self.assertRaises(AccessError):
            entry.action_confirm()
        self.assertFalse(self.of_people.value_ids)

    def test_nothing_over_rpc(self):
        """No portal user reads any of it, and nobody tells a figure but through the two doors."""
        self.tell(self.of_people, 12)
        for user in self.portal_users:
            for name in MODELS:
                for method, args in (
                    ("search_read", [[]]), ("read", [[1]]), ("create", [{}]),
                    ("formatted_read_group", [[], [], ["__count"]]),
                ):  # fmt: skip
                    with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models"):
                        call_kw(self.env[name].with_user(user), method, args, {})
            for name in ("indicator_target_ids",):
                subsidies = self.env["grant.subsidy"].with_user(user)
                with self.assertRaises(AccessError):
                    call_kw(subsidies, "search_read", [[], [name]], {})
                with self.assertRaises(AccessError):
                    call_kw(subsidies, "search", [[(f"{name}.value_ids.value", ">", 0)]], {})
            contracts = self.env["grant.contract"].with_user(user)
            with self.assertRaises(AccessError):
                call_kw(contracts, "search_read", [[], ["context_figure_ids"]], {})
        with self.assertRaises(AccessError):
            call_kw(
                self.subsidy.with_user(self.operator_user), "_enter_figures",
                [self.subsidy.ids, []], {},
            )  # fmt: skip

    def test_entered_from_paper(self):
        self.tell(self.of_people, 12)
        action = self.subsidy.with_user(self.coordinator).action_enter_figures()
        entry = self.env["grant.indicator.entry"].with_user(self.coordinator)
        entry = entry.with_context(**action["context"]).create({})
        self.assertEqual(len(entry.line_ids), 7)
        line = entry.line_ids.filtered(lambda line: line.target_id == self.of_people)[0]
        self.assertEqual((line.value, line.is_told), (12, True))
        line.value = 13
        entry.action_confirm()
        self.assertEqual(self.result(self.of_people).value, 13)
        self.assertFalse(self.of_sessions.value_ids)
        for user in (self.reader, self.finance_officer):
            with self.assertRaises(AccessError):
                self.subsidy.with_user(user).action_enter_figures()

    def test_each_field_is_said(self):
        (key,) = self.tell(self.of_people, None, comment="Rien encore")
        self.assertEqual(key, (self.of_people, "2021-Q4", "value"))
        self.tell(self.of_people, 1, comment="x" * 5000 + "\u202e")
        self.assertEqual(len(self.of_people.value_ids.comment), 1000)


@freeze_time("2022-07-10 12:00:00")
class TestResults(IndicatorCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lines = [
            (cls.people, 60, {}), (cls.people, 20, {"audience_id": cls.women.id}),
            (cls.sessions, 20, {}), (cls.satisfied, 80, {}),
        ]  # fmt: skip
        cls.mine = cls.make_asked(*lines)
        cls.other = cls.make_asked(*lines, partner_id=cls.other_operator.id)

    def tell_all(self, subsidy, indicator, *values, audience=None, bases=()):
        line = self.line(subsidy, indicator, audience)
        for number, value in enumerate(values):
            period = ("2021-Q4", "2022-Q1", "2022-Q2")[number]
            base = bases[number] if bases else None
            self.assertFalse(self.tell(line, value, period, self.coordinator, base=base))
        return line

    def group(self, *names, domain=()):
        self.env.flush_all()
        results = self.env["grant.indicator.result"].with_user(self.reader)
        aggregates = ["value:sum", "target:sum", "rate:avg"]
        return {
            tuple(keys): tuple(values)
            for (*row,) in results._read_group(
                [("contract_id", "=", self.contract.id), *domain], list(names), aggregates
            )
            for keys, values in [(row[: len(names)], row[len(names) :])]
        }

    def test_periods_as_one(self):
        people = self.tell_all(self.mine, self.people, 10, 30, 24)
        sessions = self.tell_all(self.mine, self.sessions, 5, 6, 7)
        satisfied = self.tell_all(self.mine, self.satisfied, 50, 100, bases=(10, 30))
        self.assertEqual(self.result(people).value, 24)
        self.assertEqual(self.result(people).rate, 40)
        self.assertEqual(self.result(sessions).value, 18)
        self.assertEqual(self.result(sessions).rate, 90)
        self.assertEqual(self.result(satisfied).value, 87.5)
        self.people.sudo().env.cr.execute(
            "UPDATE grant_indicator SET aggregation = 'max' WHERE id = %s", [self.people.id]
        )
        self.assertEqual(self.result(people).value, 30)

    def test_operators_as_one(self):
        for subsidy, factor in ((self.mine, 1), (self.other, 2)):
            self.tell_all(subsidy, self.people, 20 * factor)
            self.tell_all(subsidy, self.people, 8 * factor, audience=self.women)
            self.tell_all(subsidy, self.sessions, 5, 5 * factor)
            self.tell_all(subsidy, self.satisfied, 40 * factor, bases=(10 * factor,))
        groups = self.group("indicator_id")
        # Added up; counted once: so many at least; weighted; and women are in the whole already.
        self.assertEqual(groups[self.sessions,], (25, 40, 62.5))
        self.assertEqual(groups[self.people,][:2], (40, 60))
        self.assertFalse(groups[self.people,][2])
        value = groups[self.satisfied,][0]
        self.assertAlmostEqual(float(value), (40 * 10 + 80 * 20) / 30, 2)
        # Apples and oranges.
        self.assertEqual(self.group(), {(): (False, False, False)})
        women = self.group("indicator_id", domain=[("audience_id", "=", self.women.id)])
        self.assertEqual(women[self.people,][:2], (16, 20))
        by_line = self.group("indicator_id", "audience_id", "subsidy_id")
        self.assertEqual(by_line[self.people, self.women, self.other], (16, 20, 80))

    def test_seen_by_whose_city_it_is(self):
        self.tell_all(self.mine, self.people, 20)
        self.assertTrue(self.env["grant.indicator.result"].with_user(self.reader).search_count([]))
        elsewhere = self.env["res.company"].create({"name": "Autre ville"})
        stranger = self.reader.copy({
            "login": "elsewhere", "company_ids": elsewhere.ids, "company_id": elsewhere.id
        })  # fmt: skip
        for name in MODELS[1:4]:
            found = self.env[name].with_user(stranger).search([])
            self.assertFalse(found.filtered(lambda one: one.company_id == self.company), name)


class TestAmendedPeriod(IndicatorCase):
    @freeze_time("2022-05-10 10:00:00")
    def test_what_is_told_keeps_its_period(self):
        """It would count on, in a period that nobody can correct it in any more."""
        subsidy = self.make_asked((self.sessions, 20, {}), (self.people, 60, {"frequency": "once"}))
        line = self.line(subsidy, self.sessions)
        self.assertFalse(self.tell(line, 5))
        self.assertFalse(self.tell(line, 7, "2022-Q2"))
        self.assertFalse(self.tell(self.line(subsidy, self.people), 9, "all"))
        amendment = self.env["grant.amendment"].with_user(self.coordinator)
        amendment = amendment._draft("subsidy_id", subsidy)
        # Within the same quarter nothing is lost.
        amendment.date_end = "2022-05-31"
        self.assertNotIn("A figure is told", self.say(amendment.obstacles))
        amendment.date_end = "2022-03-31"
        self.assertIn("04/01/2022 – 06/30/2022", self.say(amendment.obstacles))
        self.assertNotIn("2021", self.say(amendment.obstacles))
        amendment.date_start = "2022-01-01"
        self.assertIn("10/25/2021 – 12/31/2021", self.say(amendment.obstacles))
        amendment.date_start = subsidy.date_start
        self.assertFalse(self.tell(line, None, "2022-Q2", known=1))
        amendment.invalidate_recordset()
        self.assertNotIn("A figure is told", self.say(amendment.obstacles))
