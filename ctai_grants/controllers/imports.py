from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import AccessError
from odoo.http import request

from ..models.home.grant_import_template import COLUMNS


class Imports(http.Controller):
    """What the import screens offer to fill in."""

    @http.route(
        "/grants/import/<string:model>.csv", type="http", auth="user", methods=["GET"],
        readonly=True,
    )  # fmt: skip
    def download_import_template(self, model, **kw):
        """The file of a model, in the user's language, for who makes such documents."""
        if model not in COLUMNS or not request.env.user._is_internal():
            raise NotFound()
        try:
            name, content = request.env["grant.import.template"]._make(model)
        except AccessError as error:
            raise NotFound() from error
        return request.make_response(
            content,
            headers=[
                ("Content-Type", "text/csv; charset=utf-8"),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Disposition", http.content_disposition(name)),
            ],
        )
