from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date


class GrantRecovery(models.Model):
    """The dates of a recovery follow each other: the letter, the delay, the decision, the claim."""

    _inherit = "grant.recovery"

    def _check_claim_date(self, date):
        """Refuse a claim from before it was decided.

        :raise UserError: naming the recovery and both dates
        """
        if date < self.decided_date:
            raise UserError(
                self.env._(
                    "%(recovery)s was decided on %(decided)s: it is not claimed on %(date)s, "
                    "before that. Date the claim of that day, or later.",
                    recovery=self.display_name,
                    decided=format_date(self.env, self.decided_date),
                    date=format_date(self.env, date),
                )
            )

    @api.model
    def _get_misdated(self, envelopes):
        """Sentences naming the recoveries decided before the delay was over, or claimed before they
        were decided."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT id, decided_date <= answer_deadline FROM grant_recovery
                    WHERE envelope_id = ANY(%s)
                      AND (decided_date <= answer_deadline OR claim_date < decided_date)
                 ORDER BY id""",
                envelopes.ids,
            )
        )
        sentences = super()._get_misdated(envelopes)
        for recovery_id, is_early in rows:
            recovery = self.browse(recovery_id)
            if is_early:
                sentence = self.env._(
                    "%(recovery)s was decided on %(decided)s, when the operator could answer until "
                    "%(deadline)s."
                )
            else:
                sentence = self.env._(
                    "%(recovery)s was claimed on %(claimed)s and decided on %(decided)s only."
                )
            sentences.append(
                sentence
                % {
                    "recovery": recovery.display_name,
                    "decided": format_date(self.env, recovery.decided_date),
                    "deadline": format_date(self.env, recovery.answer_deadline),
                    "claimed": format_date(self.env, recovery.claim_date),
                }
            )
        return sentences
