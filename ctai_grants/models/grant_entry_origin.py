"""How the documents that entries come from are called, where a line of the ledger names them."""

from odoo import api, models


class GrantEntry(models.Model):
    _inherit = "grant.entry"

    @api.model
    def _get_origin_fields(self):
        """What names a document, by model: all that post to the ledger.

        An add-on that makes another model post adds it here.
        """
        return {
            "grant.amendment": "number",
            "grant.contract": "code",
            "grant.disbursement": "name",
            "grant.financial.report": "subsidy_id.code",
            "grant.funding": "name",
            "grant.recovery": "name",
            "grant.subsidy": "code",
        }

    @api.private
    @api.model
    def _post(self, origin, lines):
        if origin._name not in self._get_origin_fields():
            raise ValueError(f"{origin._name}: no name in statements, see _get_origin_fields()")
        return super()._post(origin, lines)

    @api.private
    @api.model
    def _get_origin_names(self, model, ids):
        """Names of documents that entries come from.

        :param str model: as entries name it
        :param ids: of the documents
        :return: dict {id: name}, without those that are gone or were never documents
        """
        field = self._get_origin_fields().get(model)
        if not field:
            return {}
        documents = self.env[model].browse(ids).exists()
        return {document.id: str(document.mapped(field)[0]) for document in documents}
