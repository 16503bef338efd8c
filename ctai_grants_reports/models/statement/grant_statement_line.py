from odoo import api, fields, models

from odoo.addons.ctai_grants.lib.guard.money import euros

#: Figures of a line: name of the field, flow of the ledger.
FLOWS = {
    "allocated": "allocation",
    "committed": "commitment",
    "paid": "payment",
    "justified": "justification",
    "received": "receipt",
    "recovered": "recovery",
}
FIGURES = ("granted", *FLOWS)
#: What names a line, in every statement.
KEY = ("envelope_id", "subsidy_id", "action_id")
#: What else a line says, in words.
WORDS = ("name", "siret", "state_label")


class GrantStatementLine(models.Model):
    """A line of an issued statement: an envelope, a subsidy or one of its actions, with its figures
    and what it was called."""

    _name = "grant.statement.line"
    _description = "Line of a Statement"
    _inherit = ["grant.append.only.mixin"]
    _order = "statement_id, position"
    _log_access = False

    statement_id = fields.Many2one(
        "grant.statement", required=True, readonly=True, ondelete="restrict", index=True
    )
    position = fields.Integer(required=True, readonly=True, aggregator=None)
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    currency_id = fields.Many2one("res.currency", required=True, readonly=True, ondelete="restrict")
    envelope_id = fields.Many2one(
        "grant.envelope", required=True, readonly=True, ondelete="restrict"
    )
    subsidy_id = fields.Many2one("grant.subsidy", readonly=True, ondelete="restrict", index=True)
    # Gone with a subsidy that was never signed: its name stays.
    action_id = fields.Many2one("grant.action", readonly=True, ondelete="restrict")
    name = fields.Char(required=True, readonly=True, help="As it was called at the date.")
    label = fields.Char(string="Object", readonly=True)
    siret = fields.Char(string="SIRET", readonly=True)
    state = fields.Char(string="State (code)", readonly=True)
    state_label = fields.Char(string="State", readonly=True)
    payment_path = fields.Char(string="Paid By", readonly=True)
    granted = fields.Monetary(readonly=True)
    allocated = fields.Monetary(readonly=True)
    committed = fields.Monetary(readonly=True)
    paid = fields.Monetary(readonly=True)
    justified = fields.Monetary(readonly=True)
    received = fields.Monetary(readonly=True)
    recovered = fields.Monetary(readonly=True)
    entry_count = fields.Integer(
        string="Entries", readonly=True, aggregator=None, help="Of the envelope's chain, then."
    )
    chain_head = fields.Char(readonly=True)

    _position_uniq = models.UniqueIndex(
        "(statement_id, position)", "Two lines of a statement cannot have the same place."
    )

    @api.model
    def _get_chained_fields(self):
        return ["statement_id"]

    def action_view_entries(self):
        """Open the entries of the ledger behind this line, up to the date of its statement."""
        self.ensure_one()
        source = ("subsidy_id", "=", self.subsidy_id.id)
        if not self.subsidy_id:
            source = ("envelope_id", "=", self.envelope_id.id)
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_entry_action")
        domain = [source, ("date", "<=", self.statement_id.as_at)]
        return {**action, "domain": domain, "context": {}}

    def _get_values(self):
        """What these lines say, as :meth:`grant.statement._get_live_lines` says it: list of
        dicts."""
        return [
            {
                **{name: line[name].id for name in KEY},
                **{name: line[name] or "" for name in (*WORDS, "label", "state", "payment_path")},
                **{name: euros(line[name]) for name in FIGURES},
                "entry_count": line.entry_count,
                "chain_head": line.chain_head or "",
            }
            for line in self
        ]
