from odoo import Command, api, models


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        users._sync_grant_portal_groups()
        return users

    def write(self, vals):
        portal = self.env.ref("base.group_portal")
        commands = vals.get("group_ids") or []
        if any(command[:2] == (Command.UNLINK, portal.id) for command in map(tuple, commands)):
            # The groups of the portal imply it: who leaves it leaves them.
            groups = self._get_grant_portal_groups().values()
            vals = {**vals, "group_ids": [*commands, *(Command.unlink(g.id) for g in groups)]}
        result = super().write(vals)
        if vals.keys() & {"group_ids", "partner_id"}:
            self._sync_grant_portal_groups()
        return result

    @api.model
    def _get_grant_portal_groups(self):
        """The group of the portal for each role of an organisation (``grant_role``)."""
        return {
            role: self.env.ref(f"ctai_grants.group_portal_{role}")
            for role in ("operator", "prefecture")
        }

    def _sync_grant_portal_groups(self):
        """Put portal users in the group that their organisation's role says, and in no other.

        Whoever made them, and however: by the portal's wizard, by signing up, in the settings.
        """
        groups = self._get_grant_portal_groups()
        # sudo: who may make a portal user, or say what an organisation is, decides what it sees
        for user in self.sudo().filtered(lambda user: user._is_portal()):
            role = user.commercial_partner_id.grant_role
            wanted = groups.get(role, self.env["res.groups"])
            unwanted = user.group_ids.filtered(
                lambda group, wanted=wanted: group in groups.values() and group != wanted
            )
            if unwanted or wanted - user.group_ids:
                # One of the groups taken away may be all that made a portal user of them.
                kept = self.env.ref("base.group_portal") | wanted
                user.write(
                    {
                        "group_ids": [
                            *(Command.link(group.id) for group in kept),
                            *(Command.unlink(group.id) for group in unwanted),
                        ]
                    }
                )
