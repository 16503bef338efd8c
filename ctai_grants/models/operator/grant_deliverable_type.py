from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...lib.proof.refusal import Refused
from ...lib.proof.upload import decode, judge


class GrantDeliverableType(models.Model):
    """A kind of piece may have a file of the city to fill in, beside the upload button."""

    _inherit = "grant.deliverable.type"

    form = fields.Binary(
        string="Form to Fill In",
        help="A file that operators download beside the upload button, fill in and hand in.",
    )
    form_name = fields.Char(string="Name of the Form")
    is_small = fields.Boolean(
        string="Small",
        help="Accepted together with others, even when a payment waits for it. Financial reports "
        "and bank details are looked at one by one in any case.",
    )

    @api.constrains("form", "form_name")
    def _check_form(self):
        for kind in self.filtered("form"):
            try:
                judge(kind.form_name or "", decode(kind.form))
            except Refused as refused:
                raise ValidationError(
                    self.env._(
                        "“%(file)s” cannot be handed out to be filled in: operators could not hand "
                        "it in. Take a PDF, .docx, .odt, .xlsx or .ods without macros.",
                        file=kind.form_name or "",
                    )
                ) from refused
