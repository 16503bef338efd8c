from odoo import api, models


class GrantReminder(models.Model):
    """The mail about a message of the city, as those about pieces."""

    _inherit = "grant.reminder"

    @api.model
    def _tell_message(self, message):
        """Write to who acts for the operator that the city has written.

        :param message: in sudo
        """
        self._send(self._address(message, self._write_message))

    @api.model
    def _write_message(self, message):
        about = {"code": message.subsidy_id.code}
        title = message.env._("a message about your subsidy %(code)s", **about)
        intro = message.env._("%(city)s has written to %(operator)s:")
        return title, "operator_mail_message", {"intro": intro}

    @api.model
    def _get_items(self, documents):
        if documents._name != "grant.message":
            return super()._get_items(documents)
        subsidy = documents.subsidy_id
        return [
            {
                "name": subsidy.name,
                "subsidy": f"{subsidy.code} · {documents.author}",
                "text": documents.text,
                "url": f"{subsidy.get_base_url()}/my/subsidies/{subsidy.id}/messages",
            }
        ]
