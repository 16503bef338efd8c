from odoo import fields, models

from odoo.addons.ctai_grants.lib.proof.upload import decode


class GrantPublicationReport(models.TransientModel):
    """Takes what an aggregator or a validator reports of a publication."""

    _name = "grant.publication.report"
    _description = "Report of an Aggregator"
    _inherit = ["grant.text.mixin"]

    publication_id = fields.Many2one("grant.publication", required=True, readonly=True)
    file = fields.Binary(attachment=False)
    filename = fields.Char()
    others_taken = fields.Boolean(
        string="The Other Lines Were Taken",
        help="A report of errors names those that were refused, and nothing of the others.",
    )

    def action_confirm(self):
        """Record what the report says; see :meth:`grant.publication._read_report`."""
        self.ensure_one()
        self.publication_id._read_report(self.filename, decode(self.file), self.others_taken)
        return self.publication_id.action_view_lines()
