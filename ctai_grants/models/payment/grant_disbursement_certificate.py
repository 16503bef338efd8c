from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class GrantDisbursement(models.Model):
    """The certificate that the work was done (service fait): its day, and what is said of it."""

    _inherit = "grant.disbursement"

    service_date = fields.Date(
        string="Work Done On",
        readonly=True,
        copy=False,
        tracking=True,
        help="The day on which the work was found done, as the certificate says.",
    )
    service_note = fields.Text(string="Comment of the Certificate", readonly=True, copy=False)

    def action_ask_certificate(self):
        """Ask for the date and comment of the certificate.

        :raise UserError: a tranche is in a wrong state, or waits for something
        :raise AccessError: the user is not a coordinator
        """
        what = self._check_certifier()
        self._check_state(("planned", "ready"), what)
        # sudo: conditions by the facts of today, for who may certify; whose jobs run at night
        self.sudo()._refresh_readiness()
        for disbursement in self:
            disbursement._check_blockers()
        return {
            "type": "ir.actions.act_window",
            "name": what,
            "res_model": "grant.disbursement.certify",
            "view_mode": "form",
            "target": "new",
            "context": {"default_disbursement_ids": [Command.set(self.ids)]},
        }

    def action_certify(self):
        """Certify that the work was done (service fait), as of today.

        :raise UserError: a condition is unmet, naming each
        :raise AccessError: the user is not a coordinator
        """
        self._do_certify()
        return True

    def _do_certify(self, date=None, comment=None):
        """Certify that the work was done.

        :param date: day on which it was found done; today in the city by default
        :param str comment: what the certificate says of it
        :raise UserError: a condition is unmet, or the date comes before the award or in the future
        :raise AccessError: the user is not a coordinator
        """
        what = self._check_certifier()
        self.lock_for_update()
        self._check_state(("planned", "ready"), what)
        # Under the lock: what counts are the facts of now, not those of the last look.
        self._refresh_readiness()
        for disbursement in self:
            disbursement._check_blockers()
            day = fields.Date.to_date(date) or disbursement.company_id._grant_today()
            if date:
                disbursement._check_service_date(day)
            disbursement._decide(
                "certified",
                comment,
                certified_by_id=self.env.uid,
                certified_at=fields.Datetime.now(),
                service_date=day,
                service_note=comment or False,
            )
            disbursement._ask_finance()

    def _check_certifier(self):
        what = self.env._("Certifying the work done")
        self._check_group("group_coordinator", what)
        self._check_person(what)
        return what

    def _check_service_date(self, day):
        """Refuse a day that is still to come, or from before the award and its signature.

        :raise UserError: naming the tranche and both dates
        """
        about = {"tranche": self.display_name, "date": format_date(self.env, day)}
        today = self.company_id._grant_today()
        if day > today:
            raise UserError(
                self.env._(
                    "%(tranche)s: the work cannot be certified as done on %(date)s, that day is "
                    "still to come. Enter today's date, %(today)s, or an earlier one.",
                    today=format_date(self.env, today),
                    **about,
                )
            )
        subsidy = self.subsidy_id
        award = max(filter(None, (subsidy.decision_date, subsidy.signature_date)), default=day)
        if day < award:
            raise UserError(
                self.env._(
                    "%(tranche)s: work done on %(date)s would come before the award and its "
                    "signature, of %(award)s. Date the certificate of that day, or later.",
                    award=format_date(self.env, award),
                    **about,
                )
            )

    def _get_uncertified(self):
        """What a tranche says that is not certified any more."""
        names = ("certified_by_id", "certified_at", "service_date", "service_note")
        return dict.fromkeys(names, False)

    def _make_certificates(self):
        """Keep the document of each certificate beside it: what prints documents does it."""
