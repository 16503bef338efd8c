from odoo import api, models
from odoo.tools import SQL, format_date

from ...lib.award.history import local_date


class GrantDisbursement(models.Model):
    """The verifier of the dates of orders."""

    _inherit = "grant.disbursement"

    @api.model
    def _get_misdated(self, envelopes):
        """Sentences naming the tranches ordered before the work was certified (city's time)."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                # In the city's time that is a day later at most, which is looked at below.
                """SELECT id FROM grant_disbursement
                    WHERE envelope_id = ANY(%s) AND order_date <= certified_at::date
                 ORDER BY id""",
                envelopes.ids,
            )
        )
        sentences = super()._get_misdated(envelopes)
        for tranche in self.browse(row[0] for row in rows):
            zone = tranche.company_id._grant_timezone()
            if tranche.order_date < (certified := local_date(tranche.certified_at, zone)):
                sentences.append(
                    self.env._(
                        "%(tranche)s: ordered on %(ordered)s, certified on %(certified)s only.",
                        tranche=tranche.display_name,
                        ordered=format_date(self.env, tranche.order_date),
                        certified=format_date(self.env, certified),
                    )
                )
        return sentences
