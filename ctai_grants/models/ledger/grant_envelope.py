import re

from odoo import api, fields, models
from odoo.tools import SQL

from ...lib.ledger.chain import GENESIS

# How an envelope is shown: contract, code and name.
SHOWN = re.compile(r"(.+)/(.+?) – (.+)")
# What does not tell two codes apart, as the index below has it: PostgreSQL knows neither no-break
# spaces nor those without a width as spaces.
BLANKS = r"[\s\u00a0\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]"
STATES = [("draft", "Draft"), ("in_force", "In Force"), ("closed", "Closed")]


def compare_code(code):
    """A code as it is compared with others of its contract."""
    return re.sub(BLANKS, "", code or "").lower()


class GrantEnvelope(models.Model):
    """An amount of a contract for an audience, and the head of one chain of the ledger."""

    _name = "grant.envelope"
    _description = "Grant Envelope"
    _inherit = ["grant.document.mixin", "grant.counted.mixin"]
    _order = "contract_id, sequence, id"
    _rec_names_search = ["name", "code", "contract_id.code"]
    _check_company_auto = True
    _entry_key = "envelope_id"
    _room_signs = {"allocation": 1, "commitment": -1}

    name = fields.Char(required=True, portal=True)
    code = fields.Char(required=True, portal=True)
    sequence = fields.Integer(default=10, portal=True)
    contract_id = fields.Many2one(
        "grant.contract", required=True, ondelete="restrict", index=True, check_company=True,
        portal=True,
    )  # fmt: skip
    company_id = fields.Many2one(related="contract_id.company_id", store=True, portal=True)
    currency_id = fields.Many2one(related="company_id.currency_id", store=True, portal=True)
    state = fields.Selection(
        STATES, required=True, default="draft", readonly=True, copy=False, index=True, portal=True
    )
    allocated_amount = fields.Monetary(
        string="Allocated", required=True, default=0.0, readonly=True, copy=False, portal=True,
        counts="allocation",
    )  # fmt: skip
    received_amount = fields.Monetary(
        string="Received", required=True, default=0.0, readonly=True, copy=False, portal=True,
        counts="receipt",
    )  # fmt: skip
    entry_count = fields.Integer(
        string="Entries", required=True, default=0, readonly=True, copy=False, aggregator=None,
        counts="entries",
    )  # fmt: skip
    chain_head = fields.Char(
        required=True, default=GENESIS, readonly=True, copy=False, counts="entries",
        help="Hash of the last ledger entry of this envelope.",
    )  # fmt: skip
    available_amount = fields.Monetary(
        string="Available", compute="_compute_available_amount", portal=True
    )
    # Unlike a subsidy's, whose operator reads its own.
    unjustified_amount = fields.Monetary(portal=True)
    entry_ids = fields.One2many("grant.entry", "envelope_id", string="Ledger")

    _code_uniq = models.UniqueIndex(
        f"(contract_id, lower(regexp_replace(code, '{BLANKS}', '', 'g')))",
        "Two envelopes of a contract cannot have the same code: they differ by more than spaces "
        "and capitals.",
    )
    _committed_within_allocated = models.Constraint(
        "CHECK (committed_amount <= allocated_amount)",
        "The commitments of an envelope cannot exceed its allocations.",
    )
    _counters_positive = models.Constraint(
        "CHECK (allocated_amount >= 0 AND received_amount >= 0 AND committed_amount >= 0 "
        "AND paid_amount >= 0 AND justified_amount >= 0 AND recovered_amount >= 0)",
        "The totals of an envelope cannot be negative.",
    )

    @api.depends("name", "code", "contract_id.code")
    def _compute_display_name(self):
        # With its contract: each year's contract has an envelope A.
        for envelope in self:
            reference = "/".join(filter(None, (envelope.contract_id.code, envelope.code)))
            envelope.display_name = " – ".join(filter(None, (reference, envelope.name)))

    @api.model
    def _search_display_name(self, operator, value):
        """Also as it is shown, which is how lists export it: “CTAI-2021/A – Name”."""
        domain = super()._search_display_name(operator, value)
        if operator not in ("=", "in", "ilike"):
            return domain
        texts = [value] if isinstance(value, str) else value or ()
        for shown in filter(None, (SHOWN.fullmatch(text) for text in texts if text)):
            contract, code, name = shown.groups()
            domain |= (
                fields.Domain("contract_id.code", "=", contract)
                & fields.Domain("code", "=", code) & fields.Domain("name", "=", name)
            )  # fmt: skip
        return domain

    @api.depends("allocated_amount", "committed_amount")
    def _compute_available_amount(self):
        for envelope in self:
            envelope.available_amount = envelope.allocated_amount - envelope.committed_amount

    def _get_frozen_fields(self):
        # Set back to draft, its entries stay, and name its contract.
        if self.state == "draft":
            return frozenset({"contract_id"} if self.entry_count else ())
        return frozenset({"contract_id", "code"})

    def _touch(self):
        """Show these envelopes to the transactions that run beside ours.

        For what moves no counter and must be seen: who decides at the same time about the same
        envelope would not see it. Its transaction fails on the row, and Odoo tries it again.
        """
        if self:
            self.env.flush_all()
            # The same value, and a new version of the row all the same: what the others fail on.
            self.env.execute_query(
                SQL(
                    "UPDATE grant_envelope SET write_date = write_date WHERE id IN %s RETURNING id",
                    tuple(self.ids),
                )
            )

    def action_view_entries(self):
        """Open the ledger of these envelopes, limited to the kind given in the context."""
        return self.env["grant.entry"]._get_action([("envelope_id", "in", self.ids)])
