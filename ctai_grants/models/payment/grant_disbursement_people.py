from odoo import SUPERUSER_ID, fields, models
from odoo.exceptions import UserError


class GrantDisbursement(models.Model):
    """Who certifies that the work was done does not order, or record, its payment: two persons, and
    not two logins of one (R5)."""

    _inherit = "grant.disbursement"

    # The persons behind the logins, as they were then: a login may get another contact since.
    # No CHECK beside the one of the logins: a merge of contacts deletes what it cannot update.
    certified_person_id = fields.Many2one(
        "res.partner", string="Person Who Certified", readonly=True, copy=False, ondelete="restrict"
    )
    ordered_person_id = fields.Many2one(
        "res.partner", string="Person Who Ordered", readonly=True, copy=False, ondelete="restrict"
    )
    _two_people = models.Constraint(
        "CHECK (certified_by_id <> ordered_by_id)",
        "The person who certifies that the work was done cannot order its payment.",
    )

    def _transition(self, **vals):
        for step in ("certified", "ordered"):
            if f"{step}_by_id" in vals:
                # sudo: whose login it is, to whoever certifies or orders
                user = self.env["res.users"].sudo().browse(vals[f"{step}_by_id"] or ())
                vals[f"{step}_person_id"] = user.partner_id.id
        return super()._transition(**vals)

    def _check_person(self, what):
        """Refuse what a program does in nobody's name: a scheduled action, a rule of automation.

        :raise UserError: naming the tranche
        """
        if self.env.uid == SUPERUSER_ID:
            raise UserError(
                self.env._(
                    "%(what)s: a program acts for nobody. For %(tranche)s, somebody else has to "
                    "do it, with a login of their own.",
                    what=what,
                    tranche=", ".join(self.mapped("display_name")),
                )
            )

    def _check_two_people(self):
        """Refuse that who certified this tranche orders it, by whatever login.

        :raise UserError: naming the tranche, and the login that certified it
        """
        self._check_person(self.env._("Ordering or recording a payment"))
        user = self.env.user
        if self.certified_by_id == user:
            raise UserError(
                self.env._(
                    "You certified the work done for %(tranche)s: somebody else has to order its "
                    "payment.",
                    tranche=self.display_name,
                )
            )
        # sudo: whose logins they are; of the contacts, nothing but the certifier's login is shown
        tranche = self.sudo()
        certified = tranche.certified_person_id | tranche.certified_by_id.partner_id
        if tranche.env.user.partner_id in certified:
            raise UserError(
                self.env._(
                    "%(certifier)s certified the work done for %(tranche)s, and this login "
                    "(%(login)s) is of the same person: somebody else has to order its payment.",
                    certifier=tranche.certified_by_id.login,
                    tranche=self.display_name,
                    login=user.login,
                )
            )
