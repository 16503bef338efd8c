from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ...lib.award.history import local_date
from ..guard.obstacle import put_in_lines


class GrantAmendment(models.Model):
    """A wrong date of a signed amendment: corrected by an act, with its reason."""

    _name = "grant.amendment"
    _inherit = ["grant.amendment", "grant.corrected.mixin"]

    _correction_states = ("signed",)

    @api.model
    def _get_decision_states(self):
        return {**super()._get_decision_states(), "corrected": None}

    def _get_correctable_dates(self):
        council = () if self.kind == "own_cost" else ("decision_date", "executory_date")
        return (*council, "signature_date")

    def _get_dated_envelopes(self):
        return self.subsidy_id.envelope_id | self.contract_id.envelope_ids

    def _lock_dates(self):
        self._lock_items()
        return super()._lock_dates()

    def _check_correction(self, name, date):
        result = super()._check_correction(name, date)
        self._get_document()._check_state(
            ("signed", "in_force"), self.env._("Correcting the date of an amendment")
        )
        supposed = self.new({}, origin=self)
        supposed[name] = date
        obstacles = supposed._get_date_obstacles()
        if not date:
            obstacles.append(self.env._("Its dates cannot be empty."))
        if name == "signature_date" and date:
            obstacles += self._get_certified_since(date)
        if obstacles:
            raise UserError(
                self.env._(
                    "%(amendment)s cannot be dated so:\n%(obstacles)s",
                    amendment=self.display_name,
                    obstacles=put_in_lines(obstacles),
                )
            )
        return result

    def _check_follow(self, date):
        """Refuse a signature of the amended document after that of these amendments.

        :raise UserError: naming the first of them
        """
        signed = self.filtered(lambda amendment: amendment.state == "signed")
        for first in signed.sorted("signature_date")[:1]:
            if first.signature_date < date:
                raise UserError(
                    self.env._(
                        "%(amendment)s was signed on %(signed)s: what it amends cannot have been "
                        "signed on %(date)s, after it.",
                        amendment=first.display_name,
                        signed=format_date(self.env, first.signature_date),
                        date=format_date(self.env, date),
                    )
                )

    def _get_certified_since(self, date):
        """Sentences on tranches that are as this amendment made them, and were certified before
        ``date``."""
        changed = self.tranche_line_ids.filtered(lambda line: line.operation != "same")
        tranches = self.env["grant.disbursement"].browse(changed.mapped("item_id")).exists()
        timezone = self.company_id._grant_timezone()
        return [
            self.env._(
                "%(tranche)s, which it changed, was certified on %(certified)s, before.",
                tranche=tranche.display_name,
                certified=format_date(self.env, local_date(tranche.certified_at, timezone)),
            )
            for tranche in tranches.filtered("certified_at")
            if local_date(tranche.certified_at, timezone) < date
        ]

    def _record_correction(self, name, date, text):
        # sudo: nobody writes a signed one; who may correct its date was checked, and is kept
        self_sudo = self.sudo()
        # A decision is about a subsidy: a contract's amendment tells it itself.
        if not self.subsidy_id:
            return super(GrantAmendment, self_sudo)._record_correction(name, date, text)
        return self_sudo._decide("corrected", text, **{name: date})
