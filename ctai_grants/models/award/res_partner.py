import re
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..ledger.res_partner import ORGANISATION_FIELDS

# The State's own form, overseas included; the open-data schema only knows nine digits.
RNA_FORMAT = re.compile(r"W\d[A-Z\d]\d{7}")
# What names an organisation on a paper without any money in the ledger, and from which state on.
PAPERS = {
    "grant.subsidy": ("granted", "signed", "closed"),
    "grant.aid.in.kind": ("recorded",),
}


class ResPartner(models.Model):
    _inherit = "res.partner"

    grant_role = fields.Selection(
        [("operator", "Operator"), ("prefecture", "Prefecture")],
        string="Role in Grants",
        help="Decides what this organisation's portal users see: an operator its own subsidies, "
        "a prefecture its own contracts.",
    )
    rna = fields.Char(
        string="RNA",
        help="Number in the national register of associations: W followed by nine characters.",
    )
    legal_form = fields.Selection(
        [
            ("association", "Association (loi 1901)"),
            ("rup", "Association of public utility"),
            ("foundation", "Foundation"),
            ("company", "Company"),
            ("public", "Public body"),
            ("state", "State service"),
        ],
    )
    grant_subsidy_ids = fields.One2many("grant.subsidy", "partner_id", string="Subsidies")
    grant_subsidy_count = fields.Integer(compute="_compute_grant_subsidy_count")
    grant_year_ids = fields.One2many("grant.operator.year", "partner_id", string="Budgets")
    grant_aid_count = fields.Integer(compute="_compute_grant_aid_count")

    def signup_get_auth_param(self):
        """What a link needs for its reader to sign up. Odoo gives it to every employee; of an
        organisation of grants, whose users see and hand in what is its own, to who may give access
        to the portal."""
        invited = self
        # sudo: off, where a page of Odoo's asks for somebody
        if not self.env["res.partner"].sudo(False).has_access("write"):
            # sudo: what an organisation is, no more
            invited = self.filtered(lambda p: not p.sudo().commercial_partner_id.grant_role)
        return super(ResPartner, invited).signup_get_auth_param()

    @api.depends("grant_subsidy_ids", "grant_body")
    def _compute_grant_subsidy_count(self):
        # Shown on the form of any contact, to whoever opens it.
        if not self.env["grant.subsidy"].has_access("read"):
            self.grant_subsidy_count = 0
            return
        counts = defaultdict(int)
        for partner, count in self.env["grant.subsidy"]._read_group(
            self._get_subsidies_domain(), ["partner_id"], ["__count"]
        ):
            counts[partner.grant_body] += count
        for partner in self:
            partner.grant_subsidy_count = counts[partner.grant_body]

    @api.depends("grant_body")
    def _compute_grant_aid_count(self):
        # As above: the form of a contact is everybody's.
        if not self.env["grant.aid.in.kind"].has_access("read"):
            self.grant_aid_count = 0
            return
        counts = defaultdict(int)
        for partner, count in self.env["grant.aid.in.kind"]._read_group(
            self._get_subsidies_domain(), ["partner_id"], ["__count"]
        ):
            counts[partner.grant_body] += count
        for partner in self:
            partner.grant_aid_count = counts[partner.grant_body]

    def _get_subsidies_domain(self):
        """The subsidies of these bodies, whichever of their records they name."""
        return [("partner_id.grant_body", "in", self.mapped("grant_body"))]

    @api.constrains("rna")
    def _check_rna(self):
        for partner in self:
            if partner.rna and not RNA_FORMAT.fullmatch(partner.rna):
                raise ValidationError(
                    self.env._(
                        "RNA “%(rna)s” of %(partner)s is not valid: W and nine characters are "
                        "expected, like W863001234.",
                        rna=partner.rna,
                        partner=partner.display_name,
                    )
                )

    def _get_in_ledger(self):
        """Those of these partners that the ledger names, or that fund a contract of it."""
        # sudo: who edits organisations may not read the ledger
        entries = self.env["grant.entry"].sudo()
        funders = entries._read_group([("contract_id.funder_id", "in", self.ids)], ["contract_id"])
        funding = {contract.funder_id for (contract,) in funders}
        return super()._get_in_ledger() | self.filtered(lambda partner: partner in funding)

    def _get_cities(self):
        """Also those whose contracts it funds, that told it of an award or lent it something, and
        the city that it is itself."""
        # sudo: as in the ledger
        contracts = self.env["grant.contract"].sudo()
        named = contracts.search([
            ("state", "!=", "draft"),
            "|", ("funder_id", "=", self.id), ("company_id.partner_id", "=", self.id),
        ])  # fmt: skip
        found = super()._get_cities() | named.company_id
        for model, states in PAPERS.items():
            # sudo: as in the ledger
            papers = self.env[model].sudo()
            own = [("partner_id", "=", self.id), ("state", "in", states)]
            for (company,) in papers._read_group(own, ["company_id"]):
                found |= company
        return found

    def _check_identity_of_cities(self, vals):
        """Also of a city: where it is, and who signs for it, is not another one's to say.

        :raise AccessError: as for an organisation
        """
        super()._check_identity_of_cities(vals)
        names = sorted(vals.keys() & set(self.env["grant.identity"]._get_names()))
        if not names:
            return
        # sudo: all cities, whatever those of the user
        contracts = self.env["grant.contract"].sudo()
        cities = contracts.search(
            [("company_id.partner_id", "in", self.ids), ("state", "!=", "draft")]
        ).company_id
        is_changed = self.env["grant.guarded.mixin"]._is_changed
        for city in cities:
            partner = city.partner_id.with_env(self.env)
            for name in names:
                if is_changed(partner, name, vals[name]):
                    partner._check_cities(city, name)

    @api.model
    def _get_identity_fields(self):
        return super()._get_identity_fields() | {"rna", "legal_form", "grant_role"}

    def write(self, vals):
        # In sudo too: that is how Odoo's account page writes.
        if self.env.user._is_portal():
            self._check_legal_identity(vals)
        result = super().write(vals)
        if vals.keys() & {"grant_role", *ORGANISATION_FIELDS}:
            # sudo: who says what an organisation is decides what its portal users see
            users = self.env["res.users"].sudo().with_context(active_test=False)
            users.search([("partner_id", "child_of", self.ids)])._sync_grant_portal_groups()
            # What the rules come to for a user is kept, with the organisation it had (R7).
            self.env.registry.clear_cache()
        return result

    def _check_legal_identity(self, vals):
        """Refuse that portal users rename an organisation, as Odoo's account page lets them.

        Its name is on conventions, orders to pay and statements.

        :raise AccessError: the name or VAT number of an operator or prefecture would change
        """
        for name in ("name", "vat"):
            if name in vals and any(
                partner.grant_role and (partner[name] or "") != (vals[name] or "")
                for partner in self
            ):
                raise AccessError(
                    self.env._(
                        "“%(field)s” of an organisation is changed by the city: please ask it.",
                        field=self._fields[name]._description_string(self.env),
                    )
                )

    def action_view_grant_subsidies(self):
        """Open the subsidies of this operator."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_subsidy_action")
        action["domain"] = self._get_subsidies_domain()
        action["context"] = {"default_partner_id": self.id}
        return action

    def action_view_grant_aids(self):
        """Open what was given to this operator in kind."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants.grant_aid_in_kind_action"
        )
        action["domain"] = self._get_subsidies_domain()
        action["context"] = {"default_partner_id": self.id}
        return action
