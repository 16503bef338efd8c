"""R7 by systematic search: whatever a portal user calls, nothing hidden comes out and nothing
changes. Everything the callers must not see holds the word ``SECRET``."""

import json

from odoo import Command, models
from odoo.exceptions import AccessError
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ..common import PDF
from .test_portal import PortalCase

SECRET = "SECRET"
OWN_MODULE = "odoo.addons.ctai_grants."


class PortalRpcCase(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain_user = new_test_user(
            cls.env, "test_plain_portal", "base.group_portal", password="test_plain_portal"
        )
        cls.stranger_user = cls._make_stranger()
        cls.users = (
            cls.operator_user, cls.prefecture_user, cls.plain_user, cls.stranger_user,
        )  # fmt: skip
        cls._hide_secrets()
        cls.env.flush_all()

    @classmethod
    def _make_stranger(cls):
        """A user of a prefecture that funds nothing here."""
        organisation = cls._make_organisation("Préfecture voisine", "prefecture")
        user = cls._make_portal_user("prefecture", organisation, "neighbour_")
        user.password = user.login
        return user

    @classmethod
    def _hide_secrets(cls):
        """Fill what no page shows, on documents that the callers may otherwise read."""
        cls.version = cls.piece.with_user(cls.operator_user)._do_submit("bilan.pdf", PDF)
        cls.version = cls.version.with_env(cls.env)
        cls.their_piece.with_user(cls.coordinator).action_accept()
        for records in (cls.mine, cls.theirs, cls.contract, cls.contract.envelope_ids):
            records.note = SECRET
        (cls.tranche | cls.their_tranche).note = SECRET
        cls.contract.steering = SECRET
        cls.order(cls.tranche, f"{SECRET}-42")
        cls.tranche.with_user(cls.finance_officer)._do_pay("2021-11-25", f"{SECRET}-P")
        cls.notes = cls.env["mail.message"]
        for record in (cls.mine, cls.piece, cls.tranche, cls.contract, cls.envelope):
            record = record.with_user(cls.coordinator)
            cls.notes |= record.message_post(body=SECRET)
            cls.notes |= record.message_post(
                body=SECRET, message_type="comment", subtype_xmlid="mail.mt_comment"
            )
            cls.notes |= record._message_log(body=SECRET)
        cls.coordinator.partner_id.email = f"{SECRET}@example.org"

    def models(self):
        """The models of this add-on that have records."""
        return sorted(
            name
            for name, model in self.env.items()
            if name.startswith("grant.") and not model._abstract
        )

    def own_methods(self, model):
        """Public methods that this add-on defines on ``model``."""
        return sorted(
            name
            for name in dir(type(self.env[model]))
            if not name.startswith("_")
            and callable(getattr(models.BaseModel, name, None)) is False
            and getattr(getattr(type(self.env[model]), name, None), "__module__", "").startswith(
                OWN_MODULE
            )
        )

    def snapshot(self):
        """What is in the tables that a portal user could want to change."""
        self.env.flush_all()
        # What was made before is sealed when its transaction ends: now.
        self.env["grant.seal"]._append_noted()
        names = [
            name
            for name in self.models()
            if self.env[name]._auto and not self.env[name]._transient
        ]
        names += ["res.partner", "res.partner.bank", "res.users", "ir.attachment", "mail.message",
                  "mail.followers", "mail.activity"]  # fmt: skip
        return {
            name: self.env.execute_query(
                SQL(
                    "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY id)) FROM %s t",
                    SQL.identifier(self.env[name]._table),
                )
            )
            for name in names
        }

    def rpc(self, user, model, method, *args, **kwargs):
        """What an RPC call of ``user`` answers, or the exception it ends with.

        :raise AssertionError: the answer, or the refusal's message, tells a secret
        """
        self.env.invalidate_all()
        try:
            with self.env.cr.savepoint():
                result = call_kw(self.env(user=user)[model], method, list(args), kwargs)
        except Exception as error:  # whatever it is, it must not tell secrets
            result = error
        self.assertNotIn(SECRET, repr(result), f"{user.login}: {model}.{method}{args}")
        return result

    def assertRefused(self, result, what):
        self.assertIsInstance(result, Exception, f"{what} was let through")


@tagged("post_install", "-at_install")
class TestPortalRpcMethods(PortalRpcCase):
    def setUp(self):
        super().setUp()
        # Dozens of refusals, each logged.
        self.enterContext(mute_logger("odoo.models", "odoo.sql_db", "odoo.addons.base.models"))

    def ids_to_try(self, model):
        """Ids of own documents, of others', and of all."""
        ids = self.env[model].search([]).ids
        return [ids[:1], ids[-1:], ids]

    def test_every_own_method(self):
        """Each public method of the add-on, called without and with made-up arguments."""
        before = self.snapshot()
        called = 0
        for user in self.users:
            for model in [*self.models(), "res.partner"]:
                for method in self.own_methods(model):
                    for ids in self.ids_to_try(model):
                        self.rpc(user, model, method, ids)
                        self.rpc(user, model, method, ids, "x")
                        called += 2
        self.assertGreater(called, 300, "the list of methods is not empty by mistake")
        self.assertEqual(self.snapshot(), before)

    def test_every_way_of_writing(self):
        before = self.snapshot()
        for user in self.users:
            for model in self.models():
                for ids in self.ids_to_try(model):
                    for method, *args in (
                        ("write", ids, {"name": "x"}),
                        ("write", ids, {"state": "accepted"}),
                        ("write", ids, {"active": False}),
                        ("web_save", ids, {"name": "x"}, {}),
                        ("action_archive", ids),
                        ("unlink", ids),
                        ("copy", ids),
                        ("update_field_translations", ids, "name", {"en_US": "x"}),
                        ("message_post", ids),
                        ("message_subscribe", ids, user.partner_id.ids),
                        ("activity_schedule", ids),
                    ):
                        if ids and hasattr(self.env[model], method):
                            result = self.rpc(user, model, method, *args)
                            self.assertRefused(result, f"{user.login}: {model}.{method}{args}")
                for method, *args in (
                    ("create", [{"name": "x"}]),
                    ("web_save", [], {"name": "x"}, {}),
                    ("onchange", [], {}, [], {"display_name": {}}),
                ):
                    result = self.rpc(user, model, method, *args)
                    self.assertRefused(result, f"{user.login}: {model}.{method}{args}")
                # Odoo answers False for a model without a name field.
                created = self.rpc(user, model, "name_create", "x")
                self.assertTrue(isinstance(created, Exception) or created is False)
                loaded = self.rpc(user, model, "load", ["display_name"], [["x"]])
                self.assertTrue(isinstance(loaded, Exception) or not loaded["ids"])
        self.assertEqual(self.snapshot(), before)

    def test_private_methods(self):
        for model, method in (
            ("grant.deliverable", "_do_submit"),
            ("grant.deliverable", "_transition"),
            ("grant.entry", "_post"),
            ("grant.decision", "_record"),
            ("res.users", "_sync_grant_portal_groups"),
        ):
            result = self.rpc(self.operator_user, model, method, [])
            self.assertIsInstance(result, AccessError, method)

    def test_wizards(self):
        """No window that asks why, or how much, opens for the portal."""
        for user in self.users:
            for model, values in (
                (
                    "grant.reason",
                    {
                        "res_model": "grant.disbursement",
                        "res_ids": self.tranche.ids,
                        "action": "unpay",
                        "reason": "x",
                    },
                ),
                ("grant.deliverable.submit", {"deliverable_id": self.piece.id, "file": "eA=="}),
                ("grant.disbursement.pay", {"disbursement_id": self.tranche.id}),
                ("grant.disbursement.certify", {"disbursement_ids": self.tranche.ids}),
            ):
                self.assertRefused(self.rpc(user, model, "create", [values]), model)


@tagged("post_install", "-at_install")
class TestPortalRpcReading(PortalRpcCase):
    def setUp(self):
        super().setUp()
        self.enterContext(mute_logger("odoo.models", "odoo.sql_db", "odoo.addons.base.models"))

    def visible(self, user):
        """Records of the add-on that ``user`` is to read, by model; other models refuse."""
        if user == self.operator_user:
            return {
                "grant.subsidy": self.mine,
                "grant.action": self.mine.action_ids,
                "grant.deliverable": self.piece,
                "grant.deliverable.version": self.version,
                "grant.deliverable.file": self.version.file_ids,
                "grant.disbursement": self.tranche,
            }
        if user == self.prefecture_user:
            return {
                "grant.contract": self.contract,
                "grant.envelope": self.contract.envelope_ids,
                "grant.subsidy": self.mine | self.theirs,
                # What waits for its review is between the operator and the city.
                "grant.deliverable.version": self.their_version,
                "grant.deliverable.file": self.their_version.file_ids,
            }
        if user == self.stranger_user:
            names = ("contract", "envelope", "subsidy", "deliverable.version", "deliverable.file")
            return {f"grant.{name}": self.env[f"grant.{name}"] for name in names}
        return {}

    def test_records(self):
        """Each user finds its own records, cannot read another by its id, nor count it."""
        # Statements, of the second add-on: none was issued here.
        statements = self.env["grant.statement"] if "grant.statement" in self.env else None
        for user in self.users:
            visible = self.visible(user)
            if statements is not None and user in self.prefecture_user | self.stranger_user:
                visible["grant.statement"] = statements
            for model in self.models():
                if self.env[model]._transient:
                    continue
                with self.subTest(user=user.login, model=model):
                    found = self.rpc(user, model, "search", [])
                    if model not in visible:
                        self.assertIsInstance(found, AccessError)
                        continue
                    self.assertEqual(set(found), set(visible[model].ids))
                    count = self.rpc(user, model, "search_count", [])
                    self.assertEqual(count, len(visible[model]))
                    for record in self.env[model].search([]) - visible[model]:
                        result = self.rpc(user, model, "read", record.ids, ["display_name"])
                        self.assertIsInstance(result, AccessError)

    def test_fields(self):
        """Each field that is not on the white-list: read, sought, sorted, grouped, exported."""
        checked = 0
        for user in self.users:
            for model, records in self.visible(user).items():
                allowed = self.env[model]._get_portal_fields()
                for name in self.env[model]._fields.keys() - allowed:
                    for method, *args in (
                        ("read", records.ids, [name]),
                        ("search_read", [], [name]),
                        ("web_read", records.ids, {name: {}}),
                        ("search", [[name, "!=", False]]),
                        ("search_count", [[name, "=", False]]),
                        ("search_count", ["!", [name, "in", [1]]]),
                        ("search", [], 0, None, name),
                        ("formatted_read_group", [], [name], ["__count"]),
                        ("formatted_read_group", [], [], [f"{name}:count"]),
                        ("export_data", records.ids, [name]),
                    ):
                        if records:
                            result = self.rpc(user, model, method, *args)
                            self.assertRefused(result, f"{user.login}: {model}.{method}{args}")
                            checked += 1
        self.assertGreater(checked, 1000)

    def test_white_list_is_readable(self):
        """And what the pages show can be read by whoever sees the page."""
        for user in (self.operator_user, self.prefecture_user):
            visible = self.visible(user)
            for model, records in visible.items():
                for name in sorted(self.env[model]._get_portal_fields()):
                    field = self.env[model]._fields[name]
                    if field.type == "one2many" and field.comodel_name not in visible:
                        continue
                    with self.subTest(user=user.login, model=model, field=name):
                        result = self.rpc(user, model, "read", records.ids, [name])
                        self.assertIsInstance(result, list)

    def test_through_relations(self):
        """A domain or a nested reading goes no further than the record itself."""
        for model, method, *args in (
            ("grant.subsidy", "search", [["contract_id.steering", "ilike", "S"]]),
            ("grant.subsidy", "search", [["deliverable_ids.decision_ids.reason", "ilike", "S"]]),
            ("grant.subsidy", "search", [["disbursement_ids.order_number", "ilike", "S"]]),
            ("grant.subsidy", "search", [["disbursement_ids", "any", [["note", "ilike", "S"]]]]),
            ("grant.subsidy", "search", [["message_ids.body", "ilike", "S"]]),
            ("grant.deliverable", "search", [["version_ids.user_id.login", "ilike", "t"]]),
            ("grant.subsidy", "web_search_read", [], {"contract_id": {"fields": {"note": {}}}}),
            ("grant.deliverable", "web_search_read", [],
             {"version_ids": {"fields": {"file_ids": {"fields": {"attachment_id": {}}}}}}),
        ):  # fmt: skip
            result = self.rpc(self.operator_user, model, method, *args)
            self.assertRefused(result, f"{model}.{method}{args}")
        own = self.rpc(self.operator_user, "grant.subsidy", "name_search", "eux")
        self.assertEqual(own, [], "another operator's subsidy cannot be found by its name")

    def test_other_models(self):
        """Files, messages, activities, bank accounts, staff, other organisations."""
        attachments = (self.piece | self.their_piece).version_ids.file_ids.attachment_id
        self.assertEqual(len(attachments), 2)
        banks = (self.operator | self.other_operator).bank_ids
        for user in self.users:
            for records, name in (
                (attachments, "datas"),
                (attachments, "raw"),
                (self.notes, "body"),
                (self.notes, "tracking_value_ids"),
                (self.mine.activity_ids | self.piece.activity_ids, "summary"),
                (self.mine.message_follower_ids, "partner_id"),
                (banks, "acc_number"),
                (self.coordinator, "email"),
                (self.other_operator, "name"),
                (self.env.ref("base.user_admin"), "login"),
            ):
                for record in records:
                    with self.subTest(user=user.login, record=record):
                        result = self.rpc(user, record._name, "read", record.ids, [name])
                        self.assertRefused(result, f"{user.login}: {record}.{name}")
                        found = self.rpc(user, record._name, "search", [["id", "=", record.id]])
                        self.assertFalse(isinstance(found, list) and found)

    def test_messages_cannot_be_written(self):
        message = self.piece.message_ids.filtered(lambda m: "SHA-256" in m.body)[:1]
        self.assertTrue(message)
        for method, *args in (
            ("write", message.ids, {"body": "x"}),
            ("unlink", message.ids),
            (
                "create",
                [{"model": "grant.deliverable", "res_id": self.piece.id, "body": "x"}],
            ),
        ):
            result = self.rpc(self.operator_user, "mail.message", method, *args)
            self.assertRefused(result, method)


@tagged("post_install", "-at_install")
class TestPortalOtherRoutes(PortalRpcCase):
    """Routes of Odoo itself that could show or change a document."""

    def json(self, path, **params):
        answer = self.url_open(
            path,
            data=json.dumps({"jsonrpc": "2.0", "params": params}),
            headers={"Content-Type": "application/json"},
        )
        self.assertNotIn(SECRET, answer.text, path)
        return answer

    @mute_logger("odoo.http")
    def test_discussions(self):
        for user in (self.operator_user, self.prefecture_user, self.plain_user):
            self.login(user)
            before = self.snapshot()
            for record in (self.mine, self.piece, self.tranche, self.contract):
                about = {"thread_model": record._name, "thread_id": record.id}
                fetch = [
                    "mail.thread",
                    {**about, "request_list": ["followers", "attachments", "activities"]},
                ]
                for path, params in (
                    ("/mail/data", {"fetch_params": [fetch]}),
                    ("/mail/thread/messages", about),
                    ("/mail/thread/recipients", about),
                    ("/mail/thread/recipients/get_suggested_recipients", about),
                    ("/mail/chatter_fetch", about),
                    ("/portal/chatter_init", about),
                    ("/mail/message/post", {**about, "post_data": {"body": "x"}}),
                ):
                    with self.subTest(user=user.login, record=record, path=path):
                        self.json(path, **params)
            self.assertEqual(self.snapshot(), before)

    def test_a_token_opens_no_page_and_no_discussion(self):
        token = self.mine.access_token = "a-token-of-before"
        self.login(self.other_operator_user)
        path = f"/my/subsidies/{self.mine.id}?access_token={token}"
        self.assertEqual(self.url_open(path).status_code, 404)
        self.authenticate(None, None)
        with mute_logger("odoo.http"):
            self.json(
                "/mail/chatter_fetch",
                thread_model="grant.subsidy",
                thread_id=self.mine.id,
                token=token,
            )

    @mute_logger("odoo.http")
    def test_files_and_images(self):
        self.login(self.operator_user)
        attachment = self.version.file_ids.attachment_id
        for path in (
            f"/web/content/{attachment.id}",
            f"/web/content/{self.their_version.file_ids.attachment_id.id}",
            f"/web/content/grant.subsidy/{self.mine.id}/note",
            f"/web/content/grant.deliverable.file/{self.their_version.file_ids.id}/attachment_id",
            f"/web/image/{attachment.id}",
        ):
            with self.subTest(path=path):
                answer = self.url_open(path)
                self.assertNotIn(SECRET, answer.text)
                self.assertNotIn(PDF, answer.content)

    def test_mail_link_opens_the_page(self):
        self.login(self.operator_user)
        link = f"/mail/view?model=grant.subsidy&res_id={self.mine.id}"
        self.assertIn(f"/my/subsidies/{self.mine.id}", self.url_open(link).url)
        link = f"/mail/view?model=grant.subsidy&res_id={self.theirs.id}"
        self.assertNotIn("/my/subsidies/", self.url_open(link).url)

    def test_legal_identity_is_not_the_users_to_change(self):
        """Odoo's account page renames the company of whoever has a parent company."""
        self.login(self.operator_user)
        partner = self.operator_user.partner_id
        form = {
            "csrf_token": self.csrf_token(),
            "partner_id": partner.id,
            "name": partner.name,
            "email": "someone@example.org",
            "phone": "0500000000",
            "street": "1 rue de la Paix",
            "zip": "86000",
            "city": "Poitiers",
            "country_id": self.env.ref("base.fr").id,
            "address_type": "billing",
            "required_fields": "",
        }
        with mute_logger("odoo.http"):
            self.url_open(
                "/my/address/submit",
                data={
                    **form,
                    "company_name": "Autre nom",
                    "parent_id": self.other_operator.id,
                    "grant_role": "prefecture",
                },
            )
        self.env.invalidate_all()
        self.assertEqual(self.operator.name, "Association de test")
        self.assertEqual(partner.parent_id, self.operator)
        self.assertFalse(partner.grant_role)
        self.url_open("/my/address/submit", data=form)
        self.env.invalidate_all()
        self.assertEqual(partner.city, "Poitiers", "one's own address stays one's own")

    def test_own_user_record(self):
        user = self.operator_user
        for values in (
            {"group_ids": [Command.link(self.env.ref("ctai_grants.group_coordinator").id)]},
            {"partner_id": self.other_operator.id},
            {"parent_id": self.other_operator.id},
            {"commercial_partner_id": self.other_operator.id},
            {"grant_role": "prefecture"},
        ):
            result = self.rpc(user, "res.users", "write", user.ids, values)
            self.assertRefused(result, values)
            result = self.rpc(user, "res.partner", "write", user.partner_id.ids, values)
            self.assertRefused(result, values)
        user.partner_id = self.operator
        result = self.rpc(user, "res.users", "write", user.ids, {"name": "Autre nom"})
        self.assertRefused(result, "renaming the organisation")
