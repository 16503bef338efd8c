from odoo import api, models
from odoo.tools import format_date


class GrantDocumentMixin(models.AbstractModel):
    """The verifier of what documents say of amounts, states and dates that are said elsewhere too:
    in the ledger, in accounting, in other documents. Each layer adds what it knows."""

    _inherit = "grant.document.mixin"

    @api.model
    def _select_misstated(self, envelopes):
        """SQL of the documents of ``envelopes`` that say something else: list of queries for
        ``id``, name of the field, what it says and what it should say, both as text.

        What posts is not asked, here or anywhere in it.
        """
        return []

    @api.model
    def _get_misstated(self, envelopes):
        """Sentences naming the documents of ``envelopes`` that say something else than the ledger,
        accounting and the documents they rest on."""
        self.env.flush_all()
        return [
            self.env._(
                "%(document)s: “%(field)s” is %(stored)s, by the ledger and the other documents it "
                "is %(said)s.",
                document=document.display_name,
                field=document._fields[name]._description_string(self.env),
                stored=document._format_stated(name, stored),
                said=document._format_stated(name, said),
            )
            for query in self._select_misstated(envelopes)
            for document_id, name, stored, said in self.env.execute_query(query)
            for document in self.browse(document_id)
        ]

    def _format_stated(self, name, value):
        field = self._fields[name]
        if value is None:
            return self.env._("nothing")
        match field.type:
            case "monetary":
                return self[field.get_currency_field(self)].format(float(value))
            case "date":
                return format_date(self.env, value)
            case "selection":
                return dict(field._description_selection(self.env)).get(value, value)
        return value
