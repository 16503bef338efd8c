from odoo import models


class GrantCondition(models.Model):
    """Conditions in an operator's words."""

    _inherit = "grant.condition"

    def _tell_operator(self):
        """A sentence on this condition, which is not met; none of a piece to hand in."""
        match self.code:
            case "deliverable" if self.deliverable_id.state == "submitted":
                return self.env._(
                    "“%s” is handed in: the city is reading it.", self.deliverable_id.name
                )
            case "deliverable":
                return None
            case "bank":
                return self.env._("The city still has to verify your bank account (RIB).")
            case "cer":
                return self.env._(
                    "The city has no signed contrat d'engagement républicain of yours."
                )
            case "convention":
                return self.env._("The convention is not recorded as signed by everybody.")
            case "repayment":
                return self.env._("An amount is still to be paid back to the city.")
            case "report" | "due":
                return self.env._("The city still has to settle what is due.")
        return self.env._("The city still has to finish its own formalities.")
