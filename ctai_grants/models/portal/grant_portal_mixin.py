from odoo import fields, models


class GrantPortalMixin(models.AbstractModel):
    """A document with a page on the portal. The page takes a login: no link to it carries the
    token that Odoo would share, and no user of the portal reads it (R7)."""

    _name = "grant.portal.mixin"
    _description = "Portal Page of a Grant Document"
    _inherit = ["portal.mixin", "grant.disclosed.mixin"]

    access_url = fields.Char(portal=True)

    def _portal_ensure_token(self):
        # Nor is one made: that writes on the document, for who only looks at it.
        return False

    def _get_share_url(self, redirect=False, signup_partner=False, pid=None, share_token=True):
        return super()._get_share_url(redirect, signup_partner, pid, share_token=False)
