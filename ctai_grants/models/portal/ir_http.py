from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _get_translation_frontend_modules_name(cls):
        """Send the add-on's translations to portal pages too: the upload form speaks there."""
        return [*super()._get_translation_frontend_modules_name(), "ctai_grants"]
