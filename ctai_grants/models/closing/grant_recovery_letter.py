from odoo import api, fields, models
from odoo.fields import Domain

from ..guard.dates import say_day


class GrantRecovery(models.Model):
    """The letter that tells the operator: facts, legal ground, delay to answer."""

    _name = "grant.recovery"
    _inherit = ["grant.recovery", "grant.pdf.mixin"]

    is_delay_over = fields.Boolean(
        string="Delay to Answer Over", compute="_compute_is_delay_over",
        search="_search_is_delay_over",
    )  # fmt: skip

    @api.depends("state", "answer_deadline")
    def _compute_is_delay_over(self):
        for recovery in self:
            recovery.is_delay_over = bool(
                recovery.state == "notified"
                and recovery.answer_deadline
                and recovery.answer_deadline < recovery.company_id._grant_today()
            )

    @api.model
    def _search_is_delay_over(self, operator, value):
        if operator != "in":
            return NotImplemented
        over = Domain("state", "=", "notified") & self.env["res.company"]._get_grant_today_domain(
            lambda today: Domain("answer_deadline", "<", today)
        )
        return Domain.OR(over if wanted else ~over for wanted in value)

    def action_write_letter(self):
        """Write the letter from the template; what was written before is replaced.

        :raise UserError: already notified, or the facts are missing
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        what = self.env._("Writing the letter")
        self._check_staff(what)
        self._check_state(("identified",), what)
        for recovery in self:
            recovery._check_facts()
            # In the language of the operator, who will read it.
            recovery.letter = recovery.with_context(
                lang=recovery.partner_id.lang or self.env.lang
            )._get_letter_text()
            recovery.letter_date = recovery.company_id._grant_today()
        return True

    def _get_letter_text(self):
        """The letter that the template makes of this recovery: plain text, paragraphs."""
        self.ensure_one()
        subsidy = self.subsidy_id
        paragraphs = (
            self.env._(
                "Subject: subsidy %(subsidy)s (%(object)s), money to be paid back",
                subsidy=subsidy.code,
                object=subsidy.name,
            ),
            self.env._(
                "By decision %(decision)s, the city granted you %(granted)s, of which %(paid)s "
                "were paid.",
                decision=subsidy.decision_number or subsidy.code,
                granted=self.currency_id.format(subsidy.amount),
                paid=self.currency_id.format(subsidy.paid_amount - subsidy.recovered_amount),
            ),
            self.facts.strip(),
            self._get_legal_ground(),
            self.env._(
                "For these reasons the city considers asking you to pay back %(amount)s.",
                amount=self.currency_id.format(self.amount),
            ),
            self.env._(
                "You have %(days)s days from the receipt of this letter to make written "
                "observations, or spoken ones if you ask for it. You may be assisted by counsel or "
                "represented by a person of your choice (code des relations entre le public et "
                "l'administration, articles L121-1 and L122-1). The city decides after that.",
                days=self.company_id.grant_contradictory_days,
            ),
        )
        return "\n\n".join(paragraphs)

    def _get_legal_ground(self):
        match self.reason:
            case "cer":
                return self.env._(
                    "An organisation that breaches the contrat d'engagement républicain pays the "
                    "subsidy back, pro rata of the period that was left on the day of the breach "
                    "(loi n° 2000-321 of 12 April 2000, article 10-1; décret n° 2021-1947 of 31 "
                    "December 2021)."
                )
            case "condition":
                return self.env._(
                    "A subsidy whose conditions are not met can be withdrawn (code des relations "
                    "entre le public et l'administration, article L242-2, 2°)."
                )
            case "overpaid":
                return self.env._(
                    "Who receives what is not owed has to give it back (code civil, article 1302)."
                )
        return self.env._(
            "A subsidy is used for the object it was granted for, and its use is accounted for "
            "(loi n° 2000-321 of 12 April 2000, article 10; code général des collectivités "
            "territoriales, article L1611-4)."
        )

    def _print_recovery_letter(self):
        return self._make_pdf()

    def _make_pdf(self):
        """The letter: its name, and the PDF.

        :raise UserError: the letter is not written
        """
        self.ensure_one()
        self._check_letter()
        partner = self.partner_id
        # As the text was written: in the language of who will read it.
        letter = self.with_context(lang=partner.lang or self.env.lang)
        # Written by hand, it may have no date yet.
        date = self.letter_date or self.company_id._grant_today()
        city = self.company_id.partner_id._get_identity(date)
        content = letter._typeset(
            "ctai_grants/report/letter.typ",
            {
                "kind": "recovery_letter",
                "title": letter.env._("Recovery %(number)s", number=self.name),
                "date": date,
                "sender": self._get_postal_lines(city),
                "recipient": self._get_postal_lines(partner._get_identity(date), with_person=True),
                "reference": letter.env._(
                    "Recovery %(number)s – %(date)s",
                    number=self.name,
                    date=say_day(letter.env, date),
                ),
                "text": self.letter,
                "signature": [
                    letter.env._("For %(city)s,", city=city.name),
                    city.legal_representative or "",
                ],
            },
        )
        return self.name, content

    @api.model
    def _get_postal_lines(self, partner, with_person=False):
        # Its name is the first line already.
        address = partner._display_address(without_company=True)
        person = partner.legal_representative if with_person else ""
        lines = [person or "", *map(str.strip, address.splitlines())]
        return [partner.name, *filter(None, lines)]

    def action_print_letter(self):
        """Open the letter as a PDF.

        :raise UserError: the letter is not written
        """
        self.ensure_one()
        self._check_letter()
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/recoveries/{self.id}/letter",
            "target": "download",
        }
