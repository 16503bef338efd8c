from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..guard.grant_append_only_mixin import read_sql


class GrantIdentity(models.Model):
    """What an organisation was called, its numbers, address and legal representative, from a day
    on: written by the change itself, whatever its door, and never changed.

    A version holds until the next one in order of dates. A partner without any is as it is now,
    since ever.
    """

    _name = "grant.identity"
    _description = "Identity of an Organisation"
    _inherit = ["grant.append.only.mixin", "grant.acting.mixin"]
    _order = "partner_id, date_from desc nulls last, id desc"
    _rec_name = "name"

    partner_id = fields.Many2one(
        "res.partner", string="Organisation", required=True, readonly=True, ondelete="cascade",
        index=True,
    )  # fmt: skip
    date_from = fields.Date(
        string="Holds From", readonly=True, help="Empty: from the beginning, as far as is known."
    )
    name = fields.Char(readonly=True)
    company_registry = fields.Char(string="SIRET", readonly=True)
    rna = fields.Char(string="RNA", readonly=True)
    legal_representative = fields.Char(readonly=True)
    street = fields.Char(readonly=True)
    street2 = fields.Char(string="Street 2", readonly=True)
    zip = fields.Char(string="ZIP", readonly=True)
    city = fields.Char(readonly=True)
    country_id = fields.Many2one("res.country", readonly=True, ondelete="restrict")
    reason = fields.Char(readonly=True, help="Why an earlier date was given.")
    user_id = fields.Many2one("res.users", string="By", readonly=True, ondelete="restrict")

    @api.model
    def _get_guards(self, chained):
        # Its own, which let a partner go that no document names.
        guards = super()._get_guards(chained)
        own = read_sql("award/grant_identity")
        return f"{guards}\n{own}"

    @api.model
    def _get_chained_fields(self):
        return ["partner_id"]

    @api.model
    def _get_names(self):
        """The fields of a partner that a version keeps."""
        return (
            "name", "company_registry", "rna", "legal_representative", "street", "street2", "zip",
            "city", "country_id",
        )  # fmt: skip

    @api.model
    def _record(self, partner, before):
        """Add what ``partner`` is from today on; ``before``, values, it was from the beginning
        when nothing else is known."""
        # sudo: who edits an organisation adds to its history by that, and in no other way
        versions = self.sudo()
        if not versions.search_count([("partner_id", "=", partner.id)], limit=1):
            versions._append({"partner_id": partner.id, **before})
        versions._append(
            {
                "partner_id": partner.id,
                "date_from": self.env.company._grant_today(),
                "user_id": self.env.uid,
                **partner._get_identity_values(),
            }
        )

    def _do_hold_from(self, date, reason):
        """Say that this version held from an earlier day on, until the next one.

        :raise UserError: the day is not before the last change, or no reason is written
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        self._check_group("group_coordinator", self.env._("Dating an identity"))
        reason = self._check_reason(reason)
        # sudo: as in _record
        versions = self.sudo().search([("partner_id", "=", self.partner_id.id)])
        last = versions[:1].date_from
        self._check_dated_for_cities(date)
        if not date or not last or date >= last:
            raise UserError(
                self.env._(
                    "%(partner)s: an identity is dated before the last change, on %(last)s. Change "
                    "the organisation itself for what it is since.",
                    partner=self.partner_id.name,
                    last=format_date(self.env, last) if last else "–",
                )
            )
        versions._append(
            {
                "partner_id": self.partner_id.id,
                "date_from": date,
                "reason": reason,
                "user_id": self.env.uid,
                **{name: self._fields[name].convert_to_write(self[name], self)
                   for name in self._get_names()},
            }
        )  # fmt: skip
        return True

    def _check_dated_for_cities(self, date):
        """Refuse that somebody of one city renames an organisation on earlier papers of another.

        :raise AccessError: naming the organisation, the field and the other cities
        """
        partner = self.partner_id
        held = partner._get_identity(date) if date else partner
        names = partner._get_identity_fields() & set(self._get_names())
        partner._check_changed_for_cities(
            [name for name in sorted(names) if (self[name] or "") != (held[name] or "")]
        )

    def action_hold_from(self):
        """Ask from which day on this version held."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Known to Hold From"),
            "res_model": "grant.identity.date",
            "view_mode": "form",
            "target": "new",
            "context": {"default_identity_id": self.id},
        }
