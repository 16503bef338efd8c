import re
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date

MONTHS = [
    ("1", "January"), ("2", "February"), ("3", "March"), ("4", "April"), ("5", "May"),
    ("6", "June"), ("7", "July"), ("8", "August"), ("9", "September"), ("10", "October"),
    ("11", "November"), ("12", "December"),
]  # fmt: skip
# The State's own form, overseas included; the open-data schema only knows nine digits.
RNA_FORMAT = re.compile(r"W\d[A-Z\d]\d{7}")
# What decides which organisation a partner belongs to.
ORGANISATION_FIELDS = {"parent_id", "is_company"}


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
    fiscalyear_end_month = fields.Selection(
        MONTHS,
        string="Financial Year Ends In",
        default="12",
        help="Month whose last day ends the organisation's financial year: financial reports are "
        "due six months later (loi 2000-321, art. 10).",
    )
    grant_subsidy_ids = fields.One2many("grant.subsidy", "partner_id", string="Subsidies")
    grant_recovery_ids = fields.One2many("grant.recovery", "partner_id", string="Recoveries")
    grant_debts = fields.Text(
        string="Owed to the City",
        compute="_compute_grant_debts",
        help="Pieces late and repayments claimed: one a line.",
    )
    grant_subsidy_count = fields.Integer(compute="_compute_grant_subsidy_count")

    @api.depends("grant_subsidy_ids")
    def _compute_grant_subsidy_count(self):
        if not self.env["grant.subsidy"].has_access("read"):
            self.grant_subsidy_count = 0
            return
        counts = dict(
            self.env["grant.subsidy"]._read_group(
                [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
            )
        )
        for partner in self:
            partner.grant_subsidy_count = counts.get(partner._origin, 0)

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

    @api.constrains("grant_role", "parent_id", "is_company")
    def _check_bank_accounts(self):
        """Those that it had before it was an operator."""
        self.bank_ids._check_operator_iban()

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
        """Those of these partners that the ledger names, or that fund a contract of it."""
        # sudo: who edits organisations may not read the ledger
        entries = self.env["grant.entry"].sudo()
        named = entries._read_group([("partner_id", "in", self.ids)], ["partner_id"])
        funders = entries._read_group([("contract_id.funder_id", "in", self.ids)], ["contract_id"])
        return self.filtered(
            lambda partner: (partner,) in named
            or any(partner == contract.funder_id for (contract,) in funders)
        )

    def write(self, vals):
        if self.env.user._is_portal():
            self._check_legal_identity(vals)
        organisations = self._get_organisations() if vals.keys() & ORGANISATION_FIELDS else {}
        result = super().write(vals)
        for partner, organisation in organisations.items():
            if partner.commercial_partner_id != organisation:
                raise ValidationError(
                    self.env._(
                        "%(partner)s is in the grant ledger: it stays with its organisation.",
                        partner=partner.display_name,
                    )
                )
        if vals.keys() & {"grant_role", *ORGANISATION_FIELDS}:
            # sudo: who says what an organisation is decides what its portal users see
            users = self.env["res.users"].sudo().with_context(active_test=False)
            users.search([("partner_id", "child_of", self.ids)])._sync_grant_portal_groups()
            # What the rules come to for a user is kept, with the organisation it had (R7).
            self.env.registry.clear_cache()
        return result

    def _get_organisations(self):
        """The organisation of each partner of the ledger among these and their contacts: whose
        portal users see its subsidies, and whose account gets the money."""
        family = self.with_context(active_test=False).search([("id", "child_of", self.ids)])
        return {partner: partner.commercial_partner_id for partner in family._get_in_ledger()}

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

    def _get_grant_bank(self):
        """The bank account payments go to: the first one marked as trusted, or none."""
        self.ensure_one()
        return self.commercial_partner_id.bank_ids.filtered("allow_out_payment")[:1]

    @api.depends("grant_subsidy_ids", "grant_recovery_ids.state")
    def _compute_grant_debts(self):
        debts = self._get_grant_debts()
        for partner in self:
            sentences = [sentence for _subsidy, _company, sentence in debts.get(partner, ())]
            partner.grant_debts = "\n".join(sentences)

    def _get_grant_debts(self):
        """What these operators still owe the city, as far as the user may see it.

        :return: dict: operator: list of (subsidy of a late piece or nothing, company, sentence)
        """
        debts = defaultdict(list)
        pieces = self.env["grant.deliverable"]
        recoveries = self.env["grant.recovery"]
        if not (pieces.has_access("read") and recoveries.has_access("read")):
            return debts
        of_these = Domain("partner_id", "in", self.ids)
        for piece in pieces.search(of_these & Domain("is_late", "=", True)):
            sentence = self.env._(
                "Late: “%(piece)s” of %(subsidy)s, due on %(date)s.",
                piece=piece.name,
                subsidy=piece.subsidy_id.code,
                date=format_date(self.env, piece.due_date),
            )
            debts[piece.partner_id].append((piece.subsidy_id, piece.company_id, sentence))
        for recovery in recoveries.search(of_these & Domain("state", "=", "claimed")):
            sentence = self.env._(
                "To pay back: %(amount)s (%(recovery)s of %(subsidy)s).",
                amount=recovery.currency_id.format(recovery.residual_amount),
                recovery=recovery.display_name,
                subsidy=recovery.subsidy_id.code,
            )
            debts[recovery.partner_id].append((None, recovery.company_id, sentence))
        return debts

    def _refresh_grant_tranches(self):
        """Look again at the conditions of the tranches of these organisations."""
        # sudo: who verifies accounts may not be allowed to touch tranches
        tranches = self.env["grant.disbursement"].sudo()
        tranches.search([
            ("partner_id", "child_of", self.commercial_partner_id.ids),
            ("state", "in", ("planned", "ready")),
        ])._refresh_readiness()  # fmt: skip

    def action_view_grant_subsidies(self):
        """Open the subsidies of this operator."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_subsidy_action")
        action["domain"] = [("partner_id", "in", self.ids)]
        action["context"] = {"default_partner_id": self.id}
        return action
