from odoo import models

#: What a mail's state makes of the letter that it carries.
FOLLOWED = {
    "outgoing": "outgoing", "sent": "sent", "received": "sent", "exception": "failed",
    "cancel": "cancelled",
}  # fmt: skip


class MailMail(models.Model):
    """A letter says what became of its mail."""

    _inherit = "mail.mail"

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state") in FOLLOWED:
            # sudo: whoever sends mails, the letters tell of theirs
            letters = self.env["grant.letter"].sudo().search([("mail_id", "in", self.ids)])
            letters._follow_mail(FOLLOWED[vals["state"]])
        return result
