from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date

# A milestone is due, no more upcoming, this many days before its date.
DUE_DAYS = 30


class GrantMilestone(models.Model):
    """A dated step of a subsidy; reached when its pieces are accepted or waived."""

    _name = "grant.milestone"
    _description = "Grant Milestone"
    _inherit = ["grant.document.mixin"]
    _order = "date, sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, ondelete="cascade", index=True, check_company=True
    )
    contract_id = fields.Many2one(related="subsidy_id.contract_id", store=True, index=True)
    partner_id = fields.Many2one(related="subsidy_id.partner_id", store=True, string="Operator")
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True)
    date = fields.Date(required=True, index=True)
    reached_date = fields.Date(readonly=True, copy=False)
    deliverable_ids = fields.One2many("grant.deliverable", "milestone_id", string="Pieces")
    state = fields.Selection(
        [("upcoming", "Upcoming"), ("due", "Due"), ("late", "Late"), ("reached", "Reached")],
        compute="_compute_state",
        search="_search_state",
    )

    @api.depends("date", "reached_date", "subsidy_id.state")
    def _compute_state(self):
        for milestone in self:
            today = milestone.company_id._grant_today()
            if milestone.reached_date:
                milestone.state = "reached"
            elif not milestone.date or milestone.date > today + relativedelta(days=DUE_DAYS):
                milestone.state = "upcoming"
            elif milestone.date < today and milestone.subsidy_id.state == "signed":
                milestone.state = "late"
            else:
                milestone.state = "due"

    @api.model
    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self.env["res.company"]._get_grant_today_domain(
            lambda today: self._get_state_domain(value, today)
        )

    @api.model
    def _get_state_domain(self, states, today):
        soon = today + relativedelta(days=DUE_DAYS)
        waiting = Domain("reached_date", "=", False)
        # Nothing is late before the signature, nor once the subsidy is closed.
        passed = Domain("date", "<", today) & Domain("subsidy_id.state", "=", "signed")
        by_state = {
            "reached": Domain("reached_date", "!=", False),
            "upcoming": waiting & Domain("date", ">", soon),
            "due": waiting & ~passed & Domain("date", "<=", soon),
            "late": waiting & passed,
        }
        return Domain.OR(by_state[state] for state in states if state in by_state)

    @api.constrains("date", "subsidy_id")
    def _check_date(self):
        """Refuse a milestone, hence its pieces, before the subsidy starts.

        Some pieces are due at the decision or the signature, which may come before the start.
        """
        for milestone in self:
            subsidy = milestone.subsidy_id
            earliest = min(
                filter(None, (subsidy.date_start, subsidy.decision_date, subsidy.signature_date)),
                default=milestone.date,
            )
            if milestone.date < earliest:
                raise ValidationError(
                    self.env._(
                        "Milestone “%(milestone)s”: its date, %(day)s, comes before subsidy "
                        "%(subsidy)s is decided and starts (%(earliest)s).",
                        milestone=milestone.name,
                        day=format_date(self.env, milestone.date),
                        subsidy=subsidy.display_name,
                        earliest=format_date(self.env, earliest),
                    )
                )

    def _get_frozen_fields(self):
        # Its pieces would go along, files and conditions included.
        pieces = self.deliverable_ids
        if self.subsidy_id.state != "draft" or pieces.version_ids or pieces.decision_ids:
            return frozenset({"subsidy_id"})
        return frozenset()

    def _get_state_label(self):
        # What freezes it is the state of its subsidy, not its own.
        return self.subsidy_id._get_state_label()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # As if each was deleted by hand: it may be in use.
        self.deliverable_ids.unlink()

    def action_reach(self):
        """Record today that a milestone without pieces is reached.

        :raise UserError: pieces are still expected
        :raise AccessError: the user is not a coordinator
        """
        self._check_group("group_coordinator", self.env._("Reaching a milestone"))
        for milestone in self:
            if milestone.deliverable_ids:
                raise UserError(
                    self.env._(
                        "Milestone “%(milestone)s” is reached when its pieces are accepted.",
                        milestone=milestone.name,
                    )
                )
            milestone._transition(reached_date=milestone.company_id._grant_today())
        return True

    def action_unreach(self):
        """Undo :meth:`action_reach`.

        :raise AccessError: the user is not a coordinator
        """
        self._check_group("group_coordinator", self.env._("Reaching a milestone"))
        self.filtered(lambda milestone: not milestone.deliverable_ids)._transition(
            reached_date=False
        )
        return True

    def _wake(self):
        # sudo: whoever adds or deletes a piece may not be allowed to write on its milestone
        self.sudo()._refresh_reached()

    def _refresh_reached(self):
        """Note the day when the last piece was settled, forget it when one is reopened."""
        # Of those without, a coordinator says it (action_reach).
        for milestone in self.filtered("deliverable_ids"):
            settled = all(
                deliverable.state in ("accepted", "waived")
                for deliverable in milestone.deliverable_ids
            )
            if settled and not milestone.reached_date:
                milestone._transition(reached_date=milestone.company_id._grant_today())
            elif not settled and milestone.reached_date:
                milestone._transition(reached_date=False)
