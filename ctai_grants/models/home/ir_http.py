from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Who works with grants begins the day on *Today*, unless they chose another home."""
        info = super().session_info()
        if not info.get("home_action_id") and self.env.user.has_group("ctai_grants.group_reader"):
            today = self.env.ref("ctai_grants.grant_today_action", raise_if_not_found=False)
            info["home_action_id"] = today and today.id
        return info
