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
    reason = fields.Text(required=True)

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
        documents = self.env.get(self.res_model)
        # No such model, or one of Odoo's: no actions.
        actions = getattr(documents, "_get_reason_actions", dict)()
        # An RPC payload names a model and an action.
        if self.action not in actions:
            raise UserError(self.env._("There is no such action on this document."))
        method, _title = actions[self.action]
        # Not in sudo: the method checks the user's role, the ORM the rest.
        getattr(documents.browse(self.res_ids), method)(self.reason)
        return {"type": "ir.actions.act_window_close"}
