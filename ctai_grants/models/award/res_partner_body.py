import unicodedata

from stdnum.fr import siren, siret

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

# What says which body a partner is, its organisation (Odoo's commercial partner) included.
BODY_FIELDS = {"company_registry", "vat", "rna", "country_id", "parent_id", "is_company"}


def get_digits(number):
    """A number as it is compared: without the spaces that people write in it, in plain digits."""
    return "".join(unicodedata.normalize("NFKC", number or "").split())


class ResPartner(models.Model):
    """One body is one SIREN (RNA without one), whatever records it has: what counts by body (the
    convention's threshold, debts, totals) compares ``grant_body``, never partners."""

    _inherit = "res.partner"

    grant_body = fields.Char(
        string="Body (SIREN or RNA)",
        compute="_compute_grant_body",
        store=True,
        index=True,
        help="SIREN of the organisation, or its RNA without one: records that have the same are "
        "one body, whose subsidies and debts count together.",
    )

    @api.depends(
        "commercial_partner_id.company_registry", "commercial_partner_id.vat",
        "commercial_partner_id.rna", "commercial_partner_id.country_id",
    )  # fmt: skip
    def _compute_grant_body(self):
        organisations = self.commercial_partner_id
        by_rna = organisations._get_sirens_by_rna()
        for partner in self:
            organisation = partner.commercial_partner_id or partner
            partner.grant_body = (
                organisation._get_body_siren()
                or by_rna.get(organisation.rna)
                or organisation.rna
                # Of none, nothing says that two records are one: each is itself.
                or f"#{organisation._origin.id or 'new'}"
            )

    def _get_sirens_by_rna(self):
        """The SIREN that another record has of the same RNA, for those that have an RNA alone."""
        alone = {p.rna for p in self if p.rna and not p._get_body_siren()}
        if not alone:
            return {}
        # sudo: a body is one whoever may see which of its records
        others = self.sudo().with_context(active_test=False).search([("rna", "in", list(alone))])
        return {p.rna: number for p in others if (number := p._get_body_siren())}

    def _get_body_siren(self):
        """The SIREN of this organisation, from its SIRET or its French VAT number; or ``""``."""
        if not self._is_french():
            return ""
        registry = get_digits(self.company_registry)
        if registry.isdecimal() and len(registry) in (9, 14):
            return registry[:9]
        vat = get_digits(self.vat)
        return vat[4:] if vat.startswith("FR") and siren.is_valid(vat[4:]) else ""

    def _is_french(self):
        """Whether its numbers are those of France: who has no country yet is taken to be there."""
        return not self.country_id or self.is_france_country

    # ------------------------------------------------------------------
    # One record for each body
    # ------------------------------------------------------------------

    @api.constrains("company_registry", "country_id", "grant_role")
    def _check_grant_registry(self):
        """Who has no country is taken to be in France: its SIRET is checked as Odoo checks those
        of France (La Poste's own key included)."""
        for partner in self:
            number = "".join((partner.company_registry or "").split())
            if not number or not partner.grant_role or not partner._is_french():
                continue
            is_valid = siret.is_valid(number) or len(number) == 9 and siren.is_valid(number)
            # Odoo takes the digits of any script.
            if not (number.isascii() and number.isdigit() and is_valid):
                raise ValidationError(
                    self.env._(
                        "%(partner)s: “%(number)s” is not a valid SIRET: 14 digits are expected "
                        "(9 for a SIREN), and the last one checks the others. Copy it again from "
                        "the statement of the organisation.",
                        partner=partner.display_name,
                        number=partner.company_registry,
                    )
                )

    @api.constrains(
        "company_registry", "rna", "country_id", "parent_id", "is_company", "company_id", "active",
        "grant_role",
    )  # fmt: skip
    def _check_one_record(self):
        """Refuse a second record of a body that has one.

        :raise ValidationError: naming the number, the other one and what to do
        """
        for partner in self:
            other, number = partner._find_double()
            if other:
                raise ValidationError(
                    self.env._(
                        "%(partner)s: %(number)s is already that of “%(other)s”%(archived)s. One "
                        "body has one record: use that one. If both are there already, merge them: "
                        "in the list of contacts, select both, then Actions > Merge.",
                        partner=partner.name,
                        number=number,
                        other=other.name,
                        archived=self.env._(" (archived)") if not other.active else "",
                    )
                )
        self._touch_numbers()

    def init(self):
        result = super().init()
        # A row for each number that was entered: what those meet on who enter it together. No
        # index on partners could say the rule, nor be made where there are doubles from before.
        self.env.cr.execute(
            "CREATE TABLE IF NOT EXISTS grant_body_number (number varchar PRIMARY KEY)"
        )
        return result

    def _touch_numbers(self):
        """Meet whoever enters the same numbers at the same time.

        Neither sees the other's record. One of the two transactions fails on the row, Odoo tries it
        again, and then it sees the record.
        """
        organisations = self.filtered(lambda partner: partner.commercial_partner_id == partner)
        numbers = {get_digits(partner.company_registry) for partner in organisations}
        numbers |= set(organisations.mapped("rna"))
        if numbers := sorted(filter(None, numbers)):
            # The same value, and a new version of the row: what the others fail on.
            touch = SQL(
                """INSERT INTO grant_body_number (number) SELECT unnest(%s)
                   ON CONFLICT (number) DO UPDATE SET number = EXCLUDED.number""",
                numbers,
            )
            self.env.cr.execute(touch, log_exceptions=False)

    def _find_double(self):
        """Another record of this organisation, and the number that both have."""
        if self.commercial_partner_id != self or self.grant_body.startswith("#"):
            return self.browse(), ""
        # sudo: another city's record of the same body is none of this user's
        others = self.sudo().with_context(active_test=False).search(
            [("grant_body", "=", self.grant_body), ("id", "!=", self.id)]
        )  # fmt: skip
        registry = get_digits(self.company_registry)
        for other in others:
            if other.commercial_partner_id != other or self._may_both_be(other):
                continue
            its_registry = get_digits(other.company_registry)
            if registry and registry == its_registry:
                return other, self.env._("SIRET %(number)s", number=registry)
            # Establishments of one association share its RNA.
            if self.rna and self.rna == other.rna and not (registry and its_registry):
                return other, self.env._("RNA %(number)s", number=self.rna)
        return self.browse(), ""

    def _may_both_be(self, other):
        """Each city of a database may keep its own record; and budgets and branches of a city,
        companies in Odoo, have its SIRET."""
        if self.company_id and other.company_id and self.company_id != other.company_id:
            return True
        # sudo: all companies, whatever those of the user
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        both = self.sudo() | other  # sudo: as above
        return len(companies.search([("partner_id", "in", both.ids)]).partner_id) == 2

    # ------------------------------------------------------------------
    # A body that changes
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        if any(vals.get("rna") for vals in vals_list):
            partners._follow_rna(set())
        return partners

    def copy_data(self, default=None):
        """A copy is another body, or the same record twice: it has no number until one is
        entered."""
        copies = super().copy_data(default)
        for vals in copies:
            for name in {"company_registry", "rna"} - (default or {}).keys():
                vals.pop(name, None)
        return copies

    def write(self, vals):
        if not vals.keys() & BODY_FIELDS:
            return super().write(vals)
        if contacts := self._get_leaving(vals):
            # First: Odoo writes “is_company” by itself, before the rest.
            contacts.write({"company_registry": False})
        rnas = set(self.mapped("rna"))
        bodies = set(self.mapped("grant_body"))
        result = super().write(vals)
        self._follow_rna(rnas)
        if changed := bodies ^ set(self.mapped("grant_body")):
            self._change_bodies(changed)
        return result

    def _get_leaving(self, vals):
        """Contacts that become organisations of their own: Odoo leaves them their former
        organisation's SIRET, which is not theirs."""
        leaves = not vals.get("parent_id", True) or vals.get("is_company")
        if not leaves or "company_registry" in vals:
            return self.browse()
        return self.filtered(lambda p: p.commercial_partner_id != p)

    def _follow_rna(self, before):
        """Records that have only the RNA of these partners take their SIREN."""
        rnas = list(filter(None, before | set(self.mapped("rna"))))
        if not rnas:
            return
        # sudo: as in _get_sirens_by_rna
        others = self.sudo().with_context(active_test=False).search([("rna", "in", rnas)])
        bodies = set(others.mapped("grant_body"))
        self.env.add_to_compute(self._fields["grant_body"], others)
        if changed := bodies ^ set(others.mapped("grant_body")):
            self._change_bodies(changed)

    @api.model
    def _change_bodies(self, bodies):
        """Told when records join or leave ``bodies`` (keys)."""
