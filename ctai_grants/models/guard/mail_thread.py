from odoo import api, models
from odoo.exceptions import AccessError


class MailThread(models.AbstractModel):
    """The gateway of incoming mail: a door for the mail server, not for everybody with a login."""

    _inherit = "mail.thread"

    @api.model
    def message_process(
        self, model, message, custom_values=None, save_original=False, strip_attachments=False,
        thread_id=None,
    ):  # fmt: skip
        """Take in a mail, as Odoo does: it makes records of any model, of values that the caller
        chooses, with all rights and in the name of whom the mail says it is from.

        :raise AccessError: neither Odoo fetches it nor an administrator brings it (odoo-mailgate)
        """
        if not self.env.su and not self.env.user.has_group("base.group_system"):
            raise AccessError(
                self.env._(
                    "Incoming mail is brought in by the mail server, under the login of an "
                    "administrator. Write on the document itself instead."
                )
            )
        return super().message_process(
            model, message, custom_values, save_original, strip_attachments, thread_id
        )
