from odoo import api, fields, models


class GrantEntry(models.Model):
    _inherit = "grant.entry"

    grant_body = fields.Char(related="partner_id.grant_body")

    @api.model
    def _begin_making(self, vals_list):
        """Queue for the envelopes of the signed subsidies on which records are about to be made,
        as :meth:`_begin_posting`: for what counts besides what is posted.

        :param list vals_list: of ``create``, with their ``subsidy_id``
        """
        named = self.env.context.get("default_subsidy_id")
        ids = {vals.get("subsidy_id", named) for vals in vals_list}
        # sudo: whether they may be made, and on what, is said when they are
        subsidies = self.env["grant.subsidy"].sudo().browse(ids - {None, False}).exists()
        signed = subsidies.filtered(lambda subsidy: subsidy.state == "signed")
        self._begin_posting(signed.envelope_id)
