import tempfile

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...lib.guard.received import decode

CHUNK = 1 << 20
# What is uploaded is in the server's memory, several times over.
LARGEST = 32 * CHUNK


class GrantRegisterUpload(models.TransientModel):
    """Takes a public extract of Sirene or the RNA. Those of the whole country are longer than a
    browser sends: the command ``grants_register`` reads them from a file."""

    _name = "grant.register.upload"
    _description = "Compare with a Public Register"
    _inherit = ["grant.text.mixin"]

    file = fields.Binary(attachment=False)
    filename = fields.Char()

    @api.constrains("file")
    def _check_size(self):
        """Refuse what does not belong in the memory of a server that others work with.

        :raise UserError: naming the file and the command that reads it
        """
        for upload in self:
            # In base64: four characters for three bytes.
            size = len(upload.with_context(bin_size=False).file or b"") * 3 // 4
            if size > LARGEST:
                raise UserError(
                    self.env._(
                        "%(file)s has %(size)s MB, and this window takes %(largest)s MB at most. "
                        "Zip it, take the extract of your département, or have it read on the "
                        "server: odoo grants_register -d %(database)s FILE",
                        file=upload.filename or self.env._("The file"),
                        size=-(-size // CHUNK),
                        largest=LARGEST // CHUNK,
                        database=self.env.cr.dbname,
                    )
                )

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
