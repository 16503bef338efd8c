from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...lib import time_stamp


class ResCompany(models.Model):
    """Who stamps the heads of the city's ledger."""

    _inherit = "res.company"

    grant_stamp_url = fields.Char(
        string="Time Stamp Authority",
        groups="base.group_erp_manager",
        help="Address of an authority (RFC 3161) that stamps the heads of the ledger once a day, "
        "and those of each issued statement. Only a hash goes there.",
    )
    grant_stamp_certificate = fields.Text(
        string="Certificate of the Authority",
        groups="base.group_erp_manager",
        help="PEM: of who certifies the authority. Stamps of anybody else are refused.",
    )
    grant_stamp_failure = fields.Char(
        string="Last Failure", readonly=True, groups="base.group_erp_manager"
    )

    @api.constrains("grant_stamp_url", "grant_stamp_certificate")
    def _check_grant_stamp(self):
        for company in self:
            if not company.grant_stamp_url:
                continue
            parts = urlsplit(company.grant_stamp_url.strip())
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValidationError(
                    self.env._(
                        "“%(url)s” is no address of an authority: write https://…",
                        url=company.grant_stamp_url,
                    )
                )
            company._check_stamp_certificate()

    def _check_stamp_certificate(self):
        try:
            time_stamp.check_roots(self.grant_stamp_certificate or "")
        except time_stamp.StampError as error:
            raise ValidationError(
                self.env._(
                    "The certificate of the authority is to be written as PEM, from BEGIN to "
                    "END CERTIFICATE: without it nobody could tell whose stamps these are."
                )
            ) from error


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_stamp_url = fields.Char(related="company_id.grant_stamp_url", readonly=False)
    grant_stamp_certificate = fields.Text(
        related="company_id.grant_stamp_certificate", readonly=False
    )
    grant_stamp_failure = fields.Char(related="company_id.grant_stamp_failure")
