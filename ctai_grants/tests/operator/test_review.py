from odoo.exceptions import AccessError
from odoo.tests import Form, freeze_time, new_test_user, tagged

from ..common import PDF
from ..files import make_picture
from ..portal.test_portal import PortalCase
from .test_report_hand_in import HandInCase


class ReviewCase(HandInCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.piece = cls.make_deliverable(cls.subsidy)

    def hand_in(self, piece=None, user=None, name="bilan.pdf", content=PDF):
        piece = (piece or self.piece).with_user(user or self.operator_user)
        return piece._do_submit(name, content)

    def review(self, document, user=None):
        name = "report_id" if document._name == "grant.financial.report" else "deliverable_id"
        domain = [(name, "=", document.id)]
        if name == "deliverable_id":
            domain.append(("kind", "=", "piece"))
        return self.env["grant.review"].with_user(user or self.coordinator).search(domain)

    def hand_in_report(self):
        report = self.begin()
        self.save(report)
        report._do_hand_in()
        return report

    def send_back(self, document, reason=None, reasons=None):
        """As the window does, over its own methods."""
        document = document.with_user(self.coordinator)
        action = document.action_send_back()
        answer = (
            self.env[action["res_model"]]
            .with_user(self.coordinator)
            .with_context(**action["context"])
            .create({"reason": reason})
        )
        for line in answer.line_ids:
            line.reason = (reasons or {}).get(line.file_id or line.report_line_id)
        answer.action_confirm()


class TestQueue(ReviewCase):
    def test_oldest_first_and_what_it_blocks(self):
        subsidy = self.set_budget(self.make_subsidy())
        tranche = self.make_tranche(subsidy, amount=4000, kind="advance")
        self.make_tranche(subsidy, name="Solde", kind="balance", amount=6000)
        blocking = self.make_deliverable(subsidy, disbursement_ids=tranche.ids)
        self.sign(subsidy)
        self.hand_in()
        with freeze_time("2022-07-14 12:00:00"):
            self.hand_in(blocking)
        queue = self.env["grant.review"].with_user(self.coordinator).search(
            [("state", "=", "submitted"), ("deliverable_id", "in", (self.piece + blocking).ids)]
        )
        self.assertEqual(queue.deliverable_id.ids, [blocking.id, self.piece.id])
        self.assertEqual(queue.mapped("blocked_amount"), [4000, 0])
        self.assertEqual(queue[0].disbursement_ids, tranche)
        queue[0].action_accept()
        self.env.invalidate_all()
        self.assertEqual(self.review(blocking).blocked_amount, 0)
        self.assertEqual(self.review(blocking).state, "accepted")

    def test_as_many_queries_for_many(self):
        self.hand_in()
        domain = [("state", "=", "submitted")]
        names = {name: {} for name in ("name", "blocked_amount", "is_late", "user_id", "state")}
        reviews = self.env["grant.review"].with_user(self.coordinator)

        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            reviews.web_search_read(domain, names)
            return self.cr.sql_log_count - before

        count()
        few = count()
        for _number in range(5):
            self.hand_in(self.make_deliverable(self.subsidy))
        self.assertEqual(count(), few)

    def test_a_report_and_its_paper_are_one_line(self):
        kind = self.env.ref("ctai_grants.deliverable_type_financial_report")
        paper = self.make_deliverable(self.subsidy, type_id=kind.id)
        report = self.hand_in_report()
        self.assertEqual(paper.state, "submitted")
        review = self.review(report)
        self.assertEqual((review.kind, review.deliverable_id.id), ("report", paper.id))
        self.assertFalse(self.review(paper))
        self.assertEqual(len(review.files), 1)
        # The balance waits for the report.
        self.assertEqual(review.blocked_amount, 2000)

    def test_of_other_cities(self):
        self.hand_in()
        city = self.env["res.company"].create({"name": "Autre ville"})
        user = new_test_user(
            self.env, "test_elsewhere", "ctai_grants.group_coordinator",
            company_id=city.id, company_ids=[(6, 0, city.ids)],
        )  # fmt: skip
        self.assertFalse(self.env["grant.review"].with_user(user).search([]))
        with self.assertRaises(AccessError):
            self.review(self.piece).with_user(user).read(["name"])
        for portal in self.portal_users:
            self.assertFalse(self.env["grant.review"].with_user(portal).has_access("read"))

    def test_nothing_is_written_but_refusals(self):
        report = self.hand_in_report()
        review, line = self.review(report), self.of(report, "641")
        with self.assertRefused("nothing is written but"):
            review.name = "Autre"
        review.write({"expense_line_ids": [(1, line.id, {"refused_amount": 500})]})
        self.assertEqual(report.eligible_amount, 17500)
        self.assertEqual((review.eligible_amount, review.refused_amount), (17500, 500))
        with self.assertRefused("Handed In"):
            review.write({"expense_line_ids": [(1, line.id, {"actual": 5})]})
        with self.assertRaises(AccessError):
            self.review(report, self.reader).write(
                {"expense_line_ids": [(1, line.id, {"refused_amount": 1})]}
            )

    def test_what_is_eligible_while_one_types(self):
        report = self.hand_in_report()
        place = self.review(report).expense_line_ids.ids.index(self.of(report, "641").id)
        with Form(self.review(report)) as screen:
            with screen.expense_line_ids.edit(place) as line:
                line.refused_amount = 400
                line.refused_ground = "Hors période"
            self.assertEqual((screen.refused_amount, screen.eligible_amount), (400, 17600))
            self.assertEqual(report.eligible_amount, 18000)
        self.assertEqual(report.eligible_amount, 17600)


class TestTwoPeople(ReviewCase):
    def test_of_a_piece(self):
        self.hand_in(user=self.coordinator)
        with self.assertRefused("somebody else has to accept it"):
            self.piece.with_user(self.coordinator).action_accept()
        self.assertEqual(self.piece.state, "submitted")
        self.piece.with_user(self.both_roles).action_accept()
        self.assertEqual(self.piece.state, "accepted")

    def test_another_login_of_the_same_person(self):
        self.hand_in(user=self.coordinator)
        again = new_test_user(self.env, "test_again", "ctai_grants.group_coordinator")
        again.partner_id = self.coordinator.partner_id
        with self.assertRefused("another login of yours"):
            self.piece.with_user(again).action_accept()

    def test_of_a_report(self):
        report = self.begin(user=self.coordinator)
        self.save(report)
        report.with_user(self.coordinator)._do_hand_in()
        with self.assertRefused("somebody else has to accept it"):
            report.with_user(self.coordinator).action_accept()

    def test_of_a_report_on_paper(self):
        paper = self.make_report_file(self.subsidy, self.coordinator)
        report = self.fill(self.make_lined(version_id=paper.id))
        with self.assertRefused("somebody else has to accept it"):
            report.with_user(self.coordinator).action_accept()
        again = new_test_user(self.env, "test_second", "ctai_grants.group_coordinator")
        report.with_user(again).action_accept()
        self.assertEqual(report.state, "accepted")

    def test_of_a_report_on_the_operators_paper(self):
        """Whoever read the figures off the paper is an author, of the report and of its paper."""
        self.hand_in()
        report = self.make_lined(version_id=self.piece.last_version_id.id)
        self.fill(report)
        second = new_test_user(self.env, "test_second", "ctai_grants.group_coordinator")
        report = report.with_user(second)
        line = self.of(report, "641")
        line.actual += 1
        line.write({"refused_amount": 1, "refused_ground": "Hors période"})
        for user in (self.both_roles, second):
            for document in (report, self.piece):
                with self.assertRefused("somebody else has to accept it"):
                    document.with_user(user).action_accept()
        # Who only refused a part of it accepts the rest.
        self.of(report.with_user(self.coordinator), "641").refused_amount = 2
        report.with_user(self.coordinator).action_accept()
        # A piece that is no report is reviewed by itself.
        self.assertEqual((report.state, self.piece.state), ("accepted", "submitted"))


class TestSendingBack(ReviewCase):
    def last_mail(self):
        return self.env["mail.mail"].search([], order="id desc", limit=1)

    def test_file_by_file(self):
        version = self.piece.with_user(self.operator_user)._do_submit_files(
            [("bilan.pdf", PDF), ("photo.png", make_picture("PNG"))]
        )
        first, second = version.sudo().file_ids
        self.send_back(self.piece, "Il manque la signature.", {second: "La photo est illisible."})
        self.assertEqual(self.piece.state, "to_complete")
        self.assertIn("Il manque la signature.", self.piece.answer)
        self.assertIn(second.name, self.piece.answer)
        self.assertNotIn(first.name, self.piece.answer)
        self.assertIn("La photo est illisible.", self.last_mail().body_html)
        # The history keeps it.
        self.assertEqual(self.piece.decision_ids[0].reason, self.piece.answer)

    def test_not_without_a_word(self):
        self.hand_in()
        for reason in (None, " ", "…"):
            with self.subTest(reason), self.assertRefused("in words"):
                self.send_back(self.piece, reason)
        self.assertEqual(self.piece.state, "submitted")

    def test_of_what_was_not_handed_in_last(self):
        self.hand_in()
        other = self.hand_in(self.make_deliverable(self.subsidy)).sudo().file_ids
        with self.assertRefused("not of what was handed in last"):
            self.piece.with_user(self.coordinator)._do_send_back_files("Oui", {other: "Non"})

    def test_line_by_line(self):
        report = self.hand_in_report()
        line = self.of(report, "641")
        self.send_back(report, None, {line: "Joignez le bulletin de paie."})
        self.assertEqual(report.hand_in, "to_complete")
        self.assertEqual(line.answer, "Joignez le bulletin de paie.")
        self.assertIn("641", report.answer)
        self.assertIn("bulletin de paie", self.last_mail().body_html)
        # Of the piece that the report made, which leads to it.
        piece = self.subsidy.sudo().deliverable_ids.filtered("version_ids")
        self.assertIn(piece._get_page_url(), self.last_mail().body_html)
        self.save(report)
        report._do_hand_in()
        self.assertFalse(line.answer)

    def test_a_report_accepted_is_told_once(self):
        report = self.hand_in_report()
        before = self.env["mail.mail"].search_count([])
        report.with_user(self.coordinator)._do_accept(None)
        self.assertEqual(self.env["mail.mail"].search_count([]), before + 1)
        self.assertIn("accept it", self.last_mail().body_html)

    def test_a_purge_takes_the_words_of_the_report(self):
        kind = self.env.ref("ctai_grants.deliverable_type_financial_report")
        paper = self.make_deliverable(self.subsidy, type_id=kind.id)
        report = self.begin()
        line = self.of(report, "641")
        self.save(report, **{f"comment_{line.id}": "Salaire de Camille Exemple"})
        report._do_hand_in()
        self.ask(paper, "purge", self.coordinator)
        self.assertFalse(report.achieved)
        self.assertFalse(line.comment)
        self.assertEqual(line.actual, 10000)


class TestManyAtOnce(ReviewCase):
    def test_small_ones(self):
        pieces = self.piece | self.make_deliverable(self.subsidy)
        for piece in pieces:
            self.hand_in(piece)
        reviews = self.env["grant.review"].with_user(self.coordinator)
        reviews.search([("deliverable_id", "in", pieces.ids)]).action_accept_all()
        self.assertEqual(set(pieces.mapped("state")), {"accepted"})

    def make_blocking(self, **values):
        subsidy = self.set_budget(self.make_subsidy())
        tranche = self.make_tranche(subsidy, amount=4000, kind="advance")
        self.make_tranche(subsidy, name="Solde", kind="balance", amount=6000)
        piece = self.make_deliverable(subsidy, disbursement_ids=tranche.ids, **values)
        self.sign(subsidy)
        self.hand_in(piece)
        return piece

    def test_others_are_named_and_left(self):
        rib = self.env.ref("ctai_grants.deliverable_type_bank_details")
        account = self.make_deliverable(self.subsidy, name="Compte", type_id=rib.id)
        blocking = self.make_blocking(name="Rapport")
        named = self.make_deliverable(self.subsidy, name="Émargement")
        for piece in (self.piece, account, named):
            self.hand_in(piece, content=PDF.replace(b"invented", piece.name.encode()))
        named.with_user(self.coordinator)._do_purge("Liste de personnes")
        self.hand_in(named, name="encore.pdf", content=PDF + b"%2")
        pieces = (self.piece, account, blocking, named)
        reviews = self.env["grant.review"].concat(*map(self.review, pieces))
        said = reviews.action_accept_all()["params"]
        self.assertEqual(said["title"], "Accepted: 1")
        for part in (
            "“Compte”", "has a bank account", "“Rapport”", "4,000.00", "“Émargement”", "destroyed",
        ):  # fmt: skip
            self.assertIn(part, said["message"])
        self.assertNotIn("“Bilan”", said["message"])
        self.assertEqual([piece.state for piece in pieces], ["accepted"] + ["submitted"] * 3)

    def test_small_because_its_type_says_so(self):
        kind = self.env.ref("ctai_grants.deliverable_type_cer")
        piece = self.make_blocking(name="CER", type_id=kind.id)
        with self.assertRefused("wait for it"):
            self.review(piece).action_accept_all()
        kind.with_user(self.administrator).is_small = True
        self.assertIs(self.review(piece).action_accept_all(), True)
        self.assertEqual(piece.state, "accepted")

    def test_none_of_them(self):
        self.hand_in()
        own = self.make_deliverable(self.subsidy, name="Attestation")
        self.hand_in(own, self.coordinator)
        report = self.hand_in_report()
        reviews = self.review(own) + self.review(report)
        with self.assertRefused("Nothing was accepted", "“Attestation”", "is a financial report"):
            reviews.action_accept_all()
        self.assertEqual(self.piece.state, "submitted")
        for user in (self.reader, self.finance_officer):
            with self.assertRaises(AccessError):
                self.review(self.piece).with_user(user).action_accept_all()


@tagged("post_install", "-at_install")
class TestViewer(PortalCase):
    def setUp(self):
        super().setUp()
        self.subsidy = self.make_subsidy()
        self.piece = self.make_deliverable(self.subsidy)
        self.sign(self.subsidy)

    def hand_in(self, name, content):
        version = self.piece.with_user(self.operator_user)._do_submit(name, content)
        return version.sudo().file_ids

    def test_a_picture_is_made_anew(self):
        content = make_picture("PNG")
        file = self.hand_in("photo.png", content)
        self.login(self.coordinator)
        answer = self.url_open(f"/grants/files/{file.id}/view")
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["Content-Type"], "image/jpeg")
        self.assertNotEqual(answer.content, content)
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_a_pdf_is_saved_by_whoever_opens_its_address(self):
        file = self.hand_in("bilan.pdf", PDF)
        self.login(self.reader)
        answer = self.url_open(f"/grants/files/{file.id}/view")
        self.assertEqual(answer.content, PDF)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertEqual(answer.headers["Content-Security-Policy"], "default-src 'none'; sandbox")
        self.assertIn("no-store", answer.headers["Cache-Control"])

    def test_only_for_the_staff_that_may_read_it(self):
        file = self.hand_in("bilan.pdf", PDF)
        stranger = new_test_user(self.env, "test_stranger", "base.group_user")
        for user in (self.operator_user, self.other_operator_user, self.prefecture_user, stranger):
            self.login(user)
            with self.subTest(user.login):
                answer = self.url_open(f"/grants/files/{file.id}/view")
                self.assertEqual(answer.status_code, 404)

    def test_others_are_downloaded_only(self):
        file = self.hand_in("liste.csv", b"a;b\n1;2\n")
        self.login(self.coordinator)
        self.assertEqual(self.url_open(f"/grants/files/{file.id}/view").status_code, 404)
        self.assertEqual(self.url_open(f"/grants/files/{file.id}").status_code, 200)
