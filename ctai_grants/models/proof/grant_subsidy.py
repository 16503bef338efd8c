from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    template_id = fields.Many2one(
        "grant.schedule.template", string="Schedule Template", check_company=True, copy=False
    )
    milestone_ids = fields.One2many("grant.milestone", "subsidy_id", string="Milestones")
    deliverable_ids = fields.One2many(
        "grant.deliverable", "subsidy_id", string="Pieces", portal=True
    )
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late")

    @api.depends("deliverable_ids.is_late")
    def _compute_is_late(self):
        # In one query: lists show it, and no piece.
        pieces = self.env["grant.deliverable"]
        signed = self.filtered(lambda subsidy: subsidy.state == "signed")
        overdue = Domain("subsidy_id", "in", signed.ids) & pieces._get_overdue_domain()
        late = {subsidy for (subsidy,) in pieces._read_group(overdue, ["subsidy_id"])}
        for is_late, subsidies in self.grouped(lambda s: s._origin in late).items():
            subsidies.is_late = is_late

    @api.model
    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = Domain("deliverable_ids.is_late", "=", True)
        return Domain.OR(late if wanted else ~late for wanted in value)

    def _get_fiscalyear_end(self):
        """End of the operator's financial year in which the subsidy's period ends."""
        self.ensure_one()
        last_day = self.date_end or self.decision_date
        if not last_day:
            return False
        month = int(self.partner_id.fiscalyear_end_month or 12)
        # Day 31 is cut to the month's last day; said again a year later, for 29 February.
        year_end = last_day + relativedelta(month=month, day=31)
        return year_end if year_end >= last_day else year_end + relativedelta(years=1, day=31)

    def _can_submit(self, user):
        """Whether ``user`` may hand in pieces: a coordinator of this city, or the operator itself
        (R7)."""
        self.ensure_one()
        if user.has_group("ctai_grants.group_coordinator"):
            # sudo: whose coordinator this is
            return user._is_superuser() or self.company_id in user.sudo().company_ids
        return (
            user.has_group("ctai_grants.group_portal_operator")
            and user.commercial_partner_id == self.partner_id.commercial_partner_id
        )

    def action_apply_template(self):
        """Copy the schedule template's milestones, pieces and tranches.

        :raise UserError: no template chosen, or there is a schedule already
        """
        for subsidy in self:
            subsidy._check_filled(["template_id", "amount"])
            subsidy._check_state(("draft", "granted"), self.env._("Applying a schedule template"))
            if subsidy._has_schedule():
                raise UserError(
                    self.env._(
                        "%(subsidy)s already has a schedule: delete its tranches and milestones "
                        "first.",
                        subsidy=subsidy.display_name,
                    )
                )
            subsidy.template_id._copy_to(subsidy)
        return True

    def action_view_deliverables(self):
        """Open the pieces of these subsidies."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants.grant_deliverable_action"
        )
        action["domain"] = [("subsidy_id", "in", self.ids)]
        action["context"] = {}
        return action

    def _get_release_preview(self):
        preview = super()._get_release_preview()
        rows = [
            (f"{piece.name} – {piece._get_state_label()}", None)
            for piece in self.deliverable_ids
            if piece.state not in ("accepted", "waived")
        ]
        if rows:
            preview.append(
                {"title": self.env._("Pieces still awaited"), "rows": rows, "alert": False}
            )
        return preview

    def _has_schedule(self):
        """Whether something is planned for this subsidy already."""
        return bool(self.milestone_ids)

    @api.constrains("date_start", "date_end", "envelope_id")
    def _check_milestones(self):
        self.milestone_ids._check_date()

    @api.ondelete(at_uninstall=False)
    def _unlink_milestones(self):
        # Not by the database: it would empty columns of lines that it is about to delete.
        self.milestone_ids.unlink()
