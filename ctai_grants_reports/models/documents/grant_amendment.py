from odoo import models


class GrantAmendment(models.Model):
    """The amendment on paper: what it changes, from what to what."""

    _name = "grant.amendment"
    _inherit = ["grant.amendment", "grant.pdf.mixin"]

    def _print_amendment(self):
        """Name and PDF."""
        self.ensure_one()
        # What it is to: an operator's subsidy, or the contract with the State.
        document = self._get_document()
        partner = self.subsidy_id.partner_id or self.contract_id.funder_id
        amendment = self.with_context(lang=partner.lang or self.env.lang)
        date = amendment.signature_date or amendment.company_id._grant_today()
        about = {"number": amendment.number, "document": document.code}
        title = amendment.env._("Amendment no. %(number)s to %(document)s", **about)
        data = {
            "kind": "amendment",
            "title": title,
            "date": date,
            "mark": "" if amendment.state == "signed" else amendment.env._("DRAFT"),
            "subtitle": document.name,
            **amendment._get_amendment_parts(partner, date),
        }
        return title, amendment._typeset_official("amendment", data)

    def _get_amendment_parts(self, partner, date):
        env, subsidies = self.env, self.env["grant.subsidy"]
        city = self.company_id.partner_id._get_identity(date)
        other = partner._get_identity(date)
        words = env["grant.document.wording"]._get_words(self.company_id, "amendment")
        grounds = []
        if self.decision_number and self.decision_date:
            grounds = [subsidies._say_deliberation(self.decision_number, self.decision_date)]
        return {
            "parties": [
                [env._("Between, on the one hand,"), subsidies._get_party_lines(city)],
                [env._("and, on the other hand,"), subsidies._get_party_lines(other)],
            ],
            "grounds": "\n\n".join(grounds),
            "article_word": env._("Article"),
            "articles": [
                [env._("Object"), self.reason or env._("The amendment changes what follows.")],
                [
                    env._("What changes"),
                    "\n".join(f"– {sentence}" for sentence in self._get_sentences())
                    or env._("It changes nothing."),
                ],
                [env._("The rest"), env._("All other provisions stay as they are.")],
            ],
            "signatures": [
                words.get("signatory", "").splitlines()
                or [
                    env._("For %(city)s,", city=city.name),
                    city.legal_representative or env._("The mayor"),
                ],
                [
                    env._("For %(city)s,", city=other.name),
                    other.legal_representative or env._("The legal representative"),
                ],
            ],
            "annexes": [],
        }
