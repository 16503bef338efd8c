import io
from unittest.mock import patch

import psycopg2.errors
import xlsxwriter

from odoo import http
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, freeze_time, tagged

from ...lib.accounting.spreadsheet import Refusal
from ...lib.operator.workbook import get_mark, read_workbook
from ..common import PDF
from ..files import make_picture
from ..portal.test_portal import PortalCase
from .test_budget import BudgetCase
from .test_report_hand_in import HandInCase


@freeze_time("2022-07-15 12:00:00")
class TestSentBack(HandInCase):
    def hand_in(self):
        report = self.begin()
        self.save(report)
        report._do_hand_in()
        return report.with_user(self.coordinator)

    def assert_signed_no_more(self):
        report = self.hand_in()
        report._do_send_back("Faux")
        # Not by who accepts it.
        self.of(report, "641").with_user(self.both_roles).actual = 11900
        report.attested = True
        with self.assertRefused("“Signed Report” is empty"):
            report.action_accept()

    def test_signed_no_more(self):
        """Not by a box that the city ticks."""
        self.assert_signed_no_more()

    def test_signed_no_more_on_paper(self):
        """Nor by the paper of before."""
        kind = self.env.ref("ctai_grants.deliverable_type_financial_report")
        self.make_deliverable(self.subsidy, name="CRF", type_id=kind.id)
        self.assert_signed_no_more()

    def test_less_than_was_refused(self):
        report = self.hand_in()
        line = self.of(report, "641")
        line.write({"refused_amount": 5000, "refused_ground": "Hors période"})
        report._do_send_back("Faux")
        self.assertFalse(self.save(report.with_user(self.operator_user).sudo(), _641=4000))
        self.env.flush_all()
        self.assertEqual((line.actual, line.refused_amount), (4000, 4000))

    def test_of_one_subsidy(self):
        report = self.hand_in()
        other = self.make_budgeted()
        with self.assertRefused("“Subsidy”"):
            report.subsidy_id = other


class TestBudgetMoved(BudgetCase):
    def test_into_what_was_signed(self):
        signed = self.sign(self.set_budget(self.make_subsidy()))
        line = self.set_budget(self.make_subsidy()).budget_line_ids[0].with_user(self.coordinator)
        line.name = "Autre"
        with self.assertRefused("part of what was signed"):
            line.subsidy_id = signed


class TestPreviews(HandInCase):
    def test_one_own(self):
        previews = self.env["grant.reminder.preview"]
        made = previews.with_user(self.coordinator).sudo().create({"subject": "S", "body": "B"})
        with self.assertRaises(AccessError):
            made.with_user(self.reader).read(["body"])
        self.assertFalse(previews.with_user(self.reader).search([]) & made)
        self.assertEqual(made.with_user(self.coordinator).read(["subject"])[0]["subject"], "S")


class TestFarCells(HandInCase):
    def test_refused_before_they_are_read(self):
        for row, column in ((1_048_575, 16383), (199_998, 1000)):
            stream = io.BytesIO()
            with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
                sheet = book.add_worksheet()
                sheet.write_string(0, 0, get_mark(7, 2))
                sheet.write_string(row, column, "x")
            with self.subTest(row), self.assertRaises(Refusal) as caught:
                read_workbook(stream.getvalue(), get_mark(7, 2), [])
            self.assertEqual(caught.exception.code, "too_large")


@tagged("post_install", "-at_install")
class TestTwoAtOnce(PortalCase):
    def test_begun_again_all_files_are_there(self):
        self.login(self.operator_user)
        pieces, known = self.registry["grant.deliverable"], []
        submit = pieces._hand_in

        class Again(psycopg2.errors.SerializationFailure):
            pgcode = "40001"

        def first_fails(piece, judged, *args):
            known.append([(file.name, file.size, file.sha256) for file in judged])
            if len(known) == 1:
                raise Again
            return submit(piece, judged, *args)

        files = [("a.pdf", PDF), ("b.jpg", make_picture(seed=1))]
        with patch.object(pieces, "_hand_in", first_fails), patch("time.sleep"):
            self.assertEqual(self.upload_all(self.piece, files).status_code, 303)
        first, second = known
        self.assertEqual(first, second)
        self.assertEqual([name for name, _size, _hash in first], ["a.pdf", "b.jpg"])


@tagged("post_install", "-at_install")
@freeze_time("2022-07-15 12:00:00")
class TestPageCorners(HandInCase, HttpCase):
    def setUp(self):
        super().setUp()
        self.operator_user.password = self.operator_user.login
        self.authenticate(self.operator_user.login, self.operator_user.login)
        self.report = self.begin()

    def save_by_page(self, **values):
        return self.url_open(
            f"/my/subsidies/{self.subsidy.id}/report/save",
            data={"csrf_token": http.Request.csrf_token(self), **values},
        )

    def test_a_new_funder_stays_typed(self):
        self.save(self.report)
        funder = {
            "new_account_0": "74aidespriv", "new_name_0": "Fondation Zed", "new_actual_0": "250"
        }  # fmt: skip
        answer = self.save_by_page(revision="0", **funder)
        self.assertIn("after you opened it", answer.text)
        self.assertIn("Fondation Zed", answer.text)

    def test_not_handed_in_it_is_saved(self):
        kind = self.env.ref("ctai_grants.deliverable_type_financial_report")
        piece = self.make_deliverable(self.subsidy, name="CRF", type_id=kind.id)
        for number in range(20):
            piece._do_submit("a.pdf", PDF + str(number).encode())
        answer = self.save_by_page(revision="0", hand_in="1", **self.values(self.report))
        self.assertEqual(answer.status_code, 200)
        self.assertIn("handed in 20 times", answer.text)
        self.assertTrue(self.report.achieved)
        self.assertEqual(self.report.hand_in, "to_fill")

    def test_no_character_ends_it(self):
        answer = self.save_by_page(
            revision="0", new_account_0="\x00", new_name_0="x", new_actual_0="1"
        )
        self.assertIn("Choose which kind of funder", answer.text)
