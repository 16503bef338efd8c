import hmac

from odoo import models
from odoo.tools.misc import hmac as database_hmac

from ...lib.documents import reference
from .grant_document_wording import CODES


class GrantPdfMixin(models.AbstractModel):
    """The documents say what the city wants them to say, and bear the code that brings their
    signed scans back."""

    _inherit = "grant.pdf.mixin"

    def _get_page_data(self, company, data):
        page, pictures = super()._get_page_data(company, data)
        kind = data.get("kind")
        if kind not in CODES:
            return page, pictures
        words = self.env["grant.document.wording"]._get_words(company, kind)
        words.pop("clauses", None)
        words["signatory"] = words.get("signatory", "").splitlines()
        text = self.env["grant.signed.scan"]._get_reference(self, kind)
        # The city's own grounds, signatory and footer go before what the document proposes.
        code = {"label": text, "alt": self.env._("Code of this document: %s", text)}
        return {**page, **words, "code": code}, {**pictures, "code.svg": reference.draw(text)}

    def _typeset_official(self, template, data):
        """The PDF of a document of ours: as ``_typeset``, with the head that all of them have.

        :param str template: its name in ``report/documents``
        """
        company = self.company_id
        city = company.partner_id._get_identity(data["date"])
        words = self.env["grant.document.wording"]._get_words(company, data["kind"])
        values = {
            "sender": self.env["grant.recovery"]._get_postal_lines(city),
            "signatory": [
                self.env._("For %(city)s,", city=city.name),
                city.legal_representative or self.env._("The mayor"),
            ],
            "heading": data["title"],
            **data,
        }
        words["signatory"] = words.get("signatory", "").splitlines() or values["signatory"]
        words.pop("clauses", None)
        return self._typeset(
            f"ctai_grants_reports/report/documents/{template}.typ", {**values, **words}
        )

    def _format_euros(self, amount):
        return self.currency_id.format(amount)


def sign(env, content):
    """Ten bytes that only this database makes of ``content``."""
    # sudo: the secret of the database, of which only a part of a digest leaves
    digest = database_hmac(env(su=True), "ctai_grants_reports.document", content.hex())
    return bytes.fromhex(digest)[:10]


def is_signature(env, content, code):
    """Whether ``code`` is what :func:`sign` makes of ``content``."""
    return hmac.compare_digest(sign(env, content), code)
