import datetime

from odoo import fields, models

from .res_partner_body import get_digits

ADDRESS = ("street", "street2", "zip", "city")


class ResPartner(models.Model):
    """What an organisation was on a day (:mod:`grant_identity`)."""

    _inherit = "res.partner"

    legal_representative = fields.Char(
        help="Who signs for the organisation, and as what: “Anne Martin, présidente”. On letters, "
        "and in the history of the organisation.",
    )
    grant_identity_ids = fields.One2many(
        "grant.identity", "partner_id", string="Earlier Names, SIRET and Addresses"
    )

    grant_register_answer_ids = fields.One2many(
        "grant.register.answer", "partner_id", string="Answers of the Public Registers"
    )

    def write(self, vals):
        if vals.keys().isdisjoint(self.env["grant.identity"]._get_names()):
            return super().write(vals)
        before = {p: p._get_identity_values() for p in self._get_with_history()}
        result = super().write(vals)
        for partner, values in before.items():
            if partner._get_identity_values() != values:
                self.env["grant.identity"]._record(partner, values)
        return result

    def _get_with_history(self):
        """Those of these partners whose name is on documents of ours: operators, prefectures,
        cities that have a contract (a new Odoo's “My Company” is no earlier name of one), and
        whoever has a subsidy."""
        kept = self.filtered(lambda p: p.grant_role and p.commercial_partner_id == p)
        ids = (self - kept).ids
        if not ids:
            return kept
        # sudo: who edits contacts may see neither contracts nor subsidies
        contracts = self.env["grant.contract"].sudo().with_context(active_test=False)
        # sudo: as above
        subsidies = self.env["grant.subsidy"].sudo().with_context(active_test=False)
        cities = contracts.search([("company_id.partner_id", "in", ids)]).company_id
        named = set(cities.partner_id.ids)
        for (partner,) in subsidies._read_group([("partner_id", "in", ids)], ["partner_id"]):
            named.add(partner.id)
        return kept | self.filtered(lambda p: p.id in named)

    def _get_identity_values(self):
        """What a version of its identity keeps: values to write."""
        self.ensure_one()
        values = {
            name: self._fields[name].convert_to_write(self[name], self) or False
            for name in self.env["grant.identity"]._get_names()
        }
        # As Odoo stores it a moment later: spaces are no change.
        values["company_registry"] = get_digits(values["company_registry"]) or False
        return values

    def _get_identities(self, day):
        """These organisations as they were on ``day``: dict {partner: partner}, itself or one
        that only stands for it, with the name, numbers, address and representative of that day.
        """
        # sudo: whoever may read a document reads on it what its organisation was called
        versions = self.env["grant.identity"].sudo().search([("partner_id", "in", self.ids)])
        history = versions.grouped("partner_id")
        return {partner: partner._pick_identity(history.get(partner), day) for partner in self}

    def _get_identity(self, day):
        """This organisation as it was on ``day``: see :meth:`_get_identities`."""
        self.ensure_one()
        return self._get_identities(day)[self]

    def _get_sirets_ever(self):
        """The SIRET of this organisation, and those that it had: papers of before name them."""
        # sudo: as in _get_identities
        versions = self.env["grant.identity"].sudo()
        versions = versions.search_fetch([("partner_id", "in", self.ids)], ["company_registry"])
        numbers = set(versions.mapped("company_registry"))
        return {self._get_siret(), *numbers} - {None, False}

    def _pick_identity(self, versions, day):
        # The latest first, as they are sorted; the last change is what it is now.
        last = versions and versions[0]
        if not last or (last.date_from or datetime.date.min) <= day:
            return self
        after = [v for v in versions if (v.date_from or datetime.date.min) > day]
        held = versions[len(after)] if len(after) < len(versions) else after.pop()
        values = {name: held[name] for name in held._get_names()}
        for version in reversed(after):
            self._complete_identity(values, version)
        kept = {name: self[name] for name in ("is_company", "legal_form", "lang", "grant_role")}
        return self.new({**kept, **values})

    @staticmethod
    def _complete_identity(values, later):
        """What was entered later where nothing was is no change: it was not known yet."""
        for name in ("company_registry", "rna"):
            values[name] = values[name] or later[name]
        if all(values[name] in (False, later[name]) for name in ADDRESS):
            values.update((name, later[name]) for name in (*ADDRESS, "country_id"))
