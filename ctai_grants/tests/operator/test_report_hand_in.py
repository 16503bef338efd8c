import datetime

from odoo.exceptions import AccessError
from odoo.tests import freeze_time

from ..common import PDF
from .test_report_lines import ACTUAL, ReportCase

ATTESTED = {
    "has_attested": "1",
    "attested": "1",
    "attested_name": "Camille Exemple",
    "attested_quality": "Présidente",
    "attested_place": "Poitiers",
    "attested_date": "2022-07-10",
}


@freeze_time("2022-07-15 12:00:00")
class HandInCase(ReportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator.fiscalyear_end_month = "6"

    def begin(self, outcome="report", user=None, subsidy=None):
        user = user or self.operator_user
        # As the page does: after the check that the user may read the subsidy.
        subsidy = (subsidy or self.subsidy).with_user(user).sudo()
        return self.env["grant.financial.report"].with_user(user)._begin(subsidy, outcome)

    def values(self, report, **changes):
        """What the form sends: every line of :data:`ACTUAL`, texts and attestation."""
        amounts = {**ACTUAL, **{code.strip("_"): text for code, text in changes.items()
                                if code.startswith("_")}}  # fmt: skip
        return {
            **{f"actual_{self.of(report, code).id}": str(text) for code, text in amounts.items()},
            "achieved": "Douze ateliers, deux fois par semaine.",
            **ATTESTED,
            **{name: text for name, text in changes.items() if not name.startswith("_")},
        }

    def save(self, report, **changes):
        return report._save_draft(self.values(report, **changes), report.revision)


@freeze_time("2022-07-15 12:00:00")
class TestBeginning(HandInCase):
    def test_by_the_operator(self):
        report = self.begin()
        self.assertEqual(len(report.line_ids), 51)
        self.assertEqual(report.exercise_end, datetime.date(2022, 6, 30))
        self.assertEqual((report.state, report.hand_in), ("draft", "to_fill"))
        self.assertEqual(self.begin(), report)

    def test_by_nobody_else(self):
        for user in (self.other_operator_user, self.prefecture_user, self.reader):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.begin(user=user)

    def test_no_access_of_its_own(self):
        """Over RPC an operator reads and writes no report, line, budget or request."""
        self.begin()
        for name in ("financial.report", "report.line", "budget.line", "budget.account",
                     "date.request"):  # fmt: skip
            model = self.env[f"grant.{name}"].with_user(self.operator_user)
            for operation in ("read", "write", "create", "unlink"):
                self.assertFalse(model.has_access(operation), name)

    def test_not_before_the_signature(self):
        subsidy = self.make_subsidy()
        subsidy.action_grant()
        with self.assertRefused("Writing the financial report"):
            self.begin(subsidy=subsidy)


@freeze_time("2022-07-15 12:00:00")
class TestSaving(HandInCase):
    def test_what_is_typed_is_kept(self):
        report = self.begin()
        pay = self.of(report, "641")
        comment = {f"comment_{pay.id}": " Poste vacant\x00 "}
        errors = self.save(report, _641="10 000,50 €", **comment)
        self.assertFalse(errors)
        self.assertEqual(pay.actual, 10000.5)
        self.assertEqual(pay.comment, "Poste vacant")
        self.assertEqual(report.actual_amount, 18000.5)
        self.assertEqual(report.attested_name, "Camille Exemple")
        self.assertEqual(report.revision, 1)

    def test_what_cannot_be_read_is_told_and_the_rest_kept(self):
        report = self.begin()
        pay, fees = self.of(report, "641"), self.of(report, "622")
        errors = self.save(report, _641="beaucoup", _622="1.234", _601="-5", attested_date="hier")
        self.assertEqual(
            set(errors),
            {f"actual_{pay.id}", f"actual_{fees.id}", f"actual_{self.of(report, '601').id}",
             "attested_date"},
        )  # fmt: skip
        self.assertEqual((pay.actual, fees.actual), (0, 0))
        self.assertEqual(self.of(report, "645").actual, 3000)
        self.assertTrue(report.achieved)

    def test_unknown_names_are_nothing(self):
        """Only what the form has, of this report: no total, no refusal, no other's line."""
        report = self.begin()
        other = self.fill(self.make_lined(self.make_budgeted()))
        theirs = self.of(other, "641")
        report._save_draft(
            {
                "state": "accepted",
                "hand_in": "submitted",
                "eligible_amount": "5",
                f"refused_amount_{self.of(report, '641').id}": "5",
                f"actual_{theirs.id}": "1",
                f"name_{self.of(report, '74dep').id}": "Autre",
            },
            0,
        )
        self.assertEqual((report.state, report.hand_in), ("draft", "to_fill"))
        self.assertEqual(report.eligible_amount, 0)
        self.assertEqual(theirs.actual, 10000)
        self.assertEqual(self.of(report, "74dep").name, "Département")

    def test_funders(self):
        report = self.begin()
        new = {"new_account_0": "74aidespriv", "new_name_0": "Fondation", "new_actual_0": "250"}
        self.assertFalse(self.save(report, **new))
        added = report.line_ids.filtered(lambda line: line.name == "Fondation")
        self.assertEqual((added.actual, added.account_id.code), (250, "74aidespriv"))
        for changes, wrong in (
            ({}, "new_name_0"),  # the same once more
            ({"new_account_0": "641"}, "new_account_0"),
            ({"new_account_0": ""}, "new_account_0"),
            ({"new_name_0": ""}, "new_name_0"),
            ({"new_actual_0": "x"}, "new_actual_0"),
        ):
            with self.subTest(changes):
                self.assertEqual(set(self.save(report, **{**new, **changes})), {wrong})
        self.save(report, **{f"name_{added.id}": "", f"actual_{added.id}": ""})
        self.assertFalse(added.exists())

    def test_two_at_once_the_second_is_told(self):
        report = self.begin()
        self.save(report)
        with self.assertRefused("was saved on", "after you opened it"):
            report._save_draft(self.values(report, _641=1), 0)
        self.assertEqual(self.of(report, "641").actual, 10000)

    def test_the_year_ends_after_it_starts(self):
        report = self.begin()
        errors = self.save(report, exercise_start="2022-07-01", exercise_end="2022-06-30")
        self.assertIn("exercise_end", errors)
        self.assertEqual(report.exercise_start, datetime.date(2021, 10, 25))

    def test_by_nobody_else(self):
        report = self.begin()
        with self.assertRaises(AccessError):
            report.with_user(self.other_operator_user).sudo()._save_draft({}, 0)


@freeze_time("2022-07-15 12:00:00")
class TestHandingIn(HandInCase):
    def hand_in(self, **changes):
        report = self.begin()
        self.save(report, **changes)
        report._do_hand_in()
        return report

    def test_handed_in(self):
        report = self.hand_in()
        self.assertEqual((report.state, report.hand_in), ("draft", "submitted"))
        self.assertEqual(report.submitted_by_id, self.operator_user)
        with self.assertRefused("Handed In"):
            self.save(report)
        with self.assertRefused("Handed In"):
            report._do_hand_in()

    def test_what_was_handed_in_stays(self):
        report = self.hand_in().with_user(self.coordinator)
        line = self.of(report, "641")
        for record, vals in (
            (line, {"actual": 1}),
            (line, {"comment": "x"}),
            (report, {"achieved": "x"}),
            (report, {"attested_name": "x"}),
            (report, {"exercise_end": "2022-05-31"}),
        ):
            with self.subTest(vals), self.assertRefused("cannot be changed any more", "Handed In"):
                record.write(vals)
        # What the city says of it is the city's.
        line.write({"refused_amount": 100, "refused_ground": "Hors période"})
        self.assertEqual(report.eligible_amount, 17900)

    def test_void(self):
        """Nothing blocks but what would be no report."""
        report = self.begin()
        with self.assertRefused("No charge is entered", "in some words", "“Legal Representative”"):
            report._do_hand_in()
        # An odd one is one all the same.
        self.save(report, _870="0", _756="9999", _74com="1")
        self.assertTrue(report.advice)
        report._do_hand_in()

    def test_not_before_the_end_of_the_year(self):
        report = self.begin()
        self.save(report, exercise_end="2022-07-31")
        with self.assertRefused("not over yet"):
            report._do_hand_in()

    def test_accepted_without_a_signed_file(self):
        """The attestation on the form is the signature: no other paper than ours is asked for."""
        report = self.hand_in().with_user(self.coordinator)
        report.action_accept()
        self.assertEqual(self.subsidy.justified_amount, 9000)
        self.assertFalse(self.verify())
        # Written in lines by the city itself, it has none.
        other = self.fill(self.make_lined(self.make_budgeted(), version_id=False))
        with self.assertRefused("“Signed Report” is empty"):
            other.action_accept()

    def test_sent_back(self):
        report = self.hand_in().with_user(self.coordinator)
        self.ask(report, "send_back_report", self.coordinator, "Il manque les factures")
        self.assertEqual((report.state, report.hand_in), ("draft", "to_complete"))
        self.assertEqual(report.answer, "Il manque les factures")
        # It is attested anew.
        self.assertFalse(report.attested)
        own = report.with_user(self.operator_user).sudo()
        self.save(own, _641=9000)
        own._do_hand_in()
        self.assertEqual(report.hand_in, "submitted")
        self.assertFalse(report.answer)
        report.action_accept()
        self.assertFalse(self.verify())
        with self.assertRefused("Sending a financial report back"):
            report._do_send_back("Encore")

    def test_who_sends_back(self):
        report = self.hand_in()
        with self.assertRaises(AccessError):
            self.ask(report, "send_back_report", self.finance_officer)

    def make_piece(self):
        kind = self.env.ref("ctai_grants.deliverable_type_financial_report")
        return self.make_deliverable(self.subsidy, name="CRF", type_id=kind.id)

    def test_its_paper_is_the_piece(self):
        """What is handed in online is a version of the piece that a tranche waits for."""
        piece = self.make_piece()
        report = self.hand_in().with_user(self.coordinator)
        version = piece.last_version_id
        self.assertEqual((piece.state, report.version_id), ("submitted", version))
        content = version.file_ids._get_sudo_attachment().raw
        self.assertTrue(content.startswith(b"%PDF-"))
        self.assertGreater(len(content), 5000)
        report.action_accept()
        self.assertEqual(piece.state, "accepted")
        self.assertFalse(self.verify())

    def test_nobody_asked_for_it(self):
        """A report that no piece waits for has a receipt, and is taken back, as any other."""
        report = self.hand_in()
        piece = self.subsidy.with_user(self.coordinator).deliverable_ids
        self.assertEqual((len(piece), piece.state), (1, "submitted"))
        self.assertEqual(report.version_id, piece.last_version_id)
        self.assertTrue(report.version_id.receipt_ids)
        self.assertFalse(piece.is_late)
        piece.with_user(self.operator_user)._do_take_back()
        self.assertEqual((piece.state, report.hand_in), ("expected", "to_fill"))
        self.assertFalse(piece.sudo().draft_ids, "its paper is made anew")
        self.save(report)
        report._do_hand_in()
        self.assertEqual(self.subsidy.deliverable_ids, piece)
        report.with_user(self.coordinator).action_accept()
        self.assertEqual(piece.state, "accepted")
        self.assertFalse(self.verify())

    def test_sent_back_with_its_piece(self):
        piece = self.make_piece()
        report = self.hand_in()
        report.with_user(self.coordinator)._do_send_back("Il manque un total")
        self.assertEqual((piece.state, piece.answer), ("to_complete", "Il manque un total"))
        self.save(report)
        report._do_hand_in()
        self.assertEqual(len(piece.version_ids), 2)
        self.assertEqual(report.version_id, piece.last_version_id)

    def test_taken_back_after_another_version(self):
        """The piece is awaited again: so is the report, or nobody could fill it in."""
        piece, operator = self.make_piece(), self.operator_user
        report = self.hand_in()
        piece.with_user(operator)._do_submit("annexe.pdf", PDF)
        self.assertEqual(report.hand_in, "submitted")
        piece.with_user(operator)._do_take_back()
        self.assertEqual((piece.state, report.hand_in), ("expected", "to_fill"))
        self.save(report)
        report._do_hand_in()
        self.assertEqual((piece.state, report.hand_in), ("submitted", "submitted"))
        self.assertEqual(report.version_id, piece.last_version_id)

    def test_not_done(self):
        """An attestation that nothing was spent: all that was paid is due back, with a reason."""
        report = self.begin("not_done")
        self.save(report, achieved="La salle a brûlé.")
        report._do_hand_in()
        self.assertEqual(report.actual_amount, 0)
        report = report.with_user(self.coordinator)
        with self.assertRefused("would be due back"):
            report.action_accept()
        self.ask(report, "accept_report", self.coordinator, "L'action n'a pas eu lieu")
        self.assertEqual(sum(report.recovery_ids.mapped("amount")), 8000)
        self.assertFalse(self.verify())

    def test_not_done_without_a_budget(self):
        subsidy = self.make_paid_subsidy()
        report = self.begin("not_done", subsidy=subsidy)
        report._save_draft({"achieved": "Annulé", **ATTESTED}, report.revision)
        report._do_hand_in()
        report = report.with_user(self.coordinator)
        # The rule of this convention divides by it.
        report.budget_amount = 20000
        self.ask(report, "accept_report", self.coordinator, "L'action n'a pas eu lieu")
        self.assertEqual(report.state, "accepted")


@freeze_time("2022-06-15 12:00:00")
class TestNewDates(HandInCase):
    def request(self, date_end="2022-12-15", reason="Le local n'est prêt qu'en juin", user=None):
        user = user or self.operator_user
        return self.env["grant.date.request"].with_user(user)._ask_dates(
            self.subsidy.with_user(user).sudo(),
            date_end and datetime.date.fromisoformat(date_end), reason,
        )  # fmt: skip

    def test_agreed_it_is_a_draft_amendment(self):
        request = self.request()
        self.assertEqual(self.request(), request, "a second click")
        action = self.ask(request, "agree_request", self.coordinator, "D'accord")
        amendment = self.env["grant.amendment"].browse(action["res_id"])
        self.assertEqual(amendment.date_end, datetime.date(2022, 12, 15))
        self.assertEqual((request.state, request.amendment_id), ("agreed", amendment))
        self.assertEqual(self.subsidy.date_end, datetime.date(2022, 6, 30))

    def test_refused(self):
        request = self.request()
        self.ask(request, "refuse_request", self.coordinator, "Le contrat finit en juin")
        self.assertEqual((request.state, request.answer), ("refused", "Le contrat finit en juin"))
        with self.assertRefused("Agreeing to a request"):
            request.with_user(self.coordinator)._do_agree("Si")
        self.request("2022-10-31")

    def test_what_is_no_request(self):
        for values, sentence in (
            ({"date_end": "2022-06-30"}, "after the present end"),
            ({"date_end": None}, "after the present end"),
            ({"reason": " "}, "why you need more time"),
        ):
            with self.subTest(values), self.assertRefused(sentence):
                self.request(**values)
        with self.assertRaises(AccessError):
            self.request(user=self.other_operator_user)
        self.request()
        with self.assertRefused("asked for already"):
            self.request("2022-11-30")
