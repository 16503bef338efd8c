from odoo import api, fields, models

FINDINGS = [
    ("same", "As Entered"),
    ("closed", "Closed"),
    ("moved", "Moved"),
    ("renamed", "Renamed"),
]


class GrantRegisterAnswer(models.Model):
    """What a public register said of an organisation, on a day: kept, and written by the check
    alone."""

    _name = "grant.register.answer"
    _description = "Answer of a Public Register"
    _order = "date desc, id desc"
    _rec_name = "key"

    partner_id = fields.Many2one(
        "res.partner", string="Organisation", required=True, readonly=True, ondelete="cascade",
        index=True,
    )  # fmt: skip
    date = fields.Date(string="Checked On", required=True, readonly=True)
    register = fields.Selection([("sirene", "Sirene"), ("rna", "RNA")], readonly=True)
    key = fields.Char(string="Number", readonly=True)
    finding = fields.Selection(FINDINGS, readonly=True)
    closed_on = fields.Date(readonly=True)
    name = fields.Char(readonly=True)
    siret = fields.Char(string="Head Office", readonly=True)
    street = fields.Char(readonly=True)
    zip = fields.Char(string="ZIP", readonly=True)
    city = fields.Char(readonly=True)
    source = fields.Char(readonly=True, help="File and line, or service, that the answer is from.")

    @api.model
    def _is_new(self, partner, vals):
        """Whether this answer differs from the last one of the same register about that number."""
        last = self.search(
            [("partner_id", "=", partner.id), ("key", "=", vals["key"])], limit=1
        )  # fmt: skip
        told = ("finding", "closed_on", "name", "siret", "street", "zip", "city")
        return not last or any((last[name] or "") != (vals[name] or "") for name in told)
