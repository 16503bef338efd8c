from odoo import models

#: What a mail's state makes of the letter that it carries.
FOLLOWED = {
    "outgoing": "outgoing", "sent": "sent", "received": "sent", "cancel": "cancelled"
}  # fmt: skip


class MailMail(models.Model):
    """A letter says what became of its mail."""

    _inherit = "mail.mail"

    def write(self, vals):
        result = super().write(vals)
        # Odoo writes an exception before it tries: what failed is told below.
        if vals.get("state") in FOLLOWED:
            self._get_letters()._follow_mail(FOLLOWED[vals["state"]])
        return result

    def _postprocess_sent_message(self, *args, **kwargs):
        failed = self.filtered(lambda mail: mail.state == "exception")
        failed._get_letters()._follow_mail("failed")
        return super()._postprocess_sent_message(*args, **kwargs)

    def _get_letters(self):
        # sudo: whoever sends mails, the letters tell of theirs
        return self.env["grant.letter"].sudo().search([("mail_id", "in", self.ids)])
