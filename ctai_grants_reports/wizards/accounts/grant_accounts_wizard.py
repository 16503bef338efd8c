from odoo import api, fields, models


class GrantAccountsWizard(models.TransientModel):
    """Asks which file for the accounts, and of which year."""

    _name = "grant.accounts.wizard"
    _description = "Files for the Accounts"

    what = fields.Selection(
        [
            ("annex", "Annex of the accounts"),
            ("certified", "Certified accounts"),
            ("year_end", "End of the year"),
            ("cash", "Cash plan"),
        ],
        string="Document",
        required=True,
        default="annex",
    )
    company_id = fields.Many2one(
        "res.company", string="City", required=True, default=lambda self: self.env.company
    )
    year = fields.Integer(
        string="Budget Year", default=lambda self: self.env.company._grant_today().year - 1
    )
    contract_id = fields.Many2one(
        "grant.contract", domain="[('company_id', '=', company_id)]", help="Empty: all of them."
    )
    file_format = fields.Selection(
        [("xlsx", "Workbook (XLSX)"), ("pdf", "PDF")], required=True, default="xlsx"
    )

    @api.private
    def _make(self):
        """The file, its name and media type; see :meth:`grant.accounts.data._make`."""
        self.ensure_one()
        # Whose company it is may have been written since: only one that the user works for.
        self.company_id.check_access("read")
        self.contract_id.check_access("read")
        return self.env["grant.accounts.data"]._make(
            self.what,
            self.company_id,
            None if self.what == "cash" else self.year,
            self.contract_id,
            self.file_format,
        )

    def action_download(self):
        """Make the file and download it.

        :raise UserError: the year has not begun
        """
        self.ensure_one()
        # Here, for its refusal to be read in the window.
        self.env["grant.accounts.data"]._check_year(self.what, self.company_id, self.year)
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/accounts/{self.id}",
            "target": "download",
        }
