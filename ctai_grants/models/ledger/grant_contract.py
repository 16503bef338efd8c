from odoo import api, fields, models
from odoo.exceptions import UserError

from .grant_envelope import STATES


class GrantContract(models.Model):
    """A contract by which the State entrusts money to the city, as the ledger knows it."""

    _name = "grant.contract"
    _description = "Grant Contract"
    _inherit = ["grant.document.mixin", "grant.source.mixin"]
    _order = "date_start desc, code"
    _rec_names_search = ["name", "code"]
    _check_company_auto = True

    _entry_kinds = ("allocation",)
    _entry_name = "code"

    name = fields.Char(required=True, tracking=True, portal=True)
    code = fields.Char(required=True, copy=False, portal=True)
    active = fields.Boolean(default=True, portal=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, ondelete="restrict",
        portal=True,
    )  # fmt: skip
    currency_id = fields.Many2one(related="company_id.currency_id", store=True, portal=True)
    date_start = fields.Date(string="Start", copy=False, amendable=True, portal=True)
    date_end = fields.Date(string="End", copy=False, amendable=True, portal=True)
    force_date = fields.Date(string="In Force Since", readonly=True, copy=False)
    state = fields.Selection(
        STATES, required=True, default="draft", readonly=True, copy=False, tracking=True,
        index=True, portal=True,
    )  # fmt: skip
    envelope_ids = fields.One2many(
        "grant.envelope", "contract_id", string="Envelopes", copy=True, portal=True
    )

    _code_uniq = models.UniqueIndex(
        "(company_id, code)", "There is already a contract with this code."
    )
    _period = models.Constraint(
        "CHECK (date_end >= date_start)", "A contract cannot end before it starts."
    )

    @api.depends("name", "code")
    def _compute_display_name(self):
        for contract in self:
            contract.display_name = " – ".join(filter(None, (contract.code, contract.name)))

    def _is_amendable(self):
        return self.state == "in_force"

    def _get_frozen_fields(self):
        if self.state == "draft":
            # Set back to draft, its entries stay, and name its company.
            in_ledger = any(self.envelope_ids.mapped("entry_count"))
            return frozenset({"active", "company_id"} if in_ledger else ())
        return frozenset({"active", "code", "company_id"})

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        for contract in self:
            if contract.state != "draft" or contract.envelope_ids.entry_ids:
                raise UserError(
                    self.env._(
                        "%(contract)s has a ledger and cannot be deleted.",
                        contract=contract.display_name,
                    )
                )
        # The envelopes of a draft go along; left to the database, its foreign key refuses.
        self.envelope_ids.unlink()
