"""Doors of Odoo's own beside ours: the mail gateway, what Odoo does with all rights for whoever
calls, the superuser that an administrator becomes, and the files that documents keep."""

import base64
from email.message import EmailMessage
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ...models.guard.ir_attachment import FIXED
from ..common import PDF, GrantsCommon

QUESTION = "Combien ?"
CHANGED = b"%PDF-1.7\n% another\n"


def make_mail(sender, answered=None, file=None):
    """A mail as a server receives it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "catchall@example.org", "Bonjour"
    mail["Message-Id"] = f"<{id(mail)}@example.org>"
    if answered:
        mail["In-Reply-To"] = answered
    mail.set_content("Voici")
    if file:
        mail.add_attachment(file, maintype="application", subtype="pdf", filename="mail.pdf")
    return mail.as_string()


class DoorsCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.sign(cls.make_subsidy())
        cls.system = new_test_user(cls.env, "test_system", "base.group_system")
        cls.finance_manager.email = "manager@example.org"

    def rpc(self, user, model, method, *args, **context):
        """A call as it comes over RPC: what Odoo does in turn, it does for ``user``."""
        env = self.env(user=user)
        with patch.object(self.env.transaction, "default_env", env):
            return call_kw(env[model], method, args, {"context": context})


@tagged("post_install", "-at_install")
class TestMailGateway(DoorsCase):
    def test_not_for_everybody(self):
        """Odoo makes what the caller likes, in the name of whom the mail is from."""
        account = {"acc_number": "FR7699999000980000000000309", "allow_out_payment": True}
        mail = make_mail("manager@example.org")
        for user in (*self.staff, *self.portal_users):
            for model, values in (
                ("res.partner", {"name": "x", "bank_ids": [Command.create(account)]}),
                ("res.partner.bank", {**account, "partner_id": self.operator.id}),
                ("grant.subsidy", {"envelope_id": self.envelope.id, "name": "x", "amount": 1}),
                ("account.move", {"move_type": "in_invoice"}),
            ):
                before = self.env[model].search_count([])
                with (
                    self.subTest(user=user.login, model=model),
                    self.assertRefused("administrator", exception=AccessError),
                ):
                    self.rpc(user, "mail.thread", "message_process", model, mail, values)
                self.assertEqual(self.env[model].search_count([]), before)

    def test_no_document_is_made_by_a_mail(self):
        values = {
            "name": "x", "envelope_id": self.envelope.id, "amount": 1,
            "partner_id": self.operator.id, "kind": "external",
        }  # fmt: skip
        before = self.env["grant.subsidy"].search_count([])
        with self.assertRefused("none is made by a mail"):
            self.rpc(self.system, "mail.thread", "message_process", "grant.subsidy",
                     make_mail("x@example.org"), values)  # fmt: skip
        self.assertEqual(self.env["grant.subsidy"].search_count([]), before)

    def test_an_answer_comes_to_its_thread(self):
        asked = self.subsidy.message_post(body=QUESTION, subtype_xmlid="mail.mt_comment")
        mail = make_mail("somebody@example.org", asked.message_id)
        self.rpc(self.system, "mail.thread", "message_process", False, mail)
        answer = self.subsidy.message_ids[0]
        self.assertEqual(answer.message_type, "email")
        self.assertFalse(self.verify())


@tagged("post_install", "-at_install")
class TestNestedCommands(DoorsCase):
    """What Odoo writes with all rights has not those of its caller's for what hangs on it."""

    def write_in_sudo(self, user, record, **values):
        """As a method of Odoo does with what a caller sends."""
        env = self.env(user=user)
        with patch.object(self.env.transaction, "default_env", env):
            record.with_env(env).sudo().write(values)
            self.env.flush_all()

    def test_documents_and_accounts(self):
        tranche = self.make_tranche(self.subsidy)
        account = {"acc_number": "FR7699999000980000000000309", "allow_out_payment": True}
        for record, name, command in (
            (self.operator, "bank_ids", Command.create(account)),
            (self.operator, "bank_ids", Command.update(self.operator.bank_ids.id,
                                                       {"acc_number": account["acc_number"]})),
            (self.operator, "grant_subsidy_ids", Command.update(self.subsidy.id, {"note": "x"})),
            (self.operator, "grant_subsidy_ids", Command.delete(self.subsidy.id)),
            (self.subsidy, "disbursement_ids", Command.update(tranche.id, {"note": "x"})),
            (self.contract, "envelope_ids", Command.create({"name": "x", "code": "X"})),
        ):  # fmt: skip
            with (
                self.subTest(record=record, command=command),
                mute_logger("odoo.addons.base.models.ir_model"),
                self.assertRaises(UserError),
                self.env.cr.savepoint(),
            ):
                self.write_in_sudo(self.reader, record, **{name: [command]})
            self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestKeptFiles(DoorsCase):
    """A file that a document keeps is not another one's to change, whatever rights he has."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        piece = cls.make_deliverable(cls.subsidy)
        version = piece.with_user(cls.operator_user)._do_submit("bilan.pdf", PDF)
        cls.file = version.sudo().file_ids.attachment_id.with_env(cls.env)

    def assertKept(self, attack):
        before = self.file.read(FIXED)
        with (
            self.assertRefused("bilan.pdf", "keeps it", exception=AccessError),
            self.env.cr.savepoint(),
        ):
            attack()
        self.env.invalidate_all()
        self.assertEqual(self.file.read(FIXED), before)
        self.assertEqual(self.file.raw, PDF)

    def test_by_an_administrator_with_rights(self):
        self.env["ir.model.access"].create({
            "name": "x", "model_id": self.env["ir.model"]._get_id("grant.deliverable.file"),
            "group_id": self.env.ref("base.group_system").id,
            **dict.fromkeys(("perm_read", "perm_write", "perm_create", "perm_unlink"), True),
        })  # fmt: skip
        # An administrator becomes the superuser by a click.
        for user in (self.system, self.env.ref("base.user_root")):
            for method, *values in (
                ("write", {"raw": CHANGED}), ("write", {"datas": base64.b64encode(CHANGED)}),
                ("write", {"name": "x.pdf"}), ("write", {"public": True}),
                ("write", {"res_model": "res.partner", "res_id": self.operator.id}),
                ("write", {"type": "url", "url": "https://example.org"}),
                ("write", {"mimetype": "text/plain"}), ("generate_access_token",), ("unlink",),
            ):  # fmt: skip
                with self.subTest(user=user.login, method=method, values=values):
                    self.assertKept(
                        lambda u=user, m=method, v=values: self.rpc(
                            u, "ir.attachment", m, self.file.ids, *v
                        )
                    )

    def test_by_an_action_and_by_a_mail(self):
        action = self.env["ir.actions.server"].create({
            "name": "x", "model_id": self.env["ir.model"]._get_id("ir.attachment"),
            "state": "object_write", "update_path": "name", "value": "x",
        })  # fmt: skip
        about = {"active_model": "ir.attachment", "active_id": self.file.id}
        self.assertKept(
            lambda: self.rpc(self.env.ref("base.user_root"), "ir.actions.server", "run",
                             action.ids, **about)
        )  # fmt: skip
        template = self.env["mail.template"].create(
            {"name": "x", "model_id": self.env["ir.model"]._get_id("grant.subsidy")}
        )
        for command in (Command.update(self.file.id, {"name": "x"}), Command.delete(self.file.id)):
            values = {"attachment_ids": [command]}
            self.assertKept(
                lambda v=values: self.rpc(self.reader, "mail.template", "send_mail",
                                          template.ids, self.subsidy.id, False, False, v)
            )  # fmt: skip

    def test_the_same_is_no_change(self):
        self.file.write({"name": "bilan.pdf", "raw": PDF, "public": False})
        other = self.file.copy({"res_model": False, "res_id": 0})
        other.write({"name": "x"})
        other.unlink()

    def test_signed_files_of_an_amendment(self):
        amendment = self.env["grant.amendment"].create({"subsidy_id": self.subsidy.id})
        draft = self.env["ir.attachment"].create(
            {"name": "x", "raw": PDF, "res_model": amendment._name, "res_id": amendment.id}
        )
        amendment.attachment_ids = draft
        draft.name = "y"
        amendment._transition(state="signed")
        with self.assertRaises(UserError):
            draft.name = "z"
        with self.assertRaises(UserError):
            draft.unlink()


@tagged("post_install", "-at_install")
class TestLinesOfDocuments(DoorsCase):
    """What comes and goes with its document is not deleted by hand, not by the superuser either."""

    def test_by_the_superuser(self):
        tranche = self.make_tranche(self.subsidy)
        self.certify(tranche)
        self.company.grant_heads_mail = "auditor@example.org"
        receiver = self.company._get_heads_receivers()
        root = self.env.ref("base.user_root")
        for lines, part in (
            (tranche.condition_ids, "comes and goes"),
            (receiver, "stays in the list"),
        ):
            self.assertTrue(lines)
            with self.subTest(lines=lines), self.assertRefused(part), self.env.cr.savepoint():
                self.rpc(root, lines._name, "unlink", lines.ids)
            self.env.invalidate_all()
            self.assertEqual(lines.exists(), lines)


@tagged("post_install", "-at_install")
class TestInvitations(DoorsCase):
    def test_who_becomes_a_user_of_an_organisation(self):
        """Whoever has the token signs up as the organisation, and hands in for it."""
        self.env["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2c")
        contact = self.env["res.partner"].create({"name": "x", "parent_id": self.operator.id})
        stranger = self.env["res.partner"].create({"name": "x"})
        employee = new_test_user(self.env, "test_employee", "base.group_user")
        manager = new_test_user(
            self.env, "test_contacts", "base.group_user,base.group_partner_manager"
        )
        partners = contact | self.operator | self.prefecture | stranger
        for user, invited in (
            (employee, stranger), (self.reader, stranger), (manager, partners)
        ):  # fmt: skip
            found = self.rpc(user, "res.partner", "signup_get_auth_param", partners.ids)
            self.assertEqual({p.id for p in invited}, {i for i, said in found.items() if said})

    def test_a_link_writes_nothing(self):
        for document in (self.subsidy, self.contract):
            self.rpc(self.reader, document._name, "get_portal_url", document.ids)
            self.assertFalse(document.access_token)
