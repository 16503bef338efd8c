from odoo import api, models
from odoo.tools import SQL

# What an entry and the document it comes from both say.
SHARED = ("subsidy_id", "envelope_id", "contract_id", "company_id")


class GrantSourceMixin(models.AbstractModel):
    """The verifier of where entries come from: a document that is there, posts such entries, and
    is of the same subsidy and envelope."""

    _inherit = "grant.source.mixin"

    @api.model
    def _select_strays(self, envelopes):
        """SQL of the entries that do not come from the document they name: ``envelope_id``,
        ``number``."""
        owner = {"grant.subsidy": "subsidy_id", "grant.contract": "contract_id"}.get(self._name)
        differs = [
            SQL("document.%s <> entry.%s", SQL.identifier(name), SQL.identifier(name))
            for name in SHARED
            if name in self._fields and self._fields[name].store and name != owner
        ]
        if owner:
            differs.append(SQL("document.id IS DISTINCT FROM entry.%s", SQL.identifier(owner)))
        return SQL(
            """SELECT entry.envelope_id, entry.number
                 FROM grant_entry entry
                 LEFT JOIN %s document ON document.id = entry.origin_id
                WHERE entry.envelope_id = ANY(%s) AND entry.origin_model = %s
                  AND (document.id IS NULL OR entry.kind <> ALL(%s) OR %s)""",
            SQL.identifier(self._table),
            envelopes.ids,
            self._name,
            list(self._entry_kinds),
            SQL(" OR ").join(differs),
        )

    @api.model
    def _get_ledger_days(self):
        """SQL of the days on which the ledger has money of the document that ``own`` names, by
        ``origin_model`` and ``origin_id``."""
        return SQL(
            """SELECT date FROM grant_entry WHERE grant_entry.origin_model = own.origin_model
                  AND grant_entry.origin_id = own.origin_id"""
        )
