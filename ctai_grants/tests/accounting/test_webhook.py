"""Odoo's webhooks: whoever knows the address runs a rule with all rights, in nobody's name. No
document takes a step, a figure or a decision from it (R3, R5)."""

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..common import GrantsCommon

CONFIRM = (
    "env['grant.reason'].create({'res_model': record._name, 'res_ids': record.ids, "
    "'action': %r, 'reason': 'Parce que'}).action_confirm()"
)


@tagged("post_install", "-at_install")
class TestWebhook(GrantsCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "base.automation" not in cls.env:
            # Our own test database has it, and ./ctai test lets nothing be skipped.
            cls.skipTest(cls, "no base_automation in this database")
        subsidy = cls.sign(cls.make_subsidy())
        ready, certified, ordered = (cls.make_tranche(subsidy) for _ in range(3))
        cls.certify(certified)
        cls.order(ordered)
        piece = cls.make_deliverable(subsidy)
        cls.documents = [subsidy, cls.make_subsidy(), ready, certified, ordered, piece]

        cls.rules = {document: cls._make_rule(document) for document in cls.documents}

    @classmethod
    def _make_rule(cls, document):
        model = cls.env["ir.model"]._get(document._name)
        action = {"name": "Règle", "model_id": model.id, "state": "code"}
        return cls.env["base.automation"].create(
            {
                "name": "Règle",
                "model_id": model.id,
                "trigger": "on_webhook",
                "record_getter": f"model.browse({document.id})",
                "action_server_ids": [(6, 0, cls.env["ir.actions.server"].create(action).ids)],
            }
        )

    def call(self, document, code):
        """The status that a call of the webhook answers, which runs ``code`` on ``document``."""
        rule = self.rules[document]
        rule.action_server_ids.code = code
        self.env.flush_all()
        with mute_logger("odoo.addons.base_automation.models.base_automation", "odoo.sql_db"):
            answer = self.url_open(f"/web/hook/{rule.webhook_uuid}", data="{}")
        self.env.invalidate_all()
        return answer.status_code

    def get_truth(self):
        counts = [self.env[name].search_count([]) for name in ("grant.entry", "grant.decision")]
        return counts + [(document.state, document.exists()) for document in self.documents]

    def assert_unmoved(self, document, code):
        before = self.get_truth()
        with self.subTest(document=document._name, state=document.state, code=code):
            status = self.call(document, code)
            self.assertEqual(self.get_truth(), before)
        return status

    def test_no_step(self):
        """A button that asks for a reason opens its window; the others refuse."""
        statuses = set()
        for document in self.documents:
            for name in dir(type(document)):
                if name.startswith("action_"):
                    statuses.add(self.assert_unmoved(document, f"record.{name}()"))
        self.assertEqual(statuses, {200, 500})

    def test_no_reason(self):
        subsidy, __, ready, certified, ordered, piece = self.documents
        for document, actions in (
            (subsidy, ("cancel", "close_unpaid", "waive_report")),
            (ready, ("cancel",)),
            (certified, ("withdraw", "cancel")),
            (ordered, ("cancel",)),
            (piece, ("waive", "send_back", "purge", "reopen")),
        ):
            for action in actions:
                self.assertEqual(self.assert_unmoved(document, CONFIRM % action), 500)

    def test_no_figure(self):
        subsidy, draft, __, certified, ordered, piece = self.documents
        for document, values in (
            (subsidy, {"amount": 1}),
            (draft, {"state": "signed"}),
            (certified, {"amount": 1}),
            (ordered, {"state": "paid"}),
            (piece, {"state": "accepted"}),
        ):
            known = document.read(values)
            self.assertEqual(self.assert_unmoved(document, f"record.write({values!r})"), 500)
            self.assertEqual(document.read(values), known)
        self.assert_unmoved(subsidy, "record.unlink()")
