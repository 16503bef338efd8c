from odoo import models


class GrantPdfMixin(models.AbstractModel):
    """The city's name is that of the document's day."""

    _inherit = "grant.pdf.mixin"

    def _get_page_data(self, company, data):
        page, pictures = super()._get_page_data(company, data)
        # sudo: its own name, as of that day
        city = company.sudo().partner_id._get_identity(data["date"]) if company else company
        return {**page, "city": city.name or ""}, pictures
