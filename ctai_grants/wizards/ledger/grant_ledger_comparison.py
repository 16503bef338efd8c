import tempfile

from odoo import fields, models
from odoo.exceptions import UserError

from ...lib.guard.received import decode


class GrantLedgerComparison(models.TransientModel):
    """Compares today's ledger with an older copy of it, for who has no command line: the command
    ``grants_verify --against`` does the same, and verifies all the rest."""

    _name = "grant.ledger.comparison"
    _description = "Compare with an Older Ledger"
    _inherit = ["grant.text.mixin"]

    file = fields.Binary(attachment=False)
    filename = fields.Char()
    told = fields.Text(readonly=True)
    is_different = fields.Boolean(readonly=True)

    def action_confirm(self):
        """Say whether the ledger still contains what the file says, or the first difference.

        :raise UserError: the file cannot be compared, naming line and field
        """
        self.ensure_one()
        if not self.file:
            raise UserError(self.env._("Choose the older ledger or the list of heads first."))
        filename = self.filename or self.env._("file")
        with tempfile.TemporaryFile() as stream:
            if not decode(self.file, stream):
                raise UserError(
                    self.env._("%s was not received whole: send it again.", filename)
                )
            difference, told = self.env["grant.entry"]._verify_against(stream, filename)
        # A head vouches for its chain only as far as the chain holds.
        wrong = [difference] if difference else self._get_broken_chains()
        self.write({"told": "\n".join(wrong) or told, "is_different": bool(wrong)})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Compare with an Older Ledger"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _get_broken_chains(self):
        envelopes = self.env["grant.envelope"].search([("entry_count", ">", 0)])
        return self.env["grant.entry"]._get_broken_chains(envelopes)
