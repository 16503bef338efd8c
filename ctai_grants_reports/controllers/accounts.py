from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import AccessError
from odoo.http import content_disposition, request


class GrantAccounts(http.Controller):
    """Files of the annex, the certified accounts, the end of the year and the cash plan, for the
    staff of the city."""

    @http.route("/grants/accounts/<int:wizard_id>", type="http", auth="user", readonly=True)
    def download_accounts(self, wizard_id, **kw):
        """Download the file that a window asks for, made of what its reader may read."""
        try:
            wizard = request.env["grant.accounts.wizard"].browse(wizard_id).exists()
            if not wizard:
                raise NotFound()
            wizard.check_access("read")
            content, name, mimetype = wizard._make()
        except AccessError as error:
            raise NotFound() from error
        return request.make_response(
            content,
            headers=[
                ("Content-Type", mimetype),
                ("Content-Length", len(content)),
                ("Content-Disposition", content_disposition(name)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Security-Policy", "default-src 'none'"),
                ("Cache-Control", "no-store"),
            ],
        )
