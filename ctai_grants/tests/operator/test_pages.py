from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import freeze_time, new_test_user, tagged

from ..common import PDF
from ..portal.test_portal import PortalCase

TODAY = "2022-03-01 09:00:00"
LIMIT = 150_000


@tagged("post_install", "-at_install")
class TestHome(PortalCase):
    """What an operator sees first: without JavaScript, as all of it here."""

    def setUp(self):
        super().setUp()
        clock = freeze_time(TODAY)
        clock.start()
        self.addCleanup(clock.stop)
        self.login(self.operator_user)

    def test_what_to_do_next(self):
        subsidy = self.make_subsidy(name="Ateliers du soir")
        piece = self.make_deliverable(subsidy, name="Compte rendu")
        piece.milestone_id.date = "2022-04-30"
        self.make_tranche(subsidy, amount=5400, deliverable_ids=piece.ids)
        self.sign(subsidy)
        [step] = self.page("/my").xpath("//*[@id='next']")
        text = step.text_content()
        for part in ("Hand in “Compte rendu”", "April 30, 2022", "5,400.00", "Ateliers du soir"):
            self.assertIn(part, text)
        [button] = step.xpath(".//a")
        self.assertEqual(button.get("href"), self.piece_path(piece))
        self.assertEqual(self.url_open(button.get("href")).status_code, 200)
        # The other one is due later.
        self.assertIn("Bilan", self.page("/my").xpath("//*[@id='then']")[0].text_content())
        with freeze_time("2022-05-02"):
            [step] = self.page("/my").xpath("//*[@id='next']")
            self.assertIn("it was due on", step.text_content())
            self.assertIn("alert-danger", step.get("class"))

    def test_sent_back(self):
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        page = self.page("/my")
        self.assertIn("nothing to do", page.xpath("//*[@id='next']")[0].text_content())
        self.assertIn("is reviewing", page.xpath("//*[@id='next']")[0].text_content())
        self.piece.with_user(self.coordinator)._do_send_back("La page 3 manque")
        text = self.page("/my").xpath("//*[@id='next']")[0].text_content()
        self.assertIn("Complete “Bilan”", text)
        self.assertIn("La page 3 manque", text)

    def test_what_the_city_owes(self):
        self.mine.notification_date = "2022-01-10"
        text = self.page("/my").xpath("//*[@id='owed']")[0].text_content()
        self.assertIn("all is in order, the city is checking", text)
        self.assertIn("1,000.00", text)
        self.assertIn("03/11/2022", text, "60 days after the notification")
        self.pay(self.tranche)
        text = self.page("/my").xpath("//*[@id='owed']")[0].text_content()
        self.assertIn("No payment is under way", text)

    def test_nothing_yet(self):
        newcomer = self._make_organisation("Nouvelle association", "operator")
        self.operator_user.partner_id.parent_id = newcomer
        page = self.page("/my")
        self.assertIn("no subsidy to follow yet", page.xpath("//*[@id='next']")[0].text_content())
        self.assertFalse(page.xpath("//a[@href='/my/subsidies']"))

    def test_cards(self):
        [card] = self.page("/my").xpath("//a[@href='/my/subsidies']/..")
        self.assertNotIn("d-none", card.get("class"), "shown without a script")
        self.assertIn("1", card.text_content().split())
        self.login(self.prefecture_user)
        page = self.page("/my")
        self.assertFalse(page.xpath("//*[@id='next'] | //a[@href='/my/subsidies']"))
        [card] = page.xpath("//a[@href='/my/contracts']/..")
        self.assertNotIn("d-none", card.get("class"))
        plain = new_test_user(self.env, "plain", "base.group_portal", password="plain_portal")
        self.authenticate(plain.login, "plain_portal")
        page = self.page("/my")
        self.assertFalse(page.xpath("//*[@id='next']"))
        self.assertFalse(page.xpath("//a[@href='/my/subsidies' or @href='/my/contracts']"))

    def test_others_are_not_in_it(self):
        self.login(self.other_operator_user)
        self.their_piece.with_user(self.coordinator)._do_send_back("Secret de la ville")
        self.assertIn("Secret de la ville", self.page("/my").text_content())
        self.login(self.operator_user)
        text = self.page("/my").text_content()
        for hidden in ("Secret de la ville", "À eux"):
            self.assertNotIn(hidden, text)


class TestUnlocked(PortalCase):
    """What a piece brings is what its tranches say, not the page."""

    def unlocked(self, *pieces):
        found = self.env["grant.deliverable"].union(*pieces).sudo()._get_unlocked()
        return [found.get(piece) for piece in pieces]

    def test_alone_together_and_done(self):
        subsidy = self.make_subsidy()
        first, second = (self.make_deliverable(subsidy, name=name) for name in ("Un", "Deux"))
        neither = self.make_deliverable(subsidy, name="Trois")
        self.make_tranche(subsidy, amount=3000, deliverable_ids=first.ids)
        self.make_tranche(subsidy, amount=2000, deliverable_ids=(first | second).ids)
        self.sign(subsidy)
        self.assertEqual(
            self.unlocked(first, second, neither), [(5000, False), (2000, False), None]
        )
        second.with_user(self.operator_user)._do_submit("deux.pdf", PDF)
        second.with_user(self.coordinator).action_accept()
        self.assertEqual(self.unlocked(first, second), [(5000, True), None])

    def test_the_report_is_its_paper(self):
        """The balance waits for the report and for its paper: one thing to the operator."""
        kind = self.env.ref("ctai_grants.deliverable_type_financial_report")
        subsidy = self.make_subsidy(report_required=True)
        paper = self.make_deliverable(subsidy, name="Compte rendu", type_id=kind.id)
        self.make_tranche(subsidy, kind="balance", amount=4000, deliverable_ids=paper.ids)
        self.sign(subsidy)
        self.assertEqual(self.unlocked(paper), [(4000, True)])


@tagged("post_install", "-at_install")
class TestSubsidyPage(PortalCase):
    def setUp(self):
        super().setUp()
        self.path = f"/my/subsidies/{self.mine.id}"
        self.login(self.operator_user)

    def test_steps_in_their_order(self):
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        self.pay(self.tranche)
        late = self.make_deliverable(self.mine, name="En retard")
        steps = self.mine.sudo()._get_timeline()
        self.assertEqual(
            [(step["title"].split(":")[0], step["state"]) for step in steps],
            [
                ("Subsidy granted", "done"),
                ("Subsidy signed", "done"),
                ("Avance", "done"),
                (late.name, "late"),
                ("Bilan", "city"),
            ],
        )
        [timeline] = self.page(self.path).xpath("//ol[contains(@class, 'timeline')]")
        self.assertEqual(len(timeline.xpath("./li")), 5)

    def test_its_places(self):
        page = self.page(self.path)
        for name in ("money", "pieces", "payments", "timeline", "documents", "bank", "people",
                     "messages", "asks", f"piece_{self.piece.id}"):  # fmt: skip
            self.assertEqual(len(page.xpath(f"//*[@id='{name}']")), 1, name)

    def test_the_account_is_not_told(self):
        [bank] = self.page(self.path).xpath("//*[@id='bank']")
        number = self.operator.bank_ids.sanitized_acc_number
        self.assertIn(number[-4:], bank.text_content())
        for hidden in (number[:4], number[4:12]):
            self.assertNotIn(hidden, bank.text_content())

    def test_money(self):
        self.pay(self.tranche)
        text = self.page(self.path).xpath("//*[@id='money']")[0].text_content()
        for amount in ("10,000.00", "1,000.00", "9,000.00"):
            self.assertIn(amount, text)
        self.assertNotIn("Paid back", text, "nothing was")

    def test_notice_of_payment(self):
        path = f"{self.path}/payments/{self.tranche.id}/receipt"
        self.assertEqual(self.url_open(path).status_code, 404, "not paid yet")
        self.pay(self.tranche)
        answer = self.url_open(path)
        self.assertTrue(answer.content.startswith(b"%PDF"))
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        links = self.page(self.path).xpath("//*[@id='documents']//a/@href")
        self.assertEqual(links, [path])
        theirs = f"/my/subsidies/{self.theirs.id}/payments/{self.their_tranche.id}/receipt"
        self.pay(self.their_tranche)
        self.assertEqual(self.url_open(theirs).status_code, 404)
        crossed = f"{self.path}/payments/{self.their_tranche.id}/receipt"
        self.assertEqual(self.url_open(crossed).status_code, 404)
        for user in (self.other_operator_user, self.prefecture_user):
            self.login(user)
            self.assertEqual(self.url_open(path).status_code, 404)

    def test_files_of_the_city(self):
        values = {"name": "Convention.pdf", "raw": PDF, "res_model": "grant.subsidy"}
        shared, internal = self.env["ir.attachment"].create(
            [
                {**values, "res_id": self.mine.id},
                {**values, "res_id": self.mine.id, "name": "Note.pdf"},
            ]
        )
        self.mine.with_user(self.coordinator).operator_file_ids = [Command.link(shared.id)]
        page = self.page(self.path).xpath("//*[@id='documents']")[0]
        self.assertIn("Convention.pdf", page.text_content())
        self.assertNotIn("Note.pdf", page.text_content())
        path = f"{self.path}/documents"
        answer = self.url_open(f"{path}/{shared.id}")
        self.assertEqual(answer.content, PDF)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertEqual(self.url_open(f"{path}/{internal.id}").status_code, 404)
        for user in (self.other_operator_user, self.prefecture_user):
            self.login(user)
            self.assertEqual(self.url_open(f"{path}/{shared.id}").status_code, 404)

    def test_files_of_others_are_not_shared(self):
        other = self.env["ir.attachment"].create(
            {"name": "Salaires.pdf", "raw": PDF, "res_model": "res.partner", "res_id": 1}
        )
        with self.assertRaisesRegex(ValidationError, "Salaires.pdf"):
            self.mine.operator_file_ids = [Command.link(other.id)]


@tagged("post_install", "-at_install")
class TestPiecePage(PortalCase):
    def setUp(self):
        super().setUp()
        self.path = self.piece_path(self.piece)
        self.login(self.operator_user)

    def test_versions_and_decisions(self):
        for name in ("un.pdf", "deux.pdf"):
            self.piece.with_user(self.operator_user)._do_submit(name, PDF + name.encode())
            if name == "un.pdf":
                self.piece.with_user(self.coordinator)._do_send_back("La page 3 manque")
        self.piece.with_user(self.coordinator).action_accept()
        [versions] = self.page(self.path).xpath("//*[@id='versions']")
        latest, first = versions.xpath("./ol/li")
        self.assertIn("Accepted by the city", latest.text_content())
        self.assertIn("La page 3 manque", first.text_content())
        self.assertNotIn(self.coordinator.name, versions.text_content())
        self.assertTrue(first.xpath(".//details[contains(., 'SHA-256')]"), "folded away")

    def test_stays_on_it(self):
        answer = self.upload(self.piece, "bilan.pdf", PDF)
        self.assertIn(self.path, answer.headers["Location"])
        actions = self.page(self.path).xpath("//main//form/@action")
        self.assertEqual(set(actions), {self.path, f"{self.path}/take_back"})

    def test_not_for_others(self):
        for path in (
            self.piece_path(self.their_piece),
            f"/my/subsidies/{self.mine.id}/deliverables/{self.their_piece.id}",
            f"/my/subsidies/{self.theirs.id}/deliverables/{self.piece.id}",
        ):
            self.assertEqual(self.url_open(path).status_code, 404, path)
        self.login(self.prefecture_user)
        self.assertEqual(self.url_open(self.path).status_code, 404)

    def test_breadcrumbs(self):
        links = self.page(self.path).xpath("//ol[contains(@class, 'breadcrumb')]//a/@href")
        self.assertEqual(links[-2:], ["/my/subsidies", f"/my/subsidies/{self.mine.id}"])


@tagged("post_install", "-at_install")
class TestSubsidyList(PortalCase):
    def setUp(self):
        super().setUp()
        self.login(self.operator_user)

    def names(self, query=""):
        page = self.page(f"/my/subsidies{query}")
        return [link.text for link in page.xpath("//main//li//a[contains(@class, 'stretched')]")]

    def test_search_filter_order(self):
        second = self.sign(self.make_subsidy(name="Cuisine", amount=50))
        self.mine.with_user(self.finance_manager)._do_close("Fini")
        self.assertEqual(self.names("?sortby=name"), ["Cuisine", "À moi"])
        self.assertEqual(self.names("?sortby=amount"), ["À moi", "Cuisine"])
        self.assertEqual(self.names("?filterby=open"), ["Cuisine"])
        self.assertEqual(self.names("?filterby=closed"), ["À moi"])
        self.assertEqual(self.names("?search=cuis"), ["Cuisine"])
        self.assertEqual(self.names(f"?search={second.code}"), ["Cuisine"])
        self.assertEqual(self.names("?search=eux"), [], "not those of others")
        self.assertEqual(self.names("?filterby=x&sortby=y&search=zz"), [])
        self.assertIn("No subsidy is like that", self.url_open("/my/subsidies?search=zz").text)

    def test_whatever_is_asked_for(self):
        for query in ("search=%00", "page=%C2%B2", "page=x", "page=-1", f"page={'9' * 30}"):
            self.assertEqual(self.url_open(f"/my/subsidies?{query}").status_code, 200, query)

    def test_without_a_script(self):
        [form] = [form for form in self.page("/my/subsidies").forms if form.get("role") == "search"]
        self.assertEqual((form.get("action"), form.method), ("/my/subsidies", "GET"))
        self.assertLessEqual({"search", "filterby", "sortby"}, set(form.fields))


@tagged("post_install", "-at_install")
class TestWeight(PortalCase):
    """Pages do not cost more statements, nor too many bytes, when there is much to show."""

    def fill(self, number):
        for index in range(number):
            subsidy = self.make_subsidy(name=f"Subvention {index}", amount=900)
            pieces = self.env["grant.deliverable"].union(
                *(self.make_deliverable(subsidy, name=f"Pièce {n}") for n in range(2))
            )
            self.make_tranche(subsidy, amount=400)
            self.make_tranche(subsidy, amount=500, deliverable_ids=pieces.ids)
            self.sign(subsidy)
            pieces[0].with_user(self.operator_user)._do_submit("p.pdf", PDF)

    def widen(self, number):
        """More of all that the pages of one subsidy show."""
        for index in range(number):
            piece = self.make_deliverable(self.mine, name=f"Autre pièce {index}")
            piece.with_user(self.operator_user)._do_submit("p.pdf", PDF)
            if index % 2:
                piece.with_user(self.coordinator)._do_send_back("Il manque la page 3")
        self.make_tranche(self.mine, amount=10, name="Autre", due_date="2022-05-01")

    def count(self, path):
        self.page(path)
        self._settle()
        before = self.env.cr.sql_log_count
        self.page(path)
        return self.env.cr.sql_log_count - before

    def test_statements(self):
        self.login(self.operator_user)
        subsidy = f"/my/subsidies/{self.mine.id}"
        paths = ("/my", "/my/subsidies", subsidy, self.piece_path(self.piece))
        self.fill(2)
        self.widen(2)
        few = {path: self.count(path) for path in paths}
        self.fill(6)
        self.widen(8)
        for path in paths:
            with self.subTest(path=path):
                self.assertLessEqual(self.count(path), few[path])

    def test_bytes(self):
        self.login(self.operator_user)
        self.fill(10)
        self.widen(20)
        for path in ("/my", "/my/subsidies", f"/my/subsidies/{self.mine.id}",
                     self.piece_path(self.piece)):  # fmt: skip
            with self.subTest(path=path):
                self.assertLess(len(self.url_open(path).content), LIMIT)
