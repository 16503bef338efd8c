from odoo import api, models
from odoo.tools import SQL

# Documents whose tables do not say what was sealed: what the application wrote last of each field,
# and the row as it is.
DIFFERING = """
    WITH said AS (
        SELECT document_id, jsonb_object_agg(key, value ORDER BY seal.id) AS content
          FROM grant_seal seal, jsonb_each(seal.content)
         WHERE document_model = %(model)s AND key = ANY(%(names)s)
      GROUP BY document_id
    )
    SELECT COALESCE(document.id, said.document_id), said.content, to_jsonb(document)
      FROM said
      FULL JOIN %(table)s document ON document.id = said.document_id
     WHERE said.content IS NULL
        OR (said.content -> 'id' = 'null') <> (document.id IS NULL)
        OR NOT to_jsonb(document) @> said.content
  ORDER BY 1"""


class GrantSeal(models.Model):
    """The verifier of documents: their tables say what the application wrote, and nothing else."""

    _inherit = "grant.seal"

    @api.private
    @api.model
    def _get_altered_documents(self):
        """Sentences naming each document that something else than the application changed, made or
        deleted, and what of it."""
        # What this transaction wrote itself.
        self.env.flush_all()
        self._append_noted()
        return [
            sentence
            for name in sorted(self.pool.descendants(["grant.sealed.mixin"], "_inherit"))
            if not self.env[name]._abstract and self.env[name]._get_sealed_fields()
            for sentence in self._get_altered(self.env[name])
        ]

    @api.model
    def _get_altered(self, model):
        names = ["id", *model._get_sealed_fields()]
        table = SQL.identifier(model._table)
        rows = self.env.execute_query(SQL(DIFFERING, model=model._name, names=names, table=table))
        sentences = []
        for document_id, said, now in rows:
            document = self._name_document(model._name, document_id)
            if said is None or (now and said["id"] is None):
                sentences.append(
                    self.env._("%(document)s: not made by the application.", document=document)
                )
            elif now:
                sentences += self._get_differences(model, document, said, now)
            elif not self._is_taken_along(model, said):
                sentences.append(
                    self.env._("%(document)s: not deleted by the application.", document=document)
                )
        return sentences

    @api.model
    def _get_differences(self, model, document, said, now):
        return [
            self.env._(
                "%(document)s: the table says “%(field)s” is %(now)s, the application wrote "
                "%(said)s.",
                document=document,
                field=model._fields[name]._description_string(self.env),
                now=self.env._("nothing") if now[name] is None else now[name],
                said=self.env._("nothing") if said[name] is None else said[name],
            )
            for name in sorted(said)
            if said[name] != now[name] and not self._is_emptied(model, name, said[name], now[name])
        ]

    @api.model
    def _is_emptied(self, model, name, said, now):
        """Whether the database emptied a link because what it named was deleted."""
        field = model._fields[name]
        is_link = field.type == "many2one" and field.ondelete == "set null"
        return is_link and now is None and not self.env[field.comodel_name].browse(said).exists()

    @api.model
    def _is_taken_along(self, model, said):
        """Whether the database deleted a line because its document was deleted."""
        return any(
            field.type == "many2one" and field.ondelete == "cascade" and said.get(name)
            and not self.env[field.comodel_name].browse(said[name]).exists()
            for name, field in model._fields.items()
        )  # fmt: skip
