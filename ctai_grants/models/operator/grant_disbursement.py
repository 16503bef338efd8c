import datetime

from odoo import models

from ..guard.dates import say_day

#: The city's turn: nothing more is asked of the operator.
OWED = ("ready", "certified", "ordered")


class GrantDisbursement(models.Model):
    """What the operator's pages say of a tranche, and the notice of its payment as a PDF."""

    _name = "grant.disbursement"
    _inherit = ["grant.disbursement", "grant.pdf.mixin"]

    def _get_owed_tranches(self):
        """Those of these tranches that the city, or the State, has to pay now, the first due
        first."""
        return self.filtered(
            lambda tranche: tranche.subsidy_id.state == "signed" and tranche.state in OWED
        ).sorted(lambda tranche: (tranche._get_payment_day() or datetime.date.max, tranche.id))

    def _get_payment_day(self):
        """The last day on which this tranche is paid in time, as the operator reads it."""
        self.ensure_one()
        return self.payment_deadline or self.due_date

    def _is_owed_late(self):
        """Whether that day is over."""
        day = self._get_payment_day()
        return bool(day) and day < self.company_id._grant_today()

    def _print_payment_notice(self):
        """In the operator's language, from the back office.

        :raise UserError: it is not paid
        """
        self._check_state(("paid",), self.env._("Printing the notice of payment"))
        return self.with_context(lang=self.partner_id.lang or self.env.lang)._make_receipt()

    def _make_receipt(self):
        """The notice of payment of this paid tranche, in the user's language: its name, and the
        PDF.

        :raise UserError: no PDF can be made of it
        """
        self.ensure_one()
        subsidy, day = self.subsidy_id, self.paid_date
        city = self.company_id.partner_id._get_identity(day)
        title = self.env._(
            "Notice of payment – %(subsidy)s – %(tranche)s", subsidy=subsidy.code, tranche=self.name
        )
        lines = self.env["grant.recovery"]._get_postal_lines
        return title, self._typeset(
            "ctai_grants/report/letter.typ",
            {
                "kind": "payment_notice",
                "title": title,
                "date": day,
                "sender": lines(city),
                "recipient": lines(self.partner_id._get_identity(day)),
                "reference": title,
                "text": self._get_receipt_text(),
                "signature": [],
            },
        )

    def _get_receipt_text(self):
        subsidy = self.subsidy_id
        about = {
            "amount": self.currency_id.format(self._get_amount_after_reductions()),
            "date": say_day(self.env, self.paid_date),
            "tranche": self.name,
            "subsidy": subsidy.name,
            "code": subsidy.code,
        }
        if self.payment_path == "direct":
            paragraphs = [
                self.env._(
                    "The State paid you %(amount)s on %(date)s: “%(tranche)s” of the subsidy "
                    "“%(subsidy)s” (%(code)s).",
                    **about,
                )
            ]
        else:
            paragraphs = [
                self.env._(
                    "The city paid you %(amount)s on %(date)s: “%(tranche)s” of the subsidy "
                    "“%(subsidy)s” (%(code)s).",
                    **about,
                )
            ]
        if subsidy.decision_number and subsidy.decision_date:
            paragraphs.append(
                self.env._(
                    "It was granted by decision %(number)s of %(date)s.",
                    number=subsidy.decision_number,
                    date=say_day(self.env, subsidy.decision_date),
                )
            )
        paragraphs.append(
            self.env._(
                "This notice is for your accounts. It tells of a payment and gives no right to "
                "another one."
            )
        )
        return "\n\n".join(paragraphs)
