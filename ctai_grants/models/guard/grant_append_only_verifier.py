from odoo import api, models
from odoo.tools import SQL, LazyTranslate

_lt = LazyTranslate(__name__)

# What is wrong with the lines of each document, the first thing of each chain. Hashed anew here,
# and not by the function that chained them.
BROKEN = """
    WITH line AS (
        SELECT %(key)s AS key, chain, chain_number, chain_previous, chain_hash,
               encode(sha256(convert_to((
                   SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(line))
                    WHERE key <> 'chain_hash' AND value <> 'null')::text, 'UTF8')), 'hex') AS said,
               row_number() OVER lines AS position,
               lag(chain_hash, 1, repeat('0', 64)) OVER lines AS before
          FROM %(table)s line
        WINDOW lines AS (PARTITION BY %(key)s ORDER BY chain_number, id)
    ), chain AS (
        SELECT key, count(*) AS number,
               (array_agg(chain_hash ORDER BY chain_number DESC NULLS FIRST))[1] AS hash
          FROM line GROUP BY key
    ), wrong AS (
        SELECT key, position, CASE
                   WHEN chain IS DISTINCT FROM key OR chain_number IS NULL
                        OR chain_number < position THEN 'foreign'
                   WHEN chain_number > position THEN 'missing'
                   WHEN chain_hash IS DISTINCT FROM said THEN 'altered'
                   WHEN chain_previous IS DISTINCT FROM before THEN 'moved' END AS what
          FROM line
         UNION ALL
        SELECT COALESCE(key, name), LEAST(COALESCE(chain.number, 0), COALESCE(head.number, 0)) + 1,
               CASE WHEN head.number > COALESCE(chain.number, 0) THEN 'missing'
                    WHEN head.number = chain.number THEN 'altered' ELSE 'foreign' END
          FROM chain
          FULL JOIN (SELECT * FROM grant_chain WHERE split_part(name, ' ', 1) = %(name)s) head
            ON name = key
         WHERE chain.number IS DISTINCT FROM head.number OR chain.hash IS DISTINCT FROM head.hash
    )
    SELECT DISTINCT ON (key) key, position, what FROM wrong
     WHERE what IS NOT NULL ORDER BY key, position"""
SENTENCES = {
    "foreign": _lt(
        "%(document)s, line %(number)s of “%(lines)s”: not written by the application, its chain "
        "does not count it."
    ),
    "missing": _lt("%(document)s, line %(number)s of “%(lines)s”: deleted, its chain counts it."),
    "altered": _lt(
        "%(document)s, line %(number)s of “%(lines)s”: altered, it does not match its hash."
    ),
    "moved": _lt(
        "%(document)s, line %(number)s of “%(lines)s”: it does not follow the hash of the line "
        "before it."
    ),
}


class GrantAppendOnlyMixin(models.AbstractModel):
    """The verifier of what is never changed: the chains of lines (R3, R5)."""

    _inherit = "grant.append.only.mixin"

    @api.private
    @api.model
    def _get_broken_lines(self):
        """Sentences naming, of each document, the first line that was altered, deleted, added or
        moved behind the guards of the database: of decisions, versions, identities and so on."""
        self.env.flush_all()
        found = [self.env[name] for name in self.pool.descendants([self._name], "_inherit")]
        chained = [model for model in found if not model._abstract and model._get_chained_fields()]
        sentences = {what: self.env._(text) for what, text in SENTENCES.items()}
        return [
            sentences[what]
            % {
                "document": self._name_chain(model, key),
                "lines": self.env["ir.model"]._get(model._name).name,
                "number": number,
            }
            for model in sorted(chained, key=lambda model: model._name)
            for key, number, what in model._select_broken_lines()
        ]

    @api.model
    def _select_broken_lines(self):
        """Key of each chain of this model that does not hold, number of the line, and what it is:
        list of tuples."""
        parts = [
            SQL("%s || %s", f"{name}=", SQL.identifier(name)) for name in self._get_chained_fields()
        ]
        key = SQL("concat_ws(' ', %s, %s)", self._table, SQL(", ").join(parts))
        table = SQL.identifier(self._table)
        return self.env.execute_query(SQL(BROKEN, key=key, table=table, name=self._table))

    @api.model
    def _name_chain(self, model, key):
        """The document that the lines of a chain are of, in words."""
        columns = dict(part.split("=", 1) for part in key.split(" ")[1:])
        (name, value), *others = columns.items()
        field = model._fields[name]
        if field.type == "many2one":
            return self._name_document(field.comodel_name, int(value))
        return self._name_document(value, int(others[0][1]))

    @api.model
    def _name_document(self, model, document_id):
        """A document, or where it is no more, its model and number."""
        label = self.env["ir.model"]._get(model).name or model
        document = model in self.env and self.env[model].browse(document_id).exists()
        # sudo: a name, for who verifies
        return (document and document.sudo().display_name) or f"{label} {document_id}"
