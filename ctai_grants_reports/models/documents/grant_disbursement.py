from odoo import models
from odoo.tools.misc import format_date

from odoo.addons.ctai_grants.lib.award.history import local_date


class GrantDisbursement(models.Model):
    """The payment certificate: that the work was done (service fait), and on what it rests."""

    _inherit = "grant.disbursement"

    def _print_payment_certificate(self):
        """Name and PDF, in the language of the city.

        :raise UserError: it is not certified
        """
        self.ensure_one()
        self._check_state(
            ("certified", "ordered", "paid"), self.env._("Printing the payment certificate")
        )
        company = self.company_id
        tranche = self.with_context(lang=company.partner_id.lang or self.env.lang)
        date = local_date(tranche.certified_at, company._grant_timezone())
        title = tranche.env._(
            "Payment certificate – %(subsidy)s – %(tranche)s",
            subsidy=tranche.subsidy_id.code,
            tranche=tranche.name,
        )
        data = {
            "kind": "payment_certificate",
            "title": title,
            "date": date,
            "facts": tranche._get_certificate_facts(date),
            "text": tranche._get_certificate_text(date),
            "conditions": tranche._get_conditions_table(),
            # Who certified, whoever signs the papers of the city.
            "certified": [
                tranche.env._("Certified on %s by", format_date(tranche.env, date)),
                # sudo: the name of a colleague
                tranche.sudo().certified_by_id.name,
            ],
        }
        return title, tranche._typeset_official("payment_certificate", data)

    def _make_certificates(self):
        result = super()._make_certificates()
        for disbursement in self:
            title, content = disbursement._print_payment_certificate()
            disbursement.message_post(
                body=disbursement.env._("Payment certificate"),
                attachments=[(f"{title}.pdf", content)],
            )
        return result

    def _get_certificate_facts(self, date):
        env, subsidy = self.env, self.subsidy_id
        partner = self.partner_id._get_identity(date)
        decision = subsidy.decision_number or ""
        if subsidy.decision_date:
            decision += f" ({format_date(env, subsidy.decision_date)})"
        facts = [
            [env._("Beneficiary"), partner.name],
            ["SIRET", partner._get_siret() or ""],
            [env._("Subsidy"), f"{subsidy.code} – {subsidy.name}"],
            [env._("Decision"), decision],
            [env._("Convention"), subsidy.convention_reference or ""],
            [env._("Envelope"), self.envelope_id.display_name],
            [env._("Tranche"), self.name],
            [env._("Amount"), self._format_euros(self.amount)],
            [env._("In words"), self.currency_id.amount_to_text(self.amount).lower()],
        ]
        return [fact for fact in facts if fact[1]]

    def _get_certificate_text(self, date):
        text = self.env._(
            "I certify that the conditions of this payment, listed below, were met on %(date)s, "
            "that the work was done, and that %(amount)s can be paid to the beneficiary.",
            date=format_date(self.env, date),
            amount=self._format_euros(self.amount),
        )
        if self.service_date:
            day = format_date(self.env, self.service_date)
            text += "\n\n" + self.env._("The work was found done on %s.", day)
        return f"{text}\n\n{self.service_note}" if self.service_note else text

    def _get_conditions_table(self):
        states = dict(self.env["grant.condition"]._fields["state"]._description_selection(self.env))
        return {
            "title": self.env._("Conditions of the payment"),
            "headings": [self.env._("Condition"), self.env._("State"), self.env._("Evidence")],
            "rows": [
                [condition.display_name, states[condition.state], condition.evidence or ""]
                for condition in self.condition_ids.sorted(lambda c: (c.sequence, c.id))
            ],
            "total": [],
            "empty": self.env._("No condition."),
        }
