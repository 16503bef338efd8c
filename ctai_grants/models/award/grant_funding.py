from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain


class GrantFunding(models.Model):
    """One instalment of an envelope that the State owes the city."""

    _name = "grant.funding"
    _description = "State Instalment"
    _inherit = [
        "grant.document.mixin", "grant.source.mixin", "grant.thread.mixin", "mail.activity.mixin"
    ]  # fmt: skip
    _order = "due_date, id"
    _check_company_auto = True

    _entry_kinds = ("receipt",)
    _entry_name = "name"

    name = fields.Char(required=True)
    envelope_id = fields.Many2one(
        "grant.envelope", required=True, ondelete="restrict", index=True, check_company=True,
        domain="[('payment_path', '=', 'city')]",
    )  # fmt: skip
    contract_id = fields.Many2one(related="envelope_id.contract_id", store=True, index=True)
    company_id = fields.Many2one(related="envelope_id.company_id", store=True)
    currency_id = fields.Many2one(related="envelope_id.currency_id", store=True)
    amount = fields.Monetary(required=True)
    due_date = fields.Date()
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late")
    state = fields.Selection(
        [("expected", "Expected"), ("claimed", "Funds Claimed"), ("received", "Paid In")],
        required=True, default="expected", readonly=True, copy=False, tracking=True, index=True,
    )  # fmt: skip
    _amount_positive = models.Constraint(
        "CHECK (amount > 0)", "The amount of an instalment is above zero."
    )

    @api.depends("due_date", "state")
    def _compute_is_late(self):
        for funding in self:
            funding.is_late = bool(
                funding.state != "received"
                and funding.due_date
                and funding.due_date < funding.company_id._grant_today()
            )

    @api.model
    def _search_is_late(self, operator, value):
        # Odoo searches a yes or no by “in”, with one answer or both; it turns the rest into that.
        if operator != "in":
            return NotImplemented
        late = Domain("state", "!=", "received") & self.env[
            "res.company"
        ]._get_grant_today_domain(lambda today: Domain("due_date", "<", today))
        return Domain.OR(late if wanted else ~late for wanted in value)

    @api.constrains("envelope_id")
    def _check_payment_path(self):
        for funding in self:
            if funding.envelope_id.payment_path != "city":
                raise ValidationError(
                    self.env._(
                        "Instalment “%(instalment)s”: the State pays the operators of envelope "
                        "“%(envelope)s” itself, the city receives nothing.",
                        instalment=funding.name,
                        envelope=funding.envelope_id.display_name,
                    )
                )

    def _get_frozen_fields(self):
        if self.state == "expected":
            return frozenset({"envelope_id"} if self._get_posted() else ())
        return frozenset({"envelope_id", "amount"})

    def _get_posted(self):
        """One entry of the ledger that comes from these instalments, if there is any."""
        return self.env["grant.entry"].search(
            [("origin_model", "=", self._name), ("origin_id", "in", self.ids)], limit=1
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_expected(self):
        self._check_state(("expected",), self.env._("Deleting an instalment"))
        if booked := self._get_booked():
            raise UserError(
                self.env._(
                    "Instalment “%(instalment)s” is in the ledger or in accounting and cannot be "
                    "deleted.",
                    instalment=booked[0].name,
                )
            )

    def _get_booked(self):
        """Those of these instalments that are somewhere in the books."""
        return self.browse(self._get_posted().origin_id)
