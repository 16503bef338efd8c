from functools import partial

from odoo import models
from odoo.tools import SQL

from ..guard.reading import Wanted, keep_lines


class GrantSubsidy(models.Model):
    """What signing reads ahead."""

    _inherit = "grant.subsidy"

    def _get_wanted(self):
        """What signing looks at, to be read together: a list of :class:`Wanted`."""
        # sudo: only into the cache; who may sign was checked
        env, companies = self.sudo().env, self.company_id.ids
        # Arrays: a condition with an OR would have PostgreSQL read all partners.
        partners = SQL(
            """id = ANY(%s || ARRAY(
                   SELECT partner_id FROM res_company WHERE id = ANY(%s)
                   UNION ALL SELECT partner_id FROM res_users WHERE id = %s))""",
            self.partner_id.ids, companies, env.uid,
        )  # fmt: skip
        return [
            Wanted(env["res.users"], ("company_id", "partner_id"), SQL("id = %s", env.uid)),
            Wanted(
                env["res.company"], ("partner_id", "parent_path", "alias_domain_id"),
                SQL("id = ANY(%s)", companies),
            ),
            Wanted(env["res.currency"], ("rounding",), SQL("id = ANY(%s)", self.currency_id.ids)),
            Wanted(
                env["res.partner"],
                ("name", "email", "tz", "commercial_partner_id", "country_id", "company_registry",
                 "grant_body"),
                partners,
            ),
            Wanted(
                env["res.country"], ("code",),
                SQL("id = ANY(ARRAY(SELECT country_id FROM res_partner WHERE %s))", partners),
            ),
            Wanted(
                env["grant.envelope"], ("payment_path",), SQL("id = ANY(%s)", self.envelope_id.ids)
            ),
            Wanted(
                env["grant.action"], ("subsidy_id", "name", "amount"),
                SQL("subsidy_id = ANY(%s)", self.ids),
                # sudo: as all that is read ahead; who signs them reads them
                partial(keep_lines, self.sudo(), "action_ids"),
            ),
        ]  # fmt: skip
