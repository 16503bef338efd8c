from odoo import api, models
from odoo.exceptions import UserError


class GrantStaffThreadMixin(models.AbstractModel):
    """A discussion of the city's staff among themselves.

    Reading a document would let its portal users read, by RPC, what was logged or written on it,
    and who follows it. They see what their pages show, and no message (R7); a link of a mail
    opens the page, after a login.
    """

    _name = "grant.staff.thread.mixin"
    _description = "Discussion among Staff"
    _inherit = ["mail.thread"]

    def _is_among_staff(self):
        """Whether one of these is discussed by the city's staff alone."""
        return True

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        if self.env.user._is_internal() or not self._is_among_staff():
            return super()._mail_get_operation_for_mail_message_operation(message_operation)
        # Which nobody of the portal may do: no message is read or posted there.
        return dict.fromkeys(self, "write")

    @api.model
    def _get_thread_with_access(self, thread_id, *, mode="read", **kwargs):
        if not self.env.user._is_internal() and self.browse(thread_id)._is_among_staff():
            # As for a document that is not there.
            return self.browse()
        return super()._get_thread_with_access(thread_id, mode=mode, **kwargs)

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        """Add followers, of the staff only: Odoo adds the partner of an invoice itself, and who
        follows gets what is written by mail. Unlike elsewhere, who may only read cannot follow.

        :raise AccessError: the user is of the portal, and may not write on the document
        """
        if not self._is_among_staff():
            return super().message_subscribe(partner_ids, subtype_ids)
        if not self.env.user._is_internal():
            self.check_access("write")
        # sudo: who has a login, and which, is not everybody's to read
        partners = self.env["res.partner"].sudo().browse(partner_ids or ())
        staff = partners.filtered(
            lambda partner: any(user._is_internal() for user in partner.user_ids)
        )
        return super().message_subscribe(staff.ids, subtype_ids) if staff else True


class GrantThreadMixin(models.AbstractModel):
    """A document that the city's staff discuss among themselves."""

    _name = "grant.thread.mixin"
    _description = "Discussion of a Grant Document"
    _inherit = ["grant.staff.thread.mixin"]

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Refuse a mail that would make a document: by an alias it comes from anybody, and is
        written with all rights.

        :raise UserError: always
        """
        raise UserError(
            self.env._(
                "%(model)s: none is made by a mail. Enter it in Odoo, and answer there.",
                # sudo: the name only
                model=self.env["ir.model"]._get(self._name).sudo().name,
            )
        )

    def _creation_message(self):
        # Odoo's own agrees with no French feminine: "Subvention créé".
        return self.env._("Document created")
