from odoo import models
from odoo.tools import format_date


class GrantRecovery(models.Model):
    """A letter that its operator may answer is one of the things to do on its pages."""

    _inherit = "grant.recovery"

    def _get_steps(self):
        """What the operator may do for these notified recoveries while the delay runs: as
        ``grant.deliverable`` ``_get_steps``."""
        # The delay is over: what comes next is the city's.
        running = self.filtered(
            lambda recovery: recovery.answer_deadline >= recovery.company_id._grant_today()
        )
        return [
            {
                "subsidy": recovery.subsidy_id,
                "piece": False,
                "date": recovery.answer_deadline,
                "late": False,
                "sentence": recovery.env._(
                    "The city considers asking you to pay back %(amount)s: you can answer its "
                    "letter until %(date)s.",
                    amount=recovery.currency_id.format(recovery.amount),
                    date=format_date(recovery.env, recovery.answer_deadline, date_format="long"),
                ),
                "gain": False,
                "answer": False,
                "url": f"/my/subsidies/{recovery.subsidy_id.id}#recoveries",
                "button": recovery.env._("See the letter"),
            }
            for recovery in running
        ]
