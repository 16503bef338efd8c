from odoo import api, models


class GrantSpreadsheetMixin(models.AbstractModel):
    """Says why a spreadsheet cannot be read (:mod:`ctai_grants.lib.accounting.spreadsheet`)."""

    _name = "grant.spreadsheet.mixin"
    _description = "Reader of Spreadsheets"

    @api.model
    def _get_file_message(self, code, about):
        """Why a file cannot be read, in a sentence."""
        match code:
            case "empty":
                return self.env._("The file is empty.")
            case "not_a_spreadsheet":
                return self.env._(
                    "This is no spreadsheet without macros: an ODS, XLSX or CSV file is expected. "
                    "Open it and save it as one of them."
                )
            case "damaged":
                return self.env._("The file is damaged, or protected by a password.")
            case "too_large":
                return self.env._("The file is too large: cut it by period.")
            case "quotes":
                return self.env._(
                    "Line %(line)s: a quotation mark is not closed, or stands where it should not.",
                    line=about["line"],
                )
            case "double_column":
                return self.env._(
                    "The column “%(column)s” is there twice: delete the one that is not the "
                    "treasury's.",
                    column=about["column"],
                )
            case "two_kinds":
                return self.env._(
                    "The file has sheets of the treasury and of the State: import them apart."
                )
            case "no_rows":
                return self.env._("The file has headings, and no payment below them.")
        return self._get_columns_message(about)

    @api.model
    def _get_columns_message(self, about):
        """Which columns were looked for and not found: a reader that asks for them says so."""
        raise NotImplementedError
