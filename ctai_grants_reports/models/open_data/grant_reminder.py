from odoo import api, models


class GrantReminder(models.Model):
    """The task to publish: of what is not published yet."""

    _inherit = "grant.reminder"

    @api.model
    def _get_publications(self, company, soon):
        due = super()._get_publications(company, soon)
        return due - self.env["grant.publication.line"]._get_published(due)
