from odoo import api, fields, models
from odoo.tools import SQL


class GrantSeal(models.Model):
    """What the application wrote into a document, each time: the rest, somebody else wrote.

    Append-only and chained as decisions are. Only what has a meaning of its own: amounts, dates,
    states, links, numbers and names, no free texts.
    """

    _name = "grant.seal"
    _description = "What Was Written"
    _inherit = ["grant.append.only.mixin"]
    _order = "id desc"
    _rec_name = "document_model"
    _log_access = False

    document_model = fields.Char(required=True, readonly=True)
    document_id = fields.Many2oneReference(
        model_field="document_model", required=True, readonly=True, aggregator=None
    )
    content = fields.Json(required=True, readonly=True)
    # No link: who only wrote into drafts can be deleted.
    written_by = fields.Integer(string="User Id", required=True, readonly=True, aggregator=None)
    written_at = fields.Datetime(required=True, readonly=True)

    _document_idx = models.Index("(document_model, document_id)")

    @api.model
    def _get_chained_fields(self):
        return ["document_model", "document_id"]

    @api.model
    def _note(self, documents, names):
        """Note that these fields of ``documents`` were written: sealed before the transaction ends.

        :param names: of fields, for each document
        """
        hooks = self.env.cr.precommit
        if not (noted := hooks.data.get(self._name)):
            noted = hooks.data[self._name] = {}
            hooks.add(self._append_noted)
        own = noted.setdefault(documents._name, {})
        for document_id, written in zip(documents._ids, names, strict=True):
            own.setdefault(document_id, set()).update(written)

    @api.model
    def _append_noted(self):
        """Seal what was noted, as the tables have it now, in one statement."""
        noted = self.env.cr.precommit.data.pop(self._name, {})
        same = {}
        for model, documents in noted.items():
            for document_id, names in documents.items():
                same.setdefault((model, frozenset(names)), []).append(document_id)
        if same:
            self._seal([
                (self.env[model], ids, names) for (model, names), ids in same.items()
            ])  # fmt: skip

    @api.private
    @api.model
    def _seal(self, documents):
        """Append what the rows of documents say.

        :param documents: list of (model, ids, names of fields)
        """
        self.env.cr.execute(
            SQL(
                # In an order of their own: nobody waits for whom waits for him.
                """INSERT INTO grant_seal (document_model, document_id, content, written_by,
                                           written_at)
                   SELECT *, %s, clock_timestamp() AT TIME ZONE 'UTC'
                     FROM (%s) contents ORDER BY 1, 2""",
                self.env.uid,
                SQL(" UNION ALL ").join(self._select_contents(*said) for said in documents),
            )
        )

    @api.model
    def _select_contents(self, model, ids, names):
        """SQL of what the rows of these documents say of ``names``: model, id, content."""
        return SQL(
            # One that is gone has no id any more.
            """SELECT %s AS document_model, own.id AS document_id, (
                          SELECT jsonb_object_agg(key, value) FROM jsonb_each(
                              COALESCE(to_jsonb(document), '{"id": null}'))
                           WHERE key = ANY(%s)) AS content
                 FROM unnest(%s::integer[]) AS own (id)
                 LEFT JOIN %s document ON document.id = own.id""",
            model._name,
            ["id", *sorted(names)],
            ids,
            SQL.identifier(model._table),
        )
