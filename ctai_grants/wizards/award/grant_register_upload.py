import tempfile

from odoo import fields, models
from odoo.exceptions import UserError

from ...lib.guard.received import decode


class GrantRegisterUpload(models.TransientModel):
    """Takes a public extract of Sirene or the RNA. Those of the whole country are longer than a
    browser sends: the command ``grants_register`` reads them from a file."""

    _name = "grant.register.upload"
    _description = "Compare with a Public Register"

    file = fields.Binary(attachment=False)
    filename = fields.Char()

    def action_confirm(self):
        """Compare the organisations with the file; see :meth:`grant.register._import` for what it
        refuses."""
        self.ensure_one()
        if not self.file:
            raise UserError(self.env._("Choose the file of the register first."))
        filename = self.filename or self.env._("file")
        with tempfile.TemporaryFile() as stream:
            if not decode(self.file, stream):
                message = self.env._("%s was not received whole: send it again.", filename)
                raise UserError(message)
            counts = self.env["grant.register"]._import(stream, filename)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Found in the Register: %s", sum(counts.values())),
            "res_model": "grant.register.answer",
            "views": [(False, "list")],
            "domain": [("date", "=", self.env.company._grant_today())],
        }
