import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import email_normalize, format_date


class ResCompany(models.Model):
    """To whom the heads of the city's ledger are mailed, and what is to be said about that."""

    _inherit = "res.company"

    # Who keeps copies of the ledger is not for everybody who sees the company.
    grant_heads_mail = fields.Char(
        string="Mail Addresses",
        compute="_compute_grant_heads_mail",
        inverse="_inverse_grant_heads_mail",
        groups="base.group_erp_manager",
        help="Separated by commas. Who is taken out is told so by a last mail.",
    )
    grant_heads_notice = fields.Text(
        compute="_compute_grant_heads_mail", groups="base.group_erp_manager"
    )

    def _get_heads_receivers(self, kinds=("file", "mail")):
        # sudo: who sets the addresses has no right on receivers, which nobody writes directly
        return self.env["grant.heads.receiver"].sudo().search(
            [("company_id", "in", self.ids), ("kind", "in", kinds), ("until", "=", False)],
            order="id",
        )  # fmt: skip

    def _compute_grant_heads_mail(self):
        for company in self:
            receivers = company._get_heads_receivers()
            mailed = receivers.filtered(lambda receiver: receiver.kind == "mail")
            company.grant_heads_mail = ", ".join(mailed.mapped("address"))
            company.grant_heads_notice = company._get_heads_notice(receivers)

    def _inverse_grant_heads_mail(self):
        for company in self:
            company._set_heads_addresses(company._split_addresses(company.grant_heads_mail))

    def _set_heads_addresses(self, wanted):
        receivers = self._get_heads_receivers(kinds=("mail",))
        gone = receivers.filtered(lambda receiver: receiver.address not in wanted)
        new = [address for address in wanted if address not in receivers.mapped("address")]
        gone._end()
        for address in new:
            receivers._add(self, "mail", address)
        if gone or new:
            # sudo: who may set the addresses may have them told at once
            self.env.ref("ctai_grants.ir_cron_send_heads").sudo()._trigger()

    @api.model
    def _split_addresses(self, text):
        """Mail addresses, as they are written in the settings.

        :raise ValidationError: naming what is none
        """
        addresses = []
        for part in filter(None, re.split(r"[,;\s]+", text or "")):
            address = email_normalize(part)
            if not address or part.count("@") > 1:
                raise ValidationError(
                    self.env._(
                        "“%(text)s” is no mail address. Write addresses alone, without names, "
                        "separated by commas.",
                        text=part,
                    )
                )
            addresses.append(address)
        return list(dict.fromkeys(addresses))

    def _get_heads_notice(self, receivers):
        """What is wrong with the daily heads of this company; False: nothing."""
        if not receivers:
            return self.env._(
                "The heads of this ledger leave to nobody: who owns the database could rewrite it, "
                "and only the statements that were sent would tell."
            )
        sentences = [
            self.env._(
                "%(address)s: nothing has left since %(date)s. %(failure)s",
                address=receiver.address,
                date=format_date(self.env, receiver.sent_day or receiver.since.date()),
                failure=receiver.failure or self.env._("Its scheduled action does not run."),
            )
            for receiver in receivers
            if receiver.is_late or receiver.failure
        ]
        return "\n".join(sentences) or False
