from odoo import http
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, freeze_time, tagged

from .common import ISSUED, IssuedCase


@tagged("post_install", "-at_install")
class TestAnswer(IssuedCase, HttpCase):
    """The prefecture's way: mail, page, files, answer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.statement = cls.issue()
        cls.prefecture.email = "prefecture@etat.example"

    def kinds(self):
        self.statement.invalidate_recordset()
        return self.statement.act_ids.sorted("id").mapped("kind")

    def post(self, path, **data):
        data["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open(f"/my/statements/{self.statement.id}/{path}", data=data)

    # --- sent -------------------------------------------------------------------------------

    def test_sent(self):
        self.prefecture_user.email = "agent@etat.example"
        self.statement.action_send()
        self.assertEqual(self.statement.state, "sent")
        mail = self.env["mail.mail"].search([("model", "=", "grant.statement"),
                                             ("res_id", "=", self.statement.id)])  # fmt: skip
        self.assertEqual(
            set(mail.recipient_ids.mapped("email")),
            {"agent@etat.example", "prefecture@etat.example"},
        )
        self.assertIn(f"/my/statements/{self.statement.id}", mail.body_html)
        self.assertIn(self.statement.file_ids[0].sha256, mail.body_html)
        sent = self.statement.act_ids.filtered(lambda act: act.kind == "sent")
        self.assertIn("agent@etat.example", sent.text)

    def test_nobody_to_send_to(self):
        (self.prefecture | self.prefecture_user.partner_id).email = False
        with self.assertRefused("has no mail address"):
            self.statement.action_send()
        self.assertEqual(self.statement.state, "issued")

    def test_who_sends(self):
        with self.assertRaises(AccessError):
            self.statement.with_user(self.reader).action_send()
        with self.assertRefused("state"):
            self.draft(as_at="2021-11-30").action_send()

    # --- page -------------------------------------------------------------------------------

    def test_opened_downloaded_acknowledged(self):
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        page = self.url_open(f"/my/statements/{self.statement.id}")
        self.assertEqual(page.status_code, 200)
        self.assertIn(self.statement.name, page.text)
        self.url_open(f"/my/statements/{self.statement.id}")
        self.assertEqual(self.kinds(), ["issued", "opened"], "once for each reader")
        for kind in ("pdf", "xlsx", "csv", "json"):
            response = self.url_open(f"/grants/statements/{self.statement.id}/{kind}")
            self.assertEqual(response.content, self.read_file(self.statement, kind))
            self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(self.kinds().count("downloaded"), 4)
        page = self.post("acknowledge", text="Bien reçu")
        self.assertEqual(page.status_code, 200)
        self.assertEqual(self.kinds()[-1], "acknowledged")
        self.assertEqual(self.statement.state, "acknowledged")
        act = self.statement.act_ids[0]
        self.assertEqual((act.text, act.user_id), ("Bien reçu", self.prefecture_user))
        self.assertTrue(self.statement.activity_ids)
        self.assertEqual(self.post("contest", text="Non").status_code, 400)
        self.assertEqual(self.statement.state, "acknowledged")

    def test_contested_line_by_line(self):
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        line = self.statement.line_ids.filtered("subsidy_id")
        for nothing in (" ", "\u200b", "…"):
            words = {"text": nothing, f"line_{line.id}": nothing}
            self.assertEqual(self.post("contest", **words).status_code, 400)
        page = self.post("contest", text="Des écarts", **{f"line_{line.id}": "=1+1 <b>"})
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("<b>", page.text.split("Your answers")[-1][:2000])
        acts = self.statement.act_ids.filtered(lambda act: act.kind == "contested")
        self.assertEqual(set(acts.mapped("text")), {"Des écarts", "=1+1 <b>"})
        self.assertEqual(acts.line_id, line)
        self.assertEqual(self.statement.state, "contested")
        self.assertEqual(self.post("acknowledge").status_code, 200)
        self.assertEqual(self.env["grant.entry"]._get_altered_files(self.contract.envelope_ids), [])

    def test_lines_of_another_statement(self):
        other = self.issue(self.draft(as_at="2021-12-15"))
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        response = self.post("contest", **{f"line_{other.line_ids[0].id}": "x"})
        self.assertEqual(response.status_code, 404)
        for name in ("line_x", "line_", "line_99999999999999999999", "line_-1"):
            self.assertEqual(self.post("contest", **{name: "x"}).status_code, 400)

    def test_get_changes_nothing(self):
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        for path in ("acknowledge", "contest"):
            url = f"/my/statements/{self.statement.id}/{path}"
            response = self.url_open(url, allow_redirects=False)
            self.assertEqual(response.status_code, 303, "back to its page")
        response = self.url_open(
            f"/my/statements/{self.statement.id}/acknowledge", data={"text": "x"}
        )
        self.assertEqual(response.status_code, 400, "no CSRF token")
        self.assertEqual(self.statement.state, "issued")

    def test_others(self):
        other = self._make_organisation("Autre préfecture", "prefecture")
        stranger = self._make_portal_user("prefecture", other, "stranger_")
        draft = self.draft(as_at="2021-11-30")
        for user in (stranger, self.operator_user):
            self.authenticate(user.login, user.login)
            for path in ("", "/acknowledge", "/contest"):
                url = f"/my/statements/{self.statement.id}{path}"
                data = path and {"csrf_token": http.Request.csrf_token(self), "text": "x"}
                self.assertEqual(self.url_open(url, data=data or None).status_code, 404, url)
            for kind in ("pdf", "json", "archive"):
                url = f"/grants/statements/{self.statement.id}/{kind}"
                self.assertEqual(self.url_open(url).status_code, 404, url)
            with self.assertRaises(AccessError):
                self.statement.with_user(user)._acknowledge()
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        self.assertEqual(self.url_open(f"/my/statements/{draft.id}").status_code, 404)
        self.assertEqual(self.url_open(f"/grants/statements/{draft.id}/pdf").status_code, 404)
        url = f"/grants/statements/{self.statement.id}/archive"
        self.assertEqual(self.url_open(url).status_code, 404, "the city's own")
        self.assertEqual(self.kinds(), ["issued"])

    def test_staff_cannot_answer(self):
        for user in self.staff:
            with self.assertRaises(AccessError):
                self.statement.with_user(user)._acknowledge()
        self.authenticate(self.coordinator.login, self.coordinator.login)
        self.assertEqual(
            self.url_open(f"/grants/statements/{self.statement.id}/archive").status_code, 200
        )
        self.assertEqual(self.kinds(), ["issued"], "the city's own reading is not noted")

    def test_replaced(self):
        second = self.statement.browse(self.statement.action_correct()["res_id"])
        second.correction = "Erreur"
        with freeze_time(ISSUED):
            second.action_issue()
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        page = self.url_open(f"/my/statements/{self.statement.id}").text
        self.assertIn(second.name, page)
        self.assertEqual(self.post("acknowledge").status_code, 400)

    def test_lists(self):
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        self.draft(as_at="2021-11-30")
        page = self.url_open("/my/statements").text
        self.assertEqual(page.count("/my/statements/"), 1)
        page = self.url_open(f"/my/contracts/{self.contract.id}").text
        self.assertIn(f"/my/statements/{self.statement.id}", page)

    def test_what_the_prefecture_reads_over_rpc(self):
        statement = self.statement.with_user(self.prefecture_user)
        self.assertEqual(statement.read(["name"])[0]["name"], self.statement.name)
        for name in ("heads", "issued_by_id", "act_ids", "figures_table", "forced_reason"):
            with self.subTest(name=name), self.assertRaises(AccessError):
                statement.read([name])
        for name in ("line", "act", "file", "check"):
            with self.assertRaises(AccessError):
                self.env[f"grant.statement.{name}"].with_user(self.prefecture_user).search([])
