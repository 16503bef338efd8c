from odoo import api, fields, models

from .grant_reminder_deadlines import PUBLICATION


class GrantSubsidy(models.Model):
    """Who is told about a subsidy, and what was told of it."""

    _inherit = "grant.subsidy"

    reminder_ids = fields.One2many("grant.reminder", "subsidy_id", string="Reminders")
    publication_deadline = fields.Date(
        string="To Publish Before",
        compute="_compute_publication_deadline",
        help="The data of a convention are published within three months of its signature "
        "(décret 2017-779, art. 2).",
    )

    @api.depends("signature_date")
    def _compute_publication_deadline(self):
        for subsidy in self:
            signed = subsidy.signature_date
            subsidy.publication_deadline = signed and signed + PUBLICATION

    def _filter_to_publish(self):
        """Those of these subsidies whose data the law has the city publish: a convention is
        required, by what their operator gets in the year (décret 2017-779, art. 1), and the city
        grants it: the State publishes what it pays itself."""
        # What others of the body got since it was read counts too.
        self.invalidate_recordset(["convention_required"])
        return self.filtered(lambda s: s.convention_required and s.payment_path == "city")

    def _get_coordinator(self):
        """Who follows this subsidy: its coordinator, that of the contract, an administrator of the
        city."""
        self.ensure_one()
        for user in (self.user_id, self.contract_id.user_id):
            if user.active:
                return user
        return self._get_administrator()

    def _get_finance_officer(self):
        """Who pays the money of this subsidy's contract; without one, who follows it."""
        officer = self.contract_id.finance_user_id
        return officer if officer.active else self._get_coordinator()

    def _get_administrator(self):
        # sudo: the members of a group are not everybody's to read
        group = self.env.ref("ctai_grants.group_administrator").sudo()
        return group.all_user_ids.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        ).sorted("id")[-1:]
