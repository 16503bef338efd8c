from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date


class GrantContract(models.Model):
    """What is claimed from the State rests on the contract: it is in force as long, and before."""

    _inherit = "grant.contract"

    def action_reset_to_draft(self):
        """Set it back; raises also while an instalment is claimed, naming it."""
        result = super().action_reset_to_draft()
        for claimed in self.funding_ids.filtered("claim_date")[:1]:
            raise UserError(
                self.env._(
                    "%(contract)s: instalment “%(instalment)s” is claimed from the State. Cancel "
                    "that claim first.",
                    contract=claimed.contract_id.display_name,
                    instalment=claimed.display_name,
                )
            )
        return result

    def _check_correction(self, name, date):
        result = super()._check_correction(name, date)
        claimed = self.funding_ids.filtered(
            lambda funding: funding.claim_date and date and funding.claim_date < date
        )
        for first in claimed.sorted("claim_date")[:1]:
            raise UserError(
                self.env._(
                    "%(contract)s: instalment “%(instalment)s” was claimed on %(claimed)s. The "
                    "contract was signed on that day or before, not on %(date)s.",
                    contract=self.display_name,
                    instalment=first.display_name,
                    claimed=format_date(self.env, first.claim_date),
                    date=format_date(self.env, date),
                )
            )
        return result
