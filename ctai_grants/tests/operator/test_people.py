import re
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from lxml import html

from odoo import Command, fields, http
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged
from odoo.tools import SQL

from ...models.operator.grant_access import MOST_INVITATIONS
from ..common import GrantsCommon

PAGE = "/my/people"
NEW = "nouvelle@example.org"
UNTOUCHED = ("name", "email", "company_registry", "street", "zip", "city", "bank_ids", "child_ids")


class PeopleCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.sign(cls.make_subsidy())
        cls.accesses = cls.env["grant.access"]
        cls.company.email = "ville@example.org"
        cls.own = cls.find(cls.operator_user)
        cls.other = cls.find(cls.other_operator_user)

    @classmethod
    def find(cls, user):
        return cls.accesses.search([("user_id", "=", user.id), ("state", "=", "active")])

    def name(self, access=None):
        """Make a representative, as the coordinator."""
        (access or self.own).with_user(self.coordinator).action_name_representative()

    def invite(self, user=None, email=NEW, name="Nadia Nouvelle", operator=None, **values):
        accesses = self.accesses.with_user(user or self.coordinator)
        invitation = accesses._invite((operator or self.operator).sudo(), name, email, **values)
        return invitation.with_user(user or self.coordinator)

    def accept(self, access):
        access.sudo()._accept()
        return access.sudo().user_id

    def get_mails(self, email=NEW):
        return self.env["mail.mail"].search([("email_to", "=", email)])

    def get_token(self, mail):
        link = re.search(r'href="([^"]+/my/invitation\?[^"]+)"', mail.body_html)[1]
        return parse_qs(urlsplit(link).query)["token"][0]

    def rpc(self, user, model, method, *args, **kwargs):
        with self.called_by(user):
            return call_kw(self.env(user=user)[model], method, args, kwargs)


@tagged("post_install", "-at_install")
class TestInviting(PeopleCase):
    def test_logins_are_listed(self):
        self.assertEqual(self.own.operator_id, self.operator)
        self.assertFalse(self.own.is_representative)
        self.assertEqual(self.own.act_ids.mapped("what"), ["found"])
        self.assertFalse(self.find(self.prefecture_user))
        of_operator = [("operator_id", "=", self.operator.id)]
        count = self.accesses.search_count(of_operator)
        self.accesses._adopt_all()
        self.assertEqual(self.accesses.search_count(of_operator), count)

    def test_the_whole_way(self):
        before = {name: self.operator[name] for name in UNTOUCHED if name != "child_ids"}
        self.name()
        access = self.invite(self.operator_user)
        mail = self.get_mails()
        self.assertIn("Association de test", mail.subject)
        found = self.accesses._find_invitation(self.get_token(mail))
        self.assertEqual(found, access)
        self.assertFalse(self.env["res.users"].search([("login", "=", NEW)]))
        user = self.accept(access)
        self.assertEqual((user.login, user.commercial_partner_id), (NEW, self.operator))
        self.assertTrue(user._is_portal())
        self.assertTrue(user.has_group("ctai_grants.group_portal_operator"))
        self.assertFalse(user.has_group("base.group_user"))
        self.assertEqual(self.env["grant.subsidy"].with_user(user).search([]), self.subsidy)
        self.assertEqual(access.sudo().state, "active")
        self.assertEqual(
            access.sudo().act_ids.sorted("id").mapped(lambda act: (act.what, act.user_id)),
            [("invited", self.operator_user), ("accepted", user)],
        )
        self.assertEqual({name: self.operator[name] for name in before}, before)
        # Whoever closed the page before choosing a password.
        self.assertTrue(self.accesses._find_invitation(self.get_token(mail)))
        self.env["res.users.log"].with_user(user).sudo().create({"create_uid": user.id})
        user.invalidate_recordset()
        if user.login_date:
            self.assertFalse(self.accesses._find_invitation(self.get_token(mail)))

    def test_imported(self):
        """Of a login that was just made, Odoo's cache has no name."""
        columns = ["name", "login", "email", "parent_id/.id", "group_ids/.id"]
        group = self.env.ref("ctai_grants.group_portal_operator")
        row = ["Léa Importée", "lea", "lea@example.org", str(self.operator.id), str(group.id)]
        result = self.env["res.users"].load(columns, [row])
        self.assertFalse(result["messages"])
        user = self.env["res.users"].browse(result["ids"])
        self.assertEqual(self.find(user).mapped("name"), ["Léa Importée"])

    def test_who_may_invite(self):
        for user in (
            self.operator_user, self.other_operator_user, self.prefecture_user, self.reader,
            self.finance_officer, self.finance_manager, self.env.ref("base.public_user"),
        ):  # fmt: skip
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.invite(user)
        self.name(self.other)
        with self.assertRaises(AccessError):
            self.invite(self.other_operator_user)
        self.name()
        with self.assertRefused("the city decides", exception=AccessError):
            self.invite(self.operator_user, is_representative=True)
        with self.assertRaises(AccessError):
            self.own.with_user(self.operator_user).action_name_representative()
        self.invite(is_representative=True)

    def test_of_another_city(self):
        city = self.env["res.company"].create({"name": "Autre ville"})
        away = new_test_user(
            self.env, "test_away", "ctai_grants.group_coordinator", company_id=city.id,
            company_ids=[Command.set(city.ids)],
        )  # fmt: skip
        with self.assertRefused("not with your city", exception=AccessError):
            self.invite(away)
        for method in ("action_remove", "action_name_representative"):
            with self.assertRaises(AccessError):
                self.rpc(away, "grant.access", method, self.own.ids)

    def test_addresses_in_use(self):
        self.name()
        self.coordinator.email = "equipe@example.org"
        for user in (self.other_operator_user, self.prefecture_user):
            user.login = user.email = f"{user.id}@example.org"
        addresses = {
            "equipe@example.org": "member of the staff",
            self.reader.login + "@example.org": None,
            self.other_operator_user.email: "another organisation",
            self.prefecture_user.email: "another organisation",
            self.operator_user.email: "invited already",
        }
        for email, part in addresses.items():
            if not part or not email:
                continue
            with self.subTest(email=email):
                with self.assertRefused(part):
                    self.invite(email=email)
                # Whose login it is, nobody outside the city is told.
                with self.assertRaises(UserError) as refusal:
                    self.invite(self.operator_user, email=email.upper())
                self.assertNotIn("staff", str(refusal.exception))
        self.assertNotIn("invited", self.operator.grant_access_ids.mapped("state"))

    def test_what_is_no_person(self):
        self.name()
        for name, email in (
            ("", NEW), ("12", NEW), ("Voir http://x.example", NEW), ("a" * 81, NEW),
            ("x@y", NEW), ("Anne", ""), ("Anne", "pas une adresse"), ("Anne", f"{NEW},b@c.fr"),
            (None, None), ("Anne", "a" * 250 + "@example.org"), ("Anne www.x.fr/a", NEW),
            ("x.example", NEW), ("Voir x.fr", NEW),
        ):  # fmt: skip
            with self.subTest(name=name, email=email), self.assertRaises(UserError):
                self.invite(self.operator_user, name=name, email=email)
        for name in (
            "Anne Martin", "Jean-Noël d'Arc", "Zoë", "M. Le Goff", "Éloïse O’Neil", "J.-P. Bo"
        ):  # fmt: skip
            access = self.invite(self.operator_user, name=name)
            self.assertEqual(access.sudo().name, name)
            access.action_withdraw()
        injected = self.invite(self.operator_user, email=f"{NEW}\r\nBcc: x@example.org".split()[0])
        self.assertEqual(injected.sudo().email, NEW)

    def test_as_often_as_one_likes(self):
        self.name()
        for number in range(MOST_INVITATIONS - 1):
            self.invite(self.operator_user, email=f"n{number}@example.org")
        last = self.invite(self.operator_user)
        with self.assertRefused("within a day"):
            self.invite(self.operator_user, email="n99@example.org")
        with self.assertRefused("within a day"):
            last.action_send_again()
        self.invite(email="n99@example.org")

    def test_links(self):
        access = self.invite()
        first = self.get_token(self.get_mails())
        access.action_send_again()
        second = self.get_token(self.get_mails().sorted("id")[-1:])
        self.assertFalse(self.accesses._find_invitation(first))
        self.assertTrue(self.accesses._find_invitation(second))
        for wrong in (None, "", "x", "é", second[:-2], second + "AA", "A" * 400, ["x"]):
            with self.subTest(wrong=wrong):
                self.assertFalse(self.accesses._find_invitation(wrong))
        late = fields.Datetime.add(fields.Datetime.now(), days=7, minutes=1)
        with freeze_time(late):
            self.assertFalse(self.accesses._find_invitation(second))
            self.env.invalidate_all()
            self.assertTrue(access.sudo().is_expired)
        access.action_withdraw()
        self.assertFalse(self.accesses._find_invitation(second))

    def test_nobody_else_reads_the_link(self):
        """Nor who invited: the link is a proof that the address is that of whom uses it."""
        self.name()
        access = self.invite(self.operator_user)
        token = self.get_token(self.get_mails())
        message = self.get_mails().mail_message_id
        for user in (*self.staff, *self.portal_users):
            with self.subTest(user=user.login):
                for model, record in (("mail.message", message), ("mail.mail", self.get_mails())):
                    with self.assertRaises(AccessError):
                        self.rpc(user, model, "read", record.ids, ["body"])
                texts = []
                if user in self.staff:
                    texts = self.rpc(user, "grant.access", "read", access.ids)
                self.assertNotIn(token, str(texts))
        # And it stays nowhere.
        self.assertTrue(self.get_mails().auto_delete)

    def test_taken_meanwhile(self):
        access = self.invite()
        self.other_operator_user.login = NEW
        with self.assertRaises(UserError):
            access.sudo()._accept()

    def test_signed_up_before(self):
        """A login that somebody made with this address, for no organisation, keeps nobody out: it
        is closed, with all that opens it, when who reads the mail of the address accepts."""
        self.name()
        before = new_test_user(self.env, NEW.upper(), "base.group_portal", name="Stranger")
        contact = before.partner_id
        duration = fields.Datetime.add(fields.Datetime.now(), days=1)
        self.env["res.users.apikeys"].with_user(before).sudo()._generate(None, "key", duration)
        access = self.invite(self.operator_user)
        access.action_send_again()
        self.assertTrue(before.active)
        user = self.accept(access)
        self.assertEqual((user.login, user.commercial_partner_id), (NEW, self.operator))
        self.assertNotIn(before, user)
        self.assertFalse(before.active or before.api_key_ids)
        self.assertEqual((contact.name, contact.commercial_partner_id), ("Stranger", contact))
        # Of an organisation, or of the staff, none is.
        for other in (self.other_operator_user, self.prefecture_user, self.reader):
            self.assertFalse(self.accesses._filter_private(other))

    def test_signed_up_before_with_other_accents(self):
        """Where the database ignores accents, too, it is somebody else's login."""
        other = new_test_user(self.env, "hélène@example.org", "base.group_portal")
        registry = self.env.registry
        with (
            patch.object(registry, "has_unaccent", True),
            patch.object(registry, "unaccent", lambda x: SQL("translate(%s, 'éè', 'ee')", x)),
        ):
            access = self.invite(email="helene@example.org")
            self.assertFalse(access.sudo()._get_private_logins())
            user = self.accept(access)
        self.assertEqual(user.login, "helene@example.org")
        self.assertTrue(other.active)
        self.assertEqual(self.accesses._get_logins("HÉLÈNE@example.org"), other)

    def test_sign_up_closed(self):
        """At install, where nobody has a portal; where people do, it is the city's setting."""
        users = self.env["res.users"]
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("auth_signup.invitation_scope", "b2c")
        users._close_unused_sign_up()
        self.assertEqual(parameters.get_param("auth_signup.invitation_scope"), "b2c")
        portals = users.search([("all_group_ids", "in", self.env.ref("base.group_portal").ids)])
        portals.active = False
        users._close_unused_sign_up()
        self.assertEqual(parameters.get_param("auth_signup.invitation_scope"), "b2b")

    def test_what_others_say_of_themselves_takes_nothing(self):
        """A portal user writes any address into its own contact: it keeps nobody out by that, and
        takes no invitation."""
        access = self.invite(is_representative=True)
        self.other_operator_user.partner_id.email = NEW
        access.with_user(self.coordinator).action_send_again()
        contact = self.env["res.partner"].create(
            {"name": "Nadia", "email": NEW, "parent_id": self.operator.id}
        )
        other = new_test_user(
            self.env, "somebody", "base.group_portal", partner_id=contact.id, email=NEW
        )
        self.assertFalse(self.find(other).is_representative)
        self.assertEqual(access.sudo().state, "invited")
        user = self.accept(access)
        self.assertEqual((user.login, user.commercial_partner_id), (NEW, self.operator))
        self.assertTrue(self.find(user).is_representative)

    def test_invited_in_odoo_meanwhile(self):
        """Odoo's own window gives the login: the invitation is that, and its link of no use."""
        access = self.invite()
        contact = self.env["res.partner"].create(
            {"name": "Nadia", "email": NEW, "parent_id": self.operator.id}
        )
        wizard = self.env["portal.wizard"].create({"partner_ids": contact.ids})
        wizard.user_ids.action_grant_access()
        self.assertEqual(access.sudo().state, "active")
        self.assertEqual(access.sudo().user_id, contact.user_ids)
        wizard.user_ids.invalidate_recordset()
        wizard.user_ids.action_revoke_access()
        self.assertEqual(access.sudo().state, "ended")

    def test_by_rpc_and_import(self):
        """No right to write: the methods alone, whoever calls."""
        values = {"operator_id": self.operator.id, "name": "x", "company_id": self.company.id}
        for user in (*self.staff, *self.portal_users):
            for call in (
                ("create", [values]),
                ("write", self.own.ids, {"is_representative": True}),
                ("unlink", self.own.ids),
                ("load", ["name", "operator_id/.id"], [["x", str(self.operator.id)]]),
            ):
                with self.subTest(user=user.login, call=call[0]):
                    try:
                        result = self.rpc(user, "grant.access", *call)
                    except AccessError:
                        continue
                    # An import tells what it was refused.
                    self.assertFalse(result["ids"])
            with self.assertRaises(AccessError):
                self.rpc(user, "grant.access.act", "write", self.own.act_ids.ids, {"what": "left"})
        # Not by who bypasses rights either.
        with self.assertRaises(AccessError):
            self.own.sudo().write({"is_representative": True})
        self.assertFalse(self.own.is_representative)
        for user in self.portal_users:
            with self.assertRaises(AccessError):
                self.rpc(user, "grant.access", "search_read", [])


@tagged("post_install", "-at_install")
class TestLeaving(PeopleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = cls._make_portal_user("operator", cls.operator, "colleague_")
        cls.colleague_access = cls.find(cls.colleague)
        cls.own.with_user(cls.coordinator).action_name_representative()

    def assertClosed(self, user):
        self.env.invalidate_all()
        self.assertFalse(user.active)
        self.assertFalse(user.has_group("ctai_grants.group_portal_operator"))
        self.assertFalse(user.has_group("base.group_portal"))
        with self.assertRaises(AccessError):
            self.rpc(user, "grant.subsidy", "search_read", [], ["name"])

    def test_removed(self):
        piece = self.make_deliverable(self.subsidy)
        login = self.colleague.login
        token = self.colleague._compute_session_token("sid")
        self.colleague_access.with_user(self.operator_user).action_remove()
        self.assertClosed(self.colleague)
        self.assertNotEqual(self.colleague._compute_session_token("sid"), token)
        self.assertNotEqual(self.colleague.login, login)
        self.assertEqual(self.colleague_access.act_ids[:1].what, "removed")
        self.assertEqual(self.colleague_access.act_ids[:1].user_id, self.operator_user)
        with self.assertRaises(UserError):
            self.colleague_access.with_user(self.operator_user).action_remove()
        self.assertTrue(piece.exists())

    def test_its_keys_are_gone(self):
        keys = self.env["res.users.apikeys"].with_user(self.colleague)
        key = keys.sudo()._generate("rpc", "Mine", None)
        check = self.env["res.users.apikeys"]._check_credentials
        self.assertEqual(check(scope="rpc", key=key), self.colleague.id)
        self.colleague_access.with_user(self.operator_user).action_remove()
        self.env.flush_all()
        self.assertIsNone(check(scope="rpc", key=key))
        # Nor when somebody opens the login again.
        self.colleague.active = True
        self.env.flush_all()
        self.assertIsNone(check(scope="rpc", key=key))

    def test_who_removes(self):
        for user in (self.colleague, self.other_operator_user, self.prefecture_user, self.reader):
            for access in (self.own, self.colleague_access):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    self.rpc(user, "grant.access", "action_remove", access.ids)
        self.name(self.other)
        with self.assertRaises(AccessError):
            # Not hidden among one's own.
            both = self.other_operator_user
            self.rpc(both, "grant.access", "action_remove", (self.own | self.other).ids)
        self.name(self.colleague_access)
        with self.assertRefused("the city decides", exception=AccessError):
            self.colleague_access.with_user(self.operator_user).action_remove()
        self.own.with_user(self.coordinator).action_remove()
        self.assertClosed(self.operator_user)

    def test_the_last_representative(self):
        with self.assertRefused("the only representative"):
            self.own.with_user(self.operator_user)._leave()
        with self.assertRefused("Leave"):
            self.own.with_user(self.operator_user).action_remove()
        with self.assertRaises(AccessError):
            self.own.with_user(self.colleague)._leave()
        self.colleague_access.with_user(self.colleague)._leave()
        self.assertClosed(self.colleague)

    def test_one_of_two(self):
        self.name(self.colleague_access)
        self.own.with_user(self.operator_user)._leave()
        self.assertClosed(self.operator_user)
        with self.assertRefused("the only representative"):
            self.colleague_access.with_user(self.colleague)._leave()

    def test_comes_back(self):
        """To the same organisation, as the same contact with a new login; or to another."""
        email = self.colleague.partner_id.email = "colleague@example.org"
        self.colleague.login = email
        self.colleague_access.with_user(self.operator_user).action_remove()
        elsewhere = self.invite(email=email, operator=self.other_operator)
        self.assertEqual(self.accept(elsewhere).commercial_partner_id, self.other_operator)
        elsewhere.action_remove()
        user = self.accept(self.invite(self.operator_user, email=email))
        self.assertNotEqual(user, self.colleague)
        self.assertEqual(user.commercial_partner_id, self.operator)
        self.assertFalse(self.colleague.active)

    def test_archived_in_odoo(self):
        self.colleague.active = False
        self.assertEqual(self.colleague_access.state, "ended")
        self.colleague.active = True
        self.assertTrue(self.find(self.colleague))
        self.assertFalse(self.find(self.colleague).is_representative)


@tagged("post_install", "-at_install")
class TestPeoplePage(PeopleCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in cls.portal_users:
            user.password = user.login

    def log_in(self, user=None):
        user = user or self.operator_user
        self.authenticate(user.login, user.login)

    def post(self, url, **values):
        return self.url_open(url, data={"csrf_token": http.Request.csrf_token(self), **values})

    def test_invite_and_remove(self):
        self.log_in()
        self.assertIn("The representative of your organisation", self.url_open(PAGE).text)
        self.post(f"{PAGE}/invite", name="Nadia", email=NEW)
        self.assertFalse(self.get_mails())
        self.name()
        response = self.post(f"{PAGE}/invite", name="Nadia", email="x")
        page = html.fromstring(response.text)
        self.assertIn("one e-mail", page.get_element_by_id("people_error").text_content())
        self.assertEqual(page.get_element_by_id("people_email").get("value"), "x")
        self.assertIn("is sent", self.post(f"{PAGE}/invite", name="Nadia", email=NEW).text)
        access = self.accesses.search([("email", "=", NEW)])
        self.post(f"{PAGE}/{access.id}/withdraw")
        self.assertEqual(access.state, "ended")
        # Nothing changes by looking.
        for act in ("withdraw", "send_again", "remove", "leave"):
            self.url_open(f"{PAGE}/{self.own.id}/{act}")
        self.assertEqual(self.own.state, "active")
        self.assertEqual(self.post(f"{PAGE}/{self.other.id}/remove", sure="1").status_code, 404)

    def test_who_sees_the_page(self):
        for user, status in ((self.other_operator_user, 200), (self.prefecture_user, 404)):
            self.log_in(user)
            response = self.url_open(PAGE)
            self.assertEqual(response.status_code, status)
            self.assertNotIn(self.operator_user.name, response.text)

    def test_accept(self):
        self.invite()
        token = self.get_token(self.get_mails())
        self.authenticate(None, None)
        response = self.url_open(f"/my/invitation?token={token}")
        self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")
        self.assertFalse(self.env["res.users"].search([("login", "=", NEW)]))
        response = self.post("/my/invitation", token=token)
        page = html.fromstring(response.text)
        self.assertEqual(urlsplit(response.url).path, "/web/signup")
        (form,) = [form for form in page.forms if "password" in form.fields]
        chosen = dict.fromkeys(("password", "confirm_password"), "un-long-mot-2")
        self.url_open("/web/signup", data={**dict(form.form_values()), **chosen})
        user = self.env["res.users"].search([("login", "=", NEW)])
        self.assertEqual(user.commercial_partner_id, self.operator)
        self.assertIn("Ateliers", self.url_open("/my/subsidies").text)
        gone = self.url_open(f"/my/invitation?token={token}")
        self.assertEqual((gone.status_code, gone.headers["X-Frame-Options"]), (404, "DENY"))

    def test_leave_ends_the_session(self):
        self.log_in()
        colleague = self._make_portal_user("operator", self.operator, "colleague_")
        self.name(self.find(colleague))
        self.name()
        response = self.post(f"{PAGE}/{self.own.id}/leave")
        self.assertIn("Do you want to leave?", response.text)
        self.post(f"{PAGE}/{self.own.id}/leave", sure="1")
        self.assertEqual(urlsplit(self.url_open("/my/subsidies").url).path, "/web/login")

    def test_removed_in_the_middle(self):
        self.log_in()
        self.assertEqual(self.url_open(f"/my/subsidies/{self.subsidy.id}").status_code, 200)
        self.own.with_user(self.coordinator).action_remove()
        self.env.flush_all()
        response = self.url_open(f"/my/subsidies/{self.subsidy.id}")
        self.assertEqual(urlsplit(response.url).path, "/web/login")


@tagged("post_install", "-at_install")
class TestMerging(PeopleCase):
    """Odoo's merge of contacts: the list says who acts for whom, as before."""

    def merge(self, partners, into):
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge(partners.ids, into)
        self.env.invalidate_all()

    def test_a_person_becomes_anothers_contact(self):
        self.name()
        person = self.operator_user.partner_id
        double = self.env["res.partner"].create(
            {"name": "Le même", "parent_id": self.other_operator.id}
        )
        self.merge(person | double, double)
        self.assertEqual(self.operator_user.commercial_partner_id, self.other_operator)
        self.assertEqual((self.own.state, self.own.is_representative), ("ended", False))
        self.assertEqual(self.find(self.operator_user).operator_id, self.other_operator)
        with self.assertRaises(AccessError):
            self.invite(self.operator_user)

    def test_who_is_invited_twice(self):
        kept, double, third = (
            self._make_organisation(name, "operator") for name in ("Une", "Double", "Triple")
        )
        for operator in (double, kept, third):
            self.invite(operator=operator)
        self.invite(operator=double, email="autre@example.org")
        invitations = self.accesses.search([("operator_id", "in", (kept | double | third).ids)])
        self.merge(kept | double | third, kept)
        self.assertEqual(invitations.operator_id, kept)
        open_ones = invitations.filtered(lambda access: access.state == "invited")
        self.assertEqual(sorted(open_ones.mapped("email")), ["autre@example.org", NEW])
        self.assertEqual(len(self.accept(open_ones.filtered(lambda a: a.email == NEW))), 1)
        self.assertFalse(self.verify())
