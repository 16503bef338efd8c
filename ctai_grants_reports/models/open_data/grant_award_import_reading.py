from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.ctai_grants.lib.accounting.spreadsheet import Refusal
from odoo.addons.ctai_grants.models.award.res_partner_body import get_digits
from odoo.addons.ctai_grants.models.guard import transition

from ...lib.open_data.awards import Fault, read_awards
from ...lib.open_data.scdl import IN_KIND

#: A year of a large city; what has more is no file of awards.
MOST_LINES = 5000


class GrantAwardImport(models.Model):
    """Reads a file of awards, and finds whom its lines are of."""

    _inherit = "grant.award.import"

    def _refresh(self, content):
        """Read the file, find the operators and replace the lines of the preview."""
        try:
            awards = read_awards(content, self.company_id._grant_today())
            if len(awards) > MOST_LINES:
                raise Refusal("too_many")
        except Refusal as refusal:
            raise UserError(self._get_file_message(refusal.code, refusal.about)) from refusal
        self._check_grantor(awards)
        matches = self._match(awards)
        known = self._get_known(awards)
        # sudo: nobody writes lines but their import's methods
        lines = self.sudo().line_ids
        lines.unlink()
        vals_list = [self._get_line_vals(award, matches[award], known) for award in awards]
        transition.creating(lines, vals_list).create(vals_list)
        self.invalidate_recordset()

    def _get_line_vals(self, award, match, known):
        subsidy = known.get(award.key)
        how, partner = match
        status = "refused" if award.faults else "known" if subsidy else "ready"
        return {
            "import_id": self.id,
            "company_id": self.company_id.id,
            "sheet": award.sheet,
            "row_number": award.row,
            "status": status,
            "key": award.key,
            "faults": [list(fault) for fault in award.faults],
            "match": how,
            "partner_id": partner.id,
            "known_id": subsidy and subsidy.id,
            **{
                name: getattr(award, name) or False
                for name in (
                    "exercise", "convention_date", "decision", "beneficiary", "number", "rna",
                    "purpose", "terms", "paid_from", "paid_to",
                )
            },
            "amount": float(award.amount or 0),
        }  # fmt: skip

    def _get_known(self, awards):
        """The subsidies that these awards were made into before: dict {key: subsidy}."""
        # sudo: whoever imports; which of them exists is told, and no more
        lines = self.env["grant.award.line"].sudo().search(
            [
                ("company_id", "=", self.company_id.id), ("subsidy_id", "!=", False),
                ("key", "in", [award.key for award in awards]),
            ]
        )  # fmt: skip
        return {line.key: line.subsidy_id for line in lines}

    def _check_grantor(self, awards):
        """Say of lines that another city grants, and of aid in kind, that they are no subsidies
        of this one."""
        body = self.company_id.partner_id.grant_body
        for award in awards:
            if award.grantor_number and award.grantor_number[:9] != body:
                award.faults.append(Fault("idAttribuant", "other_city", award.grantor_number))
            if award.nature == IN_KIND:
                award.faults.append(Fault("nature", "in_kind", ""))

    # ------------------------------------------------------------------
    # Whom they are of
    # ------------------------------------------------------------------

    def _match(self, awards):
        """For each award, how its operator was found and who it is: by SIRET, then by SIREN, then
        by RNA; nobody: a new one."""
        by_siret, by_body, by_rna = self._get_organisations(awards)
        return {
            award: self._match_award(award, by_siret, by_body, by_rna) for award in awards
        }

    def _match_award(self, award, by_siret, by_body, by_rna):
        for how, found in (
            ("siret", by_siret[award.number]),
            ("siren", by_body[award.number[:9]]),
            ("rna", by_rna[award.rna]),
        ):
            if not found:
                continue
            if len(found) > 1:
                names = ", ".join(found.mapped("name"))
                award.faults.append(Fault("", "several", names))
            elif not found.active:
                award.faults.append(Fault("", "archived", found.name))
            elif found.grant_body == self.company_id.partner_id.grant_body:
                award.faults.append(Fault("", "is_city", found.name))
            elif how == "rna" and award.number and not found.grant_body.startswith("W"):
                award.faults.append(Fault("", "other_body", found.name))
            return how, found[:1]
        if not award.faults and len(award.number) != 14:
            # A SIREN or an RNA names a body; a record of one has an establishment.
            award.faults.append(Fault("", "unknown", award.number or award.rna))
        elif not award.faults and not award.beneficiary:
            award.faults.append(Fault("", "no_name", award.number))
        return "new", self.env["res.partner"]

    def _search_organisations(self, bodies, rnas):
        return self.env["res.partner"].with_context(active_test=False).search(
            [
                ("company_id", "in", (False, self.company_id.id)),
                "|", ("grant_body", "in", list(bodies | rnas)), ("rna", "in", list(rnas)),
            ]
        )  # fmt: skip

    def _get_organisations(self, awards):
        """Organisations that these awards may name: three dicts, by SIRET, body and RNA."""
        numbers = {award.number for award in awards if award.number}
        bodies = {number[:9] for number in numbers}
        rnas = {award.rna for award in awards if award.rna}
        partners = self._search_organisations(bodies, rnas)
        maps = tuple(defaultdict(self.env["res.partner"].browse) for _map in range(3))
        by_siret, by_body, by_rna = maps
        for partner in partners:
            # Contacts of an organisation have its numbers.
            if partner.commercial_partner_id == partner:
                by_siret[get_digits(partner.company_registry)] |= partner
                by_body[partner.grant_body] |= partner
                by_rna[partner.rna or ""] |= partner
        for found in maps:
            found.pop("", None)
        return maps

    # ------------------------------------------------------------------
    # Sentences
    # ------------------------------------------------------------------

    @api.model
    def _get_file_message(self, code, about):
        if code == "no_rows":
            return self.env._("The file has headings, and no award below them.")
        if code == "too_many":
            return self.env._(
                "The file has more than %(most)s awards: cut it by year.", most=MOST_LINES
            )
        if code == "double_column":
            return self.env._(
                "The column “%(column)s” is there twice: delete one of them.",
                column=about["column"],
            )
        return super()._get_file_message(code, about)

    @api.model
    def _get_columns_message(self, about):
        names = {"number": "idBeneficiaire", "amount": "montant", "purpose": "objet"}
        missing = [names[name] for name in about["missing"] or names if name in names]
        return self.env._(
            "No sheet has the columns of awards. Not found: %(columns)s (or another usual name of "
            "these). Take the template, which has them all.",
            columns=", ".join(missing),
        )
