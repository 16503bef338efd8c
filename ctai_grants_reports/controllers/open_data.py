from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import content_disposition, request

from ..lib.open_data import template


class GrantOpenData(http.Controller):
    """Templates of the files of awards."""

    @http.route(
        "/grants/open_data/template.<string:ending>", type="http", auth="user", readonly=True
    )
    def download_template(self, ending, **kw):
        """Download an empty file of awards, for who may import one."""
        if ending not in template.MAKERS or not request.env.user.has_group(
            "ctai_grants.group_coordinator"
        ):
            raise NotFound()
        make, mimetype = template.MAKERS[ending]
        content = make()
        return request.make_response(
            content,
            [
                ("Content-Type", mimetype),
                ("Content-Length", len(content)),
                ("Content-Disposition", content_disposition(f"modele_attributions.{ending}")),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
