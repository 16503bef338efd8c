from odoo import fields, models


class GrantDecidedMixin(models.AbstractModel):
    """What is decided is told by letters."""

    _inherit = "grant.decided.mixin"

    def _decide(self, decision, *args, **kwargs):
        result = super()._decide(decision, *args, **kwargs)
        letters = self.env["grant.letter"]
        for name, kind in letters._get_kinds().items():
            if (kind.model, kind.decision) == (self._name, decision):
                letters._queue(name, self._filter_sent_by_itself(name), is_automatic=True)
        return result

    def _filter_sent_by_itself(self, kind):
        """Those of these documents whose contract has such letters sent by the act."""
        return self.filtered(
            # sudo: a switch of the contract, for who acts on a subsidy of it
            lambda document: document.sudo()._get_decided_subsidy().contract_id[f"sends_{kind}"]
        )


class GrantSubsidy(models.Model):
    """The letters about a subsidy."""

    _inherit = "grant.subsidy"

    letter_ids = fields.One2many("grant.letter", "subsidy_id", string="Letters")

    def _get_sent_letters(self):
        """Those that left, the last first."""
        return self.letter_ids.filtered(lambda letter: letter.state == "sent")

    def action_send_closing(self):
        """Show the letters about the closing of these subsidies, before they are sent."""
        return self.env["grant.letter.window"]._open("closing", self)
