from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import AccessError, ValidationError

# What decides which organisation a partner belongs to.
ORGANISATION_FIELDS = {"parent_id", "is_company"}
# What papers name an organisation by, and who may use it.
IDENTITY_FIELDS = {"name", "vat", "company_registry", "company_id"}


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.constrains("active")
    def _check_active(self):
        archived = self.filtered(lambda partner: not partner.active)
        if in_ledger := archived._get_in_ledger():
            raise ValidationError(
                self.env._(
                    "%(partner)s is in the grant ledger and cannot be archived.",
                    partner=in_ledger[0].display_name,
                )
            )

    def _get_in_ledger(self):
        """Those of these partners that the ledger names."""
        # sudo: who edits organisations may not read the ledger
        entries = self.env["grant.entry"].sudo()
        named = entries._read_group([("partner_id", "in", self.ids)], ["partner_id"])
        return self.filtered(lambda partner: (partner,) in named)

    def _get_cities(self):
        """The cities whose ledger names this organisation."""
        # sudo: who edits organisations may not read the ledger, nor other cities
        entries = self.env["grant.entry"].sudo()
        found = entries._read_group([("partner_id", "=", self.id)], ["company_id"])
        # sudo: as above; their names are what a refusal says
        return self.env["res.company"].sudo().union(*(company for (company,) in found))

    @api.model
    def _get_identity_fields(self):
        """Names of the fields that papers name an organisation by."""
        return IDENTITY_FIELDS

    def _check_identity_of_cities(self, vals):
        """Refuse that somebody of one city changes an organisation on the papers of another.

        :raise AccessError: naming the organisation, the field and the other cities
        """
        names = self._get_identity_fields() & vals.keys()
        if not names:
            return
        is_changed = self.env["grant.guarded.mixin"]._is_changed
        for partner in self:
            changed = [name for name in sorted(names) if is_changed(partner, name, vals[name])]
            partner._check_changed_for_cities(changed)

    def _check_changed_for_cities(self, changed):
        """Refuse that these fields of an organisation change on the papers of another city.

        :param list changed: names of the fields
        :raise AccessError: as :meth:`_check_identity_of_cities`
        """
        if changed:
            self._check_cities(self._get_cities(), changed[0])

    def _check_cities(self, cities, name):
        """Refuse to somebody who does not work for all of these cities that a field of this
        organisation changes.

        :raise AccessError: as :meth:`_check_identity_of_cities`
        """
        others = cities - self.env.user.company_ids
        if others and self.env.uid != SUPERUSER_ID:
            raise AccessError(
                self.env._(
                    "%(partner)s stands on the papers of %(cities)s too: “%(field)s” is "
                    "changed by somebody who works for all of them.",
                    partner=self.display_name,
                    cities=", ".join(others.mapped("name")),
                    field=self._fields[name]._description_string(self.env),
                )
            )

    def write(self, vals):
        self._check_identity_of_cities(vals)
        if "tz" in vals:
            self._check_city_timezone(vals["tz"])
        organisations = self._get_organisations() if vals.keys() & ORGANISATION_FIELDS else {}
        result = super().write(vals)
        for partner, organisation in organisations.items():
            # After the write: whose contact somebody is, Odoo computes of more than one field.
            if partner.commercial_partner_id != organisation:
                raise ValidationError(
                    self.env._(
                        "%(partner)s is in the grant ledger: it stays with its organisation.",
                        partner=partner.display_name,
                    )
                )
        return result

    def _get_organisations(self):
        """The organisation of each partner of the ledger among these and their contacts: whose
        portal users see its subsidies, and whose account gets the money."""
        family = self.with_context(active_test=False).search([("id", "child_of", self.ids)])
        return {partner: partner.commercial_partner_id for partner in family._get_in_ledger()}

    def _check_city_timezone(self, timezone):
        """Who edits contacts does not move the city's day, and with it the end of a delay.

        :raise AccessError: the time zone of a company would change, and the user does not
            administer companies
        """
        changed = self.filtered(lambda partner: (partner.tz or False) != (timezone or False))
        # sudo: all companies, whatever those of the user
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        if (
            changed
            and companies.search_count([("partner_id", "in", changed.ids)], limit=1)
            # Odoo writes one's own preferences, the time zone among them, in sudo.
            and not self.env(su=False)["res.company"].has_access("write")
        ):
            raise AccessError(
                self.env._(
                    "The time zone of a company says which day it is in the grant ledger: who "
                    "administers companies sets it."
                )
            )
