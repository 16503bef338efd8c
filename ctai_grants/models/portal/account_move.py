from odoo import api, models


class AccountMove(models.Model):
    """Orders and claims are the city's own papers. Odoo shows an invoice to its partner, logged in
    or with a link; ours leave that portal: rules in security/, the door of a page in
    ``controllers/portal.py``, and here what a link and a discussion would open."""

    _inherit = "account.move"

    def _is_of_grants(self):
        """Whether one of these comes from a grant document, or reverses one that does."""
        # sudo: asked by whoever knocks, also who may not read the move
        moves = self.sudo()
        return bool((moves | moves.reversed_entry_id).filtered("grant_origin_id"))

    def _portal_ensure_token(self):
        # Making a token writes on a posted entry, for who only looks at it.
        return False if self._is_of_grants() else super()._portal_ensure_token()

    def _get_share_url(self, redirect=False, signup_partner=False, pid=None, share_token=True):
        share_token = share_token and not self._is_of_grants()
        return super()._get_share_url(redirect, signup_partner, pid, share_token)

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        if self.env.user._is_internal() or not self._is_of_grants():
            return super()._mail_get_operation_for_mail_message_operation(message_operation)
        return dict.fromkeys(self, "write")

    @api.model
    def _get_thread_with_access(self, thread_id, *, mode="read", **kwargs):
        # As for a move that is not there.
        closed = not self.env.user._is_internal() and self.browse(thread_id)._is_of_grants()
        if closed:
            return self.browse()
        return super()._get_thread_with_access(thread_id, mode=mode, **kwargs)

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        """Add followers; to a move of ours the city's staff only: Odoo adds the partner itself."""
        if partner_ids and self._is_of_grants():
            # sudo: who has a login, and which, is not everybody's to read
            partners = self.env["res.partner"].sudo().browse(partner_ids)
            staff = partners.filtered(
                lambda partner: any(user._is_internal() for user in partner.user_ids)
            )
            partner_ids = staff.ids
            if not partner_ids:
                return True
        return super().message_subscribe(partner_ids, subtype_ids)
