from odoo import api, fields, models
from odoo.exceptions import ValidationError


class GrantStatementWizard(models.TransientModel):
    """Asks as at which date, and in which format."""

    _name = "grant.statement.wizard"
    _description = "Make a Statement"

    contract_id = fields.Many2one("grant.contract", required=True, readonly=True)
    as_at = fields.Date(
        required=True,
        compute="_compute_as_at",
        # Not in sudo, as stored fields are computed: only of what the user may read.
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
        help="Ledger entries count up to this accounting date.",
    )
    file_format = fields.Selection(
        [("xlsx", "Workbook (XLSX)"), ("csv", "CSV files, with the ledger to verify (ZIP)")],
        required=True,
        default="xlsx",
    )

    @api.depends("contract_id")
    def _compute_as_at(self):
        for wizard in self:
            # The day of the city whose document it is, whichever one works for now.
            wizard.as_at = wizard.contract_id.company_id._grant_today()

    @api.constrains("as_at")
    def _check_as_at(self):
        for wizard in self:
            data = self.env["grant.statement.data"]
            if refusal := data._get_date_refusal(wizard.contract_id, wizard.as_at):
                raise ValidationError(refusal)

    def action_download(self):
        """Download the statement; see :meth:`grant.statement.data._make` for what it refuses."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/contracts/{self.contract_id.id}/statement"
            f"?as_at={self.as_at}&file_format={self.file_format}",
            "target": "download",
        }
