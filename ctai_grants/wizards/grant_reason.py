from odoo import api, fields, models
from odoo.exceptions import UserError


class GrantReason(models.TransientModel):
    """Asks why, before a decision that takes something back or does without it."""

    _name = "grant.reason"
    _description = "Reason"

    # What may be called, and nothing else: an RPC payload names a model and an action.
    _actions = {
        ("grant.deliverable", "send_back"): lambda records, reason: records._do_review(
            "to_complete", ("submitted",), reason
        ),
        ("grant.deliverable", "waive"): lambda records, reason: records._do_review(
            "waived", ("expected", "submitted", "to_complete"), reason
        ),
        ("grant.deliverable", "reopen"): lambda records, reason: records._do_review(
            "to_complete", ("accepted", "waived"), reason
        ),
        ("grant.disbursement", "return"): lambda records, reason: records._do_return(reason),
        ("grant.disbursement", "withdraw"): lambda records, reason: records._do_withdraw(reason),
        ("grant.disbursement", "unpay"): lambda records, reason: records._do_unpay(reason),
        ("grant.disbursement", "cancel"): lambda records, reason: records._do_cancel(reason),
        ("grant.condition", "override"): lambda records, reason: records._do_override(reason),
        ("grant.subsidy", "cancel"): lambda records, reason: records._do_cancel(reason),
        ("grant.subsidy", "close"): lambda records, reason: records._do_close(reason),
        ("grant.subsidy", "waive_report"): lambda records, reason: records._do_waive_report(
            reason
        ),
        ("grant.financial.report", "reopen_report"): lambda records, reason: records._do_reopen(
            reason
        ),
        ("grant.recovery", "observe"): lambda records, reason: records._do_observe(reason),
        ("grant.recovery", "uncollect"): lambda records, reason: records._do_uncollect(reason),
        ("grant.recovery", "waive_recovery"): lambda records, reason: records._do_waive(reason),
    }

    res_model = fields.Char(required=True, readonly=True)
    res_ids = fields.Json(required=True, readonly=True)
    action = fields.Char(required=True, readonly=True)
    reason = fields.Text(required=True)

    @api.model
    def _open(self, records, action):
        """The window that asks for the reason of ``action`` on ``records``."""
        titles = {
            "send_back": self.env._("Send Back to the Operator"),
            "waive": self.env._("Do Without This Piece"),
            "reopen": self.env._("Reopen This Piece"),
            "return": self.env._("Return to the Coordinator"),
            "withdraw": self.env._("Take the Order Back"),
            "unpay": self.env._("Cancel the Payment"),
            "cancel": self.env._("Cancel the Subsidy")
            if records._name == "grant.subsidy"
            else self.env._("Cancel the Tranche"),
            "override": self.env._("Do Without This Condition"),
            "close": self.env._("Close the Subsidy"),
            "waive_report": self.env._("Do Without the Financial Report"),
            "reopen_report": self.env._("Reopen the Financial Report"),
            "observe": self.env._("Observations of the Operator"),
            "uncollect": self.env._("Cancel the Repayment"),
            "waive_recovery": self.env._("Waive the Recovery"),
        }
        title = titles[action]
        if records._name == "grant.condition":
            title = f"{title} – {records.display_name}"
        return {
            "type": "ir.actions.act_window",
            "name": title,
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
        call = self._actions.get((self.res_model, self.action))
        if not call:
            raise UserError(self.env._("There is no such action on this document."))
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(self.env._("Write the reason."))
        call(self.env[self.res_model].browse(self.res_ids), reason)
        return {"type": "ir.actions.act_window_close"}
