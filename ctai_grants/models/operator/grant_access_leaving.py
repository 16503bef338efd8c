from odoo import SUPERUSER_ID, Command, api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import email_normalize

from ..guard import transition


class GrantAccess(models.Model):
    """Who may invite and remove, and what becomes of the login of who leaves."""

    _inherit = "grant.access"

    @api.model
    def _is_representative_of(self, operator):
        """Whether the present user represents this operator."""
        user = self.env.user
        # sudo: about oneself
        accesses = self.sudo()
        return user.commercial_partner_id == operator and bool(
            accesses.search_count(
                [
                    ("operator_id", "=", operator.id), ("user_id", "=", user.id),
                    ("state", "=", "active"), ("is_representative", "=", True),
                ]
            )
        )  # fmt: skip

    @api.model
    def _check_manager(self, operator, what, by_city=False):
        """Refuse unless the user is a coordinator of a city that works with this operator, or its
        representative.

        :param operator: in sudo
        :param bool by_city: the city alone decides
        :raise AccessError: naming what was tried
        """
        user = self.env.user
        if user.has_group("ctai_grants.group_coordinator"):
            cities = operator._get_cities()
            if not cities or cities & user.company_ids or self.env.uid == SUPERUSER_ID:
                return
            raise AccessError(
                self.env._(
                    "%(what)s: %(operator)s works with %(cities)s, and not with your city.",
                    what=what, operator=operator.name, cities=", ".join(cities.mapped("name")),
                )
            )  # fmt: skip
        if by_city or user._is_internal() or not self._is_representative_of(operator):
            self._check_refused(what, by_city)

    def _check_refused(self, what, by_city):
        if self.env.user._is_internal():
            self._check_group("group_coordinator", what)
        if by_city:
            raise AccessError(self.env._("%s: the city decides this. Ask it.", what))
        raise AccessError(
            self.env._("%s: this is for the representative of your organisation.", what)
        )

    def _check_open(self, states, what, by_city=False):
        """These, in sudo, locked, after the check that the user may do ``what`` with them.

        :raise UserError: in another state
        :raise AccessError: as :meth:`_check_manager`
        """
        # sudo: nobody writes here but these methods, which check who acts on what
        accesses = self.sudo()
        for operator in accesses.operator_id:
            accesses._check_manager(operator, what, by_city=by_city)
        accesses.lock_for_update(allow_referencing=True)
        accesses._check_state(states, what)
        return accesses

    def action_send_again(self):
        """Send the invitation again; the link sent before stops to work.

        :raise UserError: not invited any more, the address is in use, or too many were sent
        :raise AccessError: neither a coordinator of its cities nor its representative
        """
        what = self.env._("Sending an invitation again")
        for access in self._check_open(("invited",), what):
            access._check_rate(access.operator_id)
            access._check_free(access.operator_id, access.email, but=access)
            access._send("sent_again")
        return True

    def action_withdraw(self):
        """Withdraw an invitation: its link stops to work.

        :raise UserError: not invited any more
        :raise AccessError: neither a coordinator of its cities nor its representative
        """
        accesses = self._check_open(("invited",), self.env._("Withdrawing an invitation"))
        accesses._transition(state="ended")
        accesses._note("withdrawn")
        return True

    def action_remove(self):
        """Take the access of a person away, at once: its sessions end, its login is closed. What it
        began stays with the operator.

        :raise UserError: it has no access any more, or is the user itself
        :raise AccessError: neither a coordinator of its cities nor its representative; one
            representative does not remove another
        """
        what = self.env._("Removing somebody")
        accesses = self._check_open(("active",), what)
        for access in accesses:
            if access.user_id == self.env.user:
                raise UserError(self.env._("To leave yourself, use the button “Leave”."))
            if access.is_representative:
                access._check_manager(access.operator_id, what, by_city=True)
        accesses._end("removed")
        return True

    def _leave(self):
        """Give one's own access up.

        :raise UserError: the last representative
        :raise AccessError: somebody else's access
        """
        self.ensure_one()
        # sudo: one's own
        access = self.sudo()
        if access.user_id != self.env.user:
            raise AccessError(self.env._("This is the access of somebody else."))
        # All of them: of two who leave at once, one is told.
        representatives = access.search(
            [
                ("operator_id", "=", access.operator_id.id), ("state", "=", "active"),
                ("is_representative", "=", True),
            ]
        )  # fmt: skip
        (access | representatives).lock_for_update(allow_referencing=True)
        access._check_state(("active",), self.env._("Leaving"))
        if access == representatives:
            raise UserError(
                self.env._(
                    "You are the only representative of %s: ask the city to name another one "
                    "first.",
                    access.operator_id.name,
                )
            )
        access._end("left")

    def _end(self, what):
        """End these: in sudo, locked and checked."""
        self._transition(state="ended", is_representative=False)
        self._note(what)
        for access in self:
            access._close(access.user_id)

    def _close(self, users):
        """Close these logins of the portal, as Odoo's own window of the portal does; their address
        is free for another one."""
        self.ensure_one()
        for user in users.with_user(SUPERUSER_ID).with_context(active_test=False):
            if not user._is_portal():
                continue
            user.partner_id.signup_cancel()
            # Opened again one day, it has none of the keys of before.
            user.api_key_ids._remove()
            user.write(
                {
                    # The token of each session is made of it.
                    "active": False,
                    "login": f"{user.login} ({self.id})",
                    "group_ids": [
                        Command.unlink(self.env.ref("base.group_portal").id),
                        Command.link(self.env.ref("base.group_public").id),
                    ],
                }
            )

    def action_name_representative(self):
        """Make a representative of this person: it may invite and remove colleagues.

        :raise UserError: it has no access (any more)
        :raise AccessError: not a coordinator of its cities
        """
        what = self.env._("Naming a representative")
        accesses = self._check_open(("active", "invited"), what, by_city=True)
        changed = accesses.filtered(lambda access: not access.is_representative)
        changed._transition(is_representative=True)
        changed._note("representative")
        return True

    def action_unname_representative(self):
        """Let this person act for its operator, and invite nobody any more.

        :raise UserError: it has no access (any more)
        :raise AccessError: not a coordinator of its cities
        """
        what = self.env._("Naming a representative")
        accesses = self._check_open(("active", "invited"), what, by_city=True)
        changed = accesses.filtered("is_representative")
        changed._transition(is_representative=False)
        changed._note("not_representative")
        return True

    # ------------------------------------------------------------------
    # Logins made or closed elsewhere in Odoo
    # ------------------------------------------------------------------

    @api.model
    def _follow(self, users):
        """Keep the list in step with the logins, whoever makes, moves or archives them."""
        group = self.env.ref("ctai_grants.group_portal_operator")
        # sudo: who may do that to a login need not be allowed to read this list
        accesses = self.sudo().search([("user_id", "in", users.ids), ("state", "=", "active")])
        by_user = accesses.grouped(lambda access: access.user_id.id)
        # sudo: as above
        for user in users.sudo().with_context(active_test=False):
            operator = user.commercial_partner_id
            if not user.active or group not in user.group_ids or not operator.grant_role:
                operator = operator.browse()
            access = by_user.get(user.id, accesses.browse())
            if access and access.operator_id != operator:
                access._transition(state="ended", is_representative=False)
                access._note("ended")
                # Before the next one: at no moment has a login two.
                access.flush_recordset()
            if operator and access.operator_id != operator:
                self._adopt(user, operator)

    @api.model
    def _adopt(self, user, operator):
        """The access of a login that is there: what was invited under its address, or a new one."""
        # sudo: as in _follow
        accesses = self.sudo()
        # Of the contact: of a login that was just made, Odoo's cache has no name.
        contact = user.partner_id
        # The login alone: what a user writes into its own contact takes no invitation.
        login = email_normalize(user.login)
        email = login or contact.email_normalized or user.login
        invited = login and accesses.search(
            [("operator_id", "=", operator.id), ("email", "=", login), ("state", "=", "invited")]
        )
        if invited:
            invited._transition(state="active", user_id=user.id)
            invited._note("accepted", user)
            return
        vals = {
            "operator_id": operator.id,
            "company_id": user.company_id.id,
            "name": contact.name,
            "email": email,
            "user_id": user.id,
            "state": "active",
        }
        transition.creating(accesses, [vals]).create(vals).with_env(accesses.env)._note("found")

    @api.model
    def _adopt_all(self):
        """At each upgrade: the logins of operators that are in no list yet."""
        users = self.env.ref("ctai_grants.group_portal_operator").all_user_ids
        known = self.search([("state", "=", "active")]).user_id
        self._follow(users - known)
