from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...lib.award.renewal import move, say


class GrantSubsidy(models.Model):
    """A subsidy of one year is the model of the next year's: actions and schedule stay, dates move,
    what was decided is decided anew."""

    _inherit = "grant.subsidy"

    def action_renew(self):
        """Draft the next year of these subsidies, and open it; raises as :meth:`_renew`."""
        return self._renew()._get_renewed_action()

    def _renew(self, envelopes=None):
        """Draft these subsidies for the next year, in the same envelopes.

        :param dict envelopes: {envelope: where its next year is}, of another contract
        :return: the drafts
        :raise UserError: a draft or cancelled one; renewed already; or the contract ends before
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Renewing a subsidy")
        self._check_group("group_coordinator", what)
        self._check_state(("granted", "signed", "closed"), what)
        renewed = self.browse()
        for subsidy in self:
            values = subsidy._get_renewal_values((envelopes or {}).get(subsidy.envelope_id))
            subsidy._check_not_renewed(values)
            draft = subsidy.copy(values)
            draft.message_post(body=self.env._("Renewal of %s.", subsidy.display_name))
            renewed |= draft
        return renewed

    def _get_renewal_values(self, envelope=None):
        self._check_filled(["date_start", "date_end"])
        start = envelope and envelope.contract_id.date_start
        # What ran for several years runs for as many again: after them, or from the new contract.
        years = 1 if start else max(1, round((self.date_end - self.date_start).days / 365.25))
        while start and years < 10 and move(self.date_start, years) < start:
            years += 1
        return {
            "name": say(self.name, years),
            "envelope_id": (envelope or self.envelope_id).id,
            "date_start": move(self.date_start, years),
            "date_end": move(self.date_end, years),
        }

    def _check_not_renewed(self, values):
        same = self.search(
            Domain("partner_id", "=", self.partner_id.id)
            & Domain("kind", "=", self.kind)
            & Domain("state", "!=", "cancelled")
            & Domain.AND(Domain(name, "=", value) for name, value in values.items()),
            limit=1,
        )
        if same:
            raise UserError(
                self.env._(
                    "%(subsidy)s is renewed already: go on with %(same)s.",
                    subsidy=self.display_name,
                    same=same.display_name,
                )
            )

    def _get_renewed_action(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_subsidy_action")
        action["context"] = {}
        if len(self) == 1:
            return {**action, "views": [(False, "form")], "res_id": self.id}
        return {**action, "domain": [("id", "in", self.ids)]}
