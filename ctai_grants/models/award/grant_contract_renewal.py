from odoo import models

from ...lib.award.renewal import move, say


class GrantContract(models.Model):
    """The next year of a contract: a new draft with the same envelopes, or its subsidies once more
    in the same contract."""

    _inherit = "grant.contract"

    def action_renew(self):
        """Ask what of this contract goes on next year."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Renew for Next Year"),
            "res_model": "grant.contract.renewal",
            "view_mode": "form",
            "target": "new",
            "context": {"default_contract_id": self.id},
        }

    def _get_renewal_values(self):
        """Name, reference and period of the contract that follows this one, as proposed."""
        self.ensure_one()
        start, end = self.date_start, self.date_end
        years = max(1, round((end - start).days / 365.25)) if start and end else 1
        code = say(self.code, years)
        if code == self.code:
            code = self.env._("%(code)s (next)", code=self.code)
        return {
            "name": say(self.name, years), "code": code,
            "date_start": move(start, years), "date_end": move(end, years),
        }  # fmt: skip

    def _get_renewable_subsidies(self):
        """Those of the last year that are still worth one more, as proposed."""
        decided = self.subsidy_ids.filtered(
            lambda s: s.state in ("granted", "signed", "closed") and s.date_start
        )
        last = max(decided.mapped("date_start"), default=None)
        return decided.filtered(lambda s: s.date_start.year == last.year)

    def _renew(self, values, subsidies):
        """Draft the contract that follows this one, with these of its subsidies.

        :param dict values: name, code, date_start and date_end of the new one
        :return: the new contract
        :raise UserError: as :meth:`grant.subsidy._renew`
        :raise AccessError: the user may not make contracts, or is not a coordinator
        """
        self.ensure_one()
        self._check_group("group_coordinator", self.env._("Renewing a contract"))
        contract = self.copy(values)
        # Odoo copies lines in the order of their numbers.
        old, new = self.envelope_ids.sorted("id"), contract.envelope_ids.sorted("id")
        subsidies._renew(dict(zip(old, new, strict=True)))
        contract.message_post(body=self.env._("Renewal of %s.", self.display_name))
        return contract
