import datetime

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL, mute_logger

from ...models.operator.grant_date_request_asking import MOST_A_DAY, NotAsked
from ..common import PDF
from .test_report_lines import ReportCase

KINDS = ("dates", "split", "action", "tranche", "question")


class RequestCase(ReportCase):
    """A signed subsidy with a budget, two actions, a piece, and an interim tranche that waits for
    that piece."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.grant_asks_action = True
        cls.operator_user.email = "tresoriere@asso.example"
        subsidy = cls.set_budget(cls.make_subsidy(due_rule="pro_rata", cer_date="2021-10-01"))
        subsidy.action_ids = [
            Command.create({"name": "Ateliers", "amount": 7000}),
            Command.create({"name": "Sorties", "amount": 3000}),
        ]
        cls.piece = cls.make_deliverable(subsidy, name="Bilan intermédiaire")
        cls.advance = cls.make_tranche(subsidy, amount=4000, kind="advance", due_date="2021-11-01")
        cls.interim = cls.make_tranche(
            subsidy, name="Acompte", amount=4000, kind="interim", due_date="2022-03-01",
            deliverable_ids=cls.piece.ids,
        )  # fmt: skip
        cls.balance = cls.make_tranche(
            subsidy, name="Solde", amount=2000, kind="balance", due_date="2022-09-01"
        )
        cls.subsidy = cls.sign(subsidy).with_env(cls.env)
        cls.requests = cls.env["grant.date.request"]

    def setUp(self):
        super().setUp()
        self.enterContext(freeze_time("2022-02-01 12:00:00"))

    def values(self, kind, **values):
        """What is asked for by default, of each kind."""
        budget = {line.account_id.code: line for line in self.subsidy.sudo().budget_line_ids}
        return {
            "dates": {"date_end": datetime.date(2022, 12, 15)},
            "split": {"amounts": {budget["641"]: 11000, budget["622"]: 4000}},
            "action": {
                "title": "Un jardin", "action": self.subsidy.sudo().action_ids[0], "amount": 1500,
            },
            "tranche": {},
            "question": {"piece": self.piece.sudo()},
        }[kind] | {"reason": "Le local n'est prêt qu'en juin", **values}  # fmt: skip

    def request(self, kind, user=None, subsidy=None, **values):
        user = user or self.operator_user
        subsidy = (subsidy or self.subsidy).with_user(user).sudo()
        request = self.requests.with_user(user)._ask(subsidy, kind, self.values(kind, **values))
        return request.with_env(self.env)

    def answer(self, request, action="agree", user=None, reason="D'accord"):
        return self.ask(request, f"{action}_request", user or self.coordinator, reason)

    def prove(self):
        """The piece of the interim tranche is handed in and accepted."""
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        self.piece.with_user(self.coordinator).action_accept()
        self.certify(self.advance)

    def mails_of(self, act):
        known = self.env["mail.mail"].search([])
        act()
        return self.env["mail.mail"].search([]) - known


@tagged("post_install", "-at_install")
class TestAsking(RequestCase):
    def test_each_kind(self):
        self.prove()
        for kind in KINDS:
            request = self.request(kind)
            self.assertEqual((request.kind, request.state), (kind, "asked"))
            self.assertEqual(request.user_id, self.operator_user)
            (activity,) = request.activity_ids
            self.assertEqual(activity.user_id, self.coordinator)
        self.assertFalse(self.verify())

    def test_by_nobody_else(self):
        self.prove()
        for user in (self.other_operator_user, self.prefecture_user, self.reader):
            for kind in KINDS:
                with self.subTest(user.login, kind=kind), self.assertRaises(AccessError):
                    self.request(kind, user)
        self.assertFalse(self.subsidy.date_request_ids)

    def test_no_access_of_its_own(self):
        """Over RPC, users of the portal read and write nothing of it; staff read, and write no
        field of what was asked or answered."""
        request = self.request("split")
        documents = request | self.request("question")
        for records in (documents, request.line_ids):
            for user in (self.operator_user, self.other_operator_user, self.prefecture_user):
                model = records.with_user(user)
                for operation in ("read", "write", "create", "unlink"):
                    self.assertFalse(model.has_access(operation), (user.login, operation))
        changes = {
            "state": "agreed", "answer": "Oui", "reason": "Autre", "kind": "dates",
            "settled_by_id": self.coordinator.id, "user_id": self.coordinator.id, "amount": 5,
        }  # fmt: skip
        for user in (self.coordinator, self.administrator, self.env.user):
            for name, value in changes.items():
                with self.subTest(user.login, name=name), self.assertRaises(AccessError):
                    request.with_user(user).write({name: value})
            with self.assertRaises(AccessError):
                request.line_ids[0].with_user(user).write({"amount": 1})
            with self.assertRaises(UserError):
                request.with_user(user).unlink()
            with self.assertRaises(AccessError):
                self.requests.with_user(user).create(
                    {"subsidy_id": self.subsidy.id, "date_end": "2023-01-01", "reason": "x",
                     "user_id": self.operator_user.id}
                )  # fmt: skip

    def test_one_open_of_a_kind(self):
        first = self.request("dates")
        self.assertEqual(self.request("dates"), first, "a second click")
        with self.assertRefused("asked for already"):
            self.request("dates", date_end=datetime.date(2022, 11, 1))
        split = self.request("split")
        self.assertEqual(self.request("split"), split)
        budget = {line.account_id.code: line for line in self.subsidy.budget_line_ids}
        with self.assertRefused("asked for already"):
            self.request("split", amounts={budget["641"]: 10000, budget["622"]: 5000})
        about = self.request("question")
        with self.assertRefused("asked for already"):
            self.request("question", reason="Et encore ?")
        self.assertNotEqual(self.request("question", piece=None), about, "about something else")
        self.answer(first, "refuse")
        self.assertNotEqual(self.request("dates"), first)

    @mute_logger("odoo.sql_db")
    def test_two_at_once(self):
        """The index holds against who does not see the other's: the call begins again, and does."""
        first = self.request("dates")
        self.patch(self.registry["grant.date.request"], "_find_open", lambda found, *_: None)
        with self.assertRaises(ConcurrencyError):
            self.request("dates", date_end=datetime.date(2022, 11, 1))
        self.assertEqual(self.subsidy.date_request_ids, first)

    def test_what_the_city_does_not_take(self):
        for kind in KINDS:
            self.company[f"grant_asks_{kind}"] = False
            with self.subTest(kind), self.assertRefused("does not take this request"):
                self.request(kind)
        self.assertEqual(self.subsidy._get_request_kinds(), [])

    def test_by_default(self):
        company = self.env["res.company"].create({"name": "Autre ville"})
        taken = [kind for kind in KINDS if company[f"grant_asks_{kind}"]]
        self.assertEqual(taken, ["dates", "split", "tranche", "question"])

    def test_neither_before_the_signature_nor_after_the_closing(self):
        subsidy = self.make_subsidy(name="Autre")
        subsidy.action_grant()
        with self.assertRefused("Asking for something"):
            self.request("question", subsidy=subsidy, piece=None)
        waiting = self.request("question")
        self.env.cr.execute(
            SQL("UPDATE grant_subsidy SET state = 'closed' WHERE id = %s", self.subsidy.id)
        )
        self.env.invalidate_all()
        for kind in KINDS:
            with self.subTest(kind), self.assertRefused("is closed"):
                self.request(kind)
        # What was asked before is answered all the same.
        self.answer(waiting, "answer", reason="C'est fini")

    def test_what_is_no_request(self):
        end = self.subsidy.date_end
        action = self.subsidy.action_ids[1]
        other = self.make_deliverable(self.make_subsidy(), name="D'une autre")
        for kind, values, field in (
            ("dates", {"date_end": end}, "date_end"),
            ("dates", {"date_end": None}, "date_end"),
            ("dates", {"reason": " \u200b…"}, "reason"),
            ("question", {"reason": "\x00\x07"}, "reason"),
            ("question", {"reason": None}, "reason"),
            ("question", {"piece": other}, "piece"),
            ("action", {"title": "\u202e "}, "title"),
            ("action", {"action": None}, "action"),
            ("action", {"amount": 0.0}, "amount"),
            ("action", {"amount": -5.0}, "amount"),
            ("action", {"action": action, "amount": 3000.01}, "amount"),
        ):
            with self.subTest(kind, **values), self.assertRaises(NotAsked) as caught:
                self.request(kind, **values)
            self.assertEqual(caught.exception.field, field)
        self.assertFalse(self.subsidy.date_request_ids)

    def test_texts_are_cut_and_cleaned(self):
        title = "Jar\x00din\u202e\n" + "x" * 300
        request = self.request("action", title=title, reason="a\x07" * 9000)
        self.assertEqual(len(request.title), 200)
        self.assertTrue(request.title.startswith("Jardin x"))
        self.assertEqual(request.reason, "a" * 5000)

    def test_no_machine(self):
        for number in range(MOST_A_DAY):
            request = self.request("question", reason=f"Question {number}")
            request.with_user(self.operator_user)._do_withdraw()
        with self.assertRefused("since yesterday"):
            self.request("question")
        self.request("question", self.coordinator)

    def test_nobody_is_named(self):
        """Whoever administers the city gets it, when nobody follows the subsidy."""
        self.subsidy.user_id = self.subsidy.contract_id.user_id = False
        self.assertTrue(self.request("question").activity_ids.user_id)


@tagged("post_install", "-at_install")
class TestSplitAsked(RequestCase):
    def test_balanced_as_budgets_are(self):
        budget = {line.account_id.code: line for line in self.subsidy.budget_line_ids}
        for amounts, sentence in (
            ({budget["641"]: 11000}, "not equal"),
            ({budget["864"]: 1000}, "in kind"),
            ({budget["74com"]: 9000, budget["756"]: 5000}, "the amount granted is"),
            ({}, "present budget"),
        ):
            with self.subTest(sentence), self.assertRefused(sentence):
                self.request("split", amounts=amounts)

    def test_before_and_after(self):
        account = self.account("613")
        request = self.request("split", added={account: 500}, amounts={
            line: line.amount - 500
            for line in self.subsidy.budget_line_ids if line.account_id.code == "641"
        })  # fmt: skip
        changed = request.line_ids.filtered("gain")
        self.assertEqual(
            {line.account_id.code: (line.amount_before, line.amount) for line in changed},
            {"641": (12000, 11500), "613": (0, 500)},
        )
        with self.assertRefused("in the budget already"):
            self.request("split", added={self.account("601"): 5})

    def test_agreed_it_is_a_draft_filled(self):
        account = self.account("613")
        budget = {line.account_id.code: line for line in self.subsidy.budget_line_ids}
        request = self.request(
            "split", added={account: 500}, amounts={budget["641"]: 10500, budget["622"]: 4000}
        )
        action = self.answer(request)
        amendment = self.env["grant.amendment"].browse(action["res_id"])
        self.assertEqual((amendment.state, amendment.reason), ("draft", request.reason))
        # Nothing but what comes with the council's decision and the signature.
        self.assertEqual([one["field"] for one in amendment.obstacles], ["decision_number"])
        self.assertEqual(budget["641"].amount, 12000)
        self.complete(amendment).with_user(self.finance_manager).action_sign()
        self.assertEqual(budget["641"].amount, 10500)
        self.assertEqual(
            self.subsidy.budget_line_ids.filtered(lambda line: line.account_id == account).amount,
            500,
        )
        self.assertFalse(self.verify())

    def test_the_budget_changed_since(self):
        request = self.request("split")
        self.amend(self.subsidy, _641=11500, _622=3500).with_user(
            self.finance_manager
        ).action_sign()
        with self.assertRefused("has changed since"):
            self.answer(request)
        self.assertEqual(request.state, "asked")
        self.answer(request, "refuse")

    def test_no_budget_no_split(self):
        subsidy = self.sign(self.make_subsidy(name="Sans budget")).with_env(self.env)
        with self.assertRefused("does not take this request"):
            self.request("split", subsidy=subsidy)


@tagged("post_install", "-at_install")
class TestTrancheAsked(RequestCase):
    def test_says_what_is_missing(self):
        self.certify(self.advance)
        with self.assertRefused("Acompte", "Bilan intermédiaire", "hand in first"):
            self.request("tranche")
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        self.assertEqual(
            self.interim._get_missing(),
            ["“Bilan intermédiaire” is handed in: the city is reading it."],
        )
        request = self.request("tranche", reason=None)
        with self.assertRefused("Bilan intermédiaire"):
            self.answer(request)
        self.assertEqual(request.state, "asked")
        self.piece.with_user(self.coordinator).action_accept()
        self.answer(request)

    def test_the_next_one_and_no_other(self):
        for tranche, sentence in (
            (self.interim, "is not the next payment"),
            (self.balance, "is the balance"),
        ):
            with self.subTest(sentence), self.assertRefused(sentence):
                self.request("tranche", tranche=tranche.sudo())
        self.prove()
        with self.assertRefused("is not to be asked for any more"):
            self.request("tranche", tranche=self.advance.sudo())
        other = self.make_budgeted()
        with self.assertRefused("No payment"):
            self.request("tranche", tranche=other.disbursement_ids[1].sudo())
        self.certify(self.interim)
        with self.assertRefused("is the balance"):
            self.request("tranche")

    def test_agreeing_certifies_nothing(self):
        self.prove()
        request = self.request("tranche")
        action = self.answer(request, user=self.both_roles)
        self.assertEqual((action["res_model"], action["res_id"]), (
            "grant.disbursement", self.interim.id,
        ))  # fmt: skip
        self.assertEqual((self.interim.state, self.interim.certified_by_id.id), ("ready", False))
        self.assertFalse(self.interim.decision_ids)
        # Two people stay two.
        self.certify(self.interim, self.both_roles)
        with self.assertRefused("You certified the work done"), freeze_time("2022-02-02"):
            self.interim.with_user(self.both_roles)._do_order("M-1", datetime.date(2022, 2, 2))

    def test_certified_meanwhile(self):
        self.prove()
        request = self.request("tranche")
        self.certify(self.interim)
        self.answer(request)
        self.assertEqual(request.state, "agreed")


@tagged("post_install", "-at_install")
class TestAnswering(RequestCase):
    def test_another_action_is_a_draft_filled(self):
        request = self.request("action")
        action = self.answer(request)
        amendment = self.env["grant.amendment"].browse(action["res_id"])
        self.assertEqual(
            [(line.name, line.amount_before, line.amount) for line in amendment.action_line_ids],
            [("Ateliers", 7000, 5500), ("Sorties", 3000, 3000), ("Un jardin", 0, 1500)],
        )
        self.assertIn("Un jardin", amendment.reason)
        # Nothing but what comes with the council's decision and the signature.
        self.assertEqual([one["field"] for one in amendment.obstacles], ["decision_number"])
        self.complete(amendment).with_user(self.finance_manager).action_sign()
        self.assertEqual(sum(self.subsidy.action_ids.mapped("amount")), 10000)

    def test_another_action_without_money(self):
        request = self.request("action", action=None, amount=0.0)
        action = self.answer(request)
        amendment = self.env["grant.amendment"].browse(action["res_id"])
        self.assertEqual(amendment.action_line_ids[-1:].amount, 0)

    def test_an_answer_is_written_and_told(self):
        self.prove()
        for kind in KINDS:
            with self.subTest(kind):
                self.check_answered(self.request(kind), kind == "question")
        self.assertFalse(self.env["grant.seal"]._get_altered_documents())

    def check_answered(self, request, is_question):
        good, wrong = ("answer", "agree") if is_question else ("agree", "answer")
        for reason in ("", " … ", "\u200b"):
            with self.assertRefused("in words"):
                self.answer(request, good, reason=reason)
        with self.assertRefused("nswer it" if is_question else "refuse it"):
            self.answer(request, wrong)
        mails = self.mails_of(lambda: self.answer(request, good, reason="Oui, bien sûr"))
        self.assertIn("Oui, bien sûr", mails.body_html)
        self.assertIn(f"/my/subsidies/{self.subsidy.id}/asks", mails.body_html)
        self.assertEqual(mails.recipient_ids, self.operator_user.partner_id)
        self.assertEqual(request.answer, "Oui, bien sûr")
        self.assertEqual(request.settled_by_id, self.coordinator)
        self.assertFalse(request.activity_ids)
        for action in ("agree", "refuse", "answer"):
            with self.assertRefused("is in the state"):
                self.answer(request, action)
        with self.assertRefused("is in the state"):
            request.with_user(self.operator_user)._do_withdraw()

    def test_by_whom(self):
        request = self.request("dates")
        for user in (*self.portal_users, self.reader, self.finance_officer, self.finance_manager):
            for act in ("_do_agree", "_do_refuse", "_do_answer"):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    getattr(request.with_user(user), act)("Oui")

    @mute_logger("odoo.sql_db")
    def test_not_by_who_asked(self):
        request = self.request("dates", self.both_roles)
        for action in ("agree", "refuse"):
            with self.assertRefused("you asked for it yourself"):
                self.answer(request, action, self.both_roles)
        # Nor by another login of the same person, nor past the method.
        self.coordinator.partner_id = self.both_roles.partner_id
        with self.assertRefused("you asked for it yourself"):
            self.answer(request)
        with self.assertRaises(psycopg2.IntegrityError):
            request._transition(state="agreed", settled_by_id=self.both_roles.id)
            request.flush_recordset()

    def test_withdrawn(self):
        request = self.request("dates")
        for user in (self.other_operator_user, self.prefecture_user, self.coordinator):
            with self.subTest(user.login), self.assertRaises(AccessError):
                request.with_user(user)._do_withdraw()
        self.assertFalse(self.mails_of(request.with_user(self.operator_user)._do_withdraw))
        self.assertEqual(request.state, "withdrawn")
        self.assertFalse(request.activity_ids)
        with self.assertRefused("is in the state"):
            self.answer(request)

    def test_what_is_open_shows_before_closing(self):
        self.request("question")
        titles = [section["title"] for section in self.subsidy._get_release_preview()]
        self.assertIn("Requests still to answer", titles)


@tagged("post_install", "-at_install")
class TestOldRequests(RequestCase):
    def test_what_was_asked_before_there_were_kinds(self):
        """A row as version 1.3 wrote it, sealed then: the new columns say nothing new of it."""
        request = self.request("dates")
        self.env.flush_all()
        self.env["grant.seal"]._append_noted()
        self.assertEqual(request.kind, "dates")
        self.env.cr.execute(
            SQL("SELECT column_name FROM information_schema.columns WHERE table_name = %s "
                "AND is_nullable = 'NO'", request._table)
        )  # fmt: skip
        required = {name for (name,) in self.env.cr.fetchall()}
        self.assertEqual(required, {"id", "subsidy_id", "user_id", "state", "kind"})
        self.assertFalse(self.env["grant.seal"]._get_altered_documents())
