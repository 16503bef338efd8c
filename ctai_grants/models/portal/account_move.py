from odoo import models


class AccountMove(models.Model):
    """Orders and claims are the city's own papers. Odoo shows an invoice to its partner, logged in
    or with a link; ours leave that portal: rules in security/, the door of a page in
    ``controllers/portal.py``, what a discussion would open by the mixin, a link here."""

    _name = "account.move"
    # The mixin first: it goes before what Odoo's invoices say of their discussion.
    _inherit = ["grant.staff.thread.mixin", "account.move"]

    def _is_among_staff(self):
        return self._is_of_grants()

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
