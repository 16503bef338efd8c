from odoo import fields, models
from odoo.exceptions import RedirectWarning, UserError


class ResCompany(models.Model):
    _inherit = "res.company"

    grant_convention_threshold = fields.Monetary(
        string="Convention Threshold",
        default=23000.0,
        help="Above this amount (euros a year and operator), no payment is certified without a "
        "signed convention (loi 2000-321, art. 10; décret 2001-495, art. 1).",
    )

    def _check_grant_company(self):
        """Grants are French public money: what the ledger takes once, it keeps.

        :raise UserError: country, currency or accounting of a company is another one
        :raise RedirectWarning: the same, to who may change it: leads there
        """
        for company in self:
            if not (obstacles := company._get_grant_obstacles()):
                continue
            message = self.env._(
                "%(company)s cannot run grants yet:\n%(obstacles)s\nNothing was changed.",
                company=company.display_name,
                obstacles="\n".join(f"• {sentence}" for sentence, _action in obstacles),
            )
            if not self.env.user.has_group("base.group_system"):
                raise UserError(message)
            action = self.env.ref(obstacles[0][1])
            raise RedirectWarning(message, action.id, self.env._("Go to the setting"))

    def _get_grant_obstacles(self):
        """What of this company is not what grants need, here and in higher layers.

        :return: list of (sentence, XML id of the action where it is set)
        """
        self.ensure_one()
        companies, euro = "base.action_res_company_form", self.env.ref("base.EUR")
        obstacles = []
        if not self.is_france_country:
            sentence = self.env._(
                "Its country is %(country)s: enter France, or the overseas territory.",
                country=self.country_id.name or self.env._("not set"),
            )
            obstacles.append((sentence, companies))
        if self.currency_id != euro:
            sentence = self.env._(
                "Its currency is %(currency)s: choose EUR. Odoo lets it change until the first "
                "journal item; after that, make another company for the city.",
                currency=self.currency_id.name,
            )
            obstacles.append((sentence, companies))
        return obstacles

    def _get_grant_person(self, role, but=None):
        """Who acts for this city where a document names nobody: the first of its people who was
        given the role itself, or else one who has it with another; never ``but``. An empty user
        when there is none."""
        group = self.env.ref(f"ctai_grants.group_{role}")
        # sudo: only who a task is left to
        users = self.env["res.users"].sudo().with_context(active_test=True)
        domain = [
            ("all_group_ids", "in", group.ids), ("company_ids", "in", self.ids),
            ("share", "=", False), ("id", "not in", (but or users).ids),
        ]  # fmt: skip
        people = users.search(domain, order="id")
        given = people.filtered(lambda user: group in user.group_ids)
        return (given or people)[:1].with_env(self.env)
