import hashlib
import json

from odoo import api, fields, models
from odoo.exceptions import UserError


class GrantReason(models.TransientModel):
    """Asks why, before a decision that takes something back or does without it.

    Which decisions these are, each model says (:func:`asks_reason`).
    """

    _name = "grant.reason"
    _description = "Reason"
    # A tick is no reason.
    _inherit = ["grant.text.mixin"]

    res_model = fields.Char(required=True, readonly=True)
    res_ids = fields.Json(required=True, readonly=True)
    action = fields.Char(required=True, readonly=True)
    reason = fields.Text()
    needs_reason = fields.Boolean(compute="_compute_needs_reason", compute_sudo=False)
    preview = fields.Html(
        compute="_compute_preview", compute_sudo=False, sanitize=False, string="What It Does"
    )
    # Which preview was on the screen: what is confirmed is what was shown.
    shown = fields.Char(
        compute="_compute_shown", compute_sudo=False, store=True, readonly=False, precompute=True
    )

    @api.depends("res_model", "res_ids", "action")
    def _compute_preview(self):
        for window in self:
            sections = window._get_sections()
            window.preview = sections and self.env["ir.qweb"]._render(
                "ctai_grants.reason_preview",
                {"sections": sections, "currency": self.env.company.currency_id},
            )

    @api.depends("res_model", "res_ids", "action")
    def _compute_needs_reason(self):
        for window in self:
            documents = window._get_documents()
            window.needs_reason = not documents or documents._needs_reason(window.action)

    @api.depends("res_model", "res_ids", "action")
    def _compute_shown(self):
        for window in self:
            window.shown = window._get_digest()

    def _get_documents(self):
        """The documents, none where there are no such actions (an RPC payload names a model)."""
        documents = self.env.get(self.res_model or "")
        # No such model, or one of Odoo's: no actions.
        actions = getattr(documents, "_get_reason_actions", dict)()
        return documents.browse(self.res_ids or ()) if self.action in actions else None

    def _get_sections(self):
        documents = self._get_documents()
        return documents._get_reason_preview(self.action) if documents else []

    def _get_digest(self):
        content = json.dumps(self._get_sections(), default=str).encode()
        return hashlib.sha256(content).hexdigest()

    @api.model
    def _open(self, records, action):
        """The window that asks for the reason of ``action`` on ``records``."""
        _method, title = records._get_reason_actions()[action]
        return {
            "type": "ir.actions.act_window",
            "name": records._get_reason_title(self.env._(title)),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_res_model": records._name,
                "default_res_ids": records.ids,
                "default_action": action,
            },
        }

    def action_confirm(self):
        """Do what the window was opened for, with the reason.

        :raise UserError: the reason is blank, or the document refuses
        """
        self.ensure_one()
        documents = self._get_documents()
        if documents is None:
            raise UserError(self.env._("There is no such action on this document."))
        if self.shown != self._get_digest():
            raise UserError(
                self.env._(
                    "%(documents)s: what this does has changed since it was shown. Close this "
                    "window, and look at it again.",
                    documents=", ".join(documents.mapped("display_name")),
                )
            )
        method, _title = documents._get_reason_actions()[self.action]
        # Not in sudo: the method checks the user's role, the ORM the rest.
        result = getattr(documents, method)(self.reason)
        # What it made is opened.
        is_action = isinstance(result, dict)
        return result if is_action else {"type": "ir.actions.act_window_close"}
