from odoo import api, models
from odoo.tools import SQL, format_date


class GrantEntry(models.Model):
    """The verifier of where entries come from, and of their days."""

    _inherit = "grant.entry"

    @api.model
    def _get_strays(self, envelopes):
        """Sentences naming the entries of ``envelopes`` that come from no document, or from one
        that posts no such entry there."""
        self.env.flush_all()
        sources = self._get_sources()
        unknown = SQL(
            """SELECT envelope_id, number FROM grant_entry
                WHERE envelope_id = ANY(%s) AND origin_model <> ALL(%s)""",
            envelopes.ids,
            [source._name for source in sources],
        )
        queries = [unknown, *(source._select_strays(envelopes) for source in sources)]
        rows = self.env.execute_query(
            SQL(
                """SELECT entry.id FROM grant_entry entry JOIN (%s) stray
                    USING (envelope_id, number) ORDER BY envelope_id, number""",
                SQL(" UNION ALL ").join(queries),
            )
        )
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        return [
            self.env._(
                "Envelope “%(envelope)s”: entry %(number)s (%(kind)s, %(amount)s) says that it "
                "comes from %(document)s: there is no such document there that posts it.",
                envelope=entry.envelope_id.display_name,
                number=entry.number,
                kind=kinds.get(entry.kind, entry.kind),
                amount=entry.currency_id.format(entry.amount),
                document=self._name_document(entry.origin_model, entry.origin_id),
            )
            for entry in self.browse(row[0] for row in rows)
        ]

    @api.model
    def _get_postdated(self, envelopes):
        """Sentences naming the entries of ``envelopes`` dated before their contract is in force, or
        in the future."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT entry.id FROM grant_entry entry
                     JOIN grant_contract contract ON contract.id = entry.contract_id
                    WHERE entry.envelope_id = ANY(%s)
                      AND (entry.date < contract.force_date OR entry.date > %s)
                 ORDER BY entry.envelope_id, entry.number""",
                envelopes.ids,
                self.env["res.company"]._get_grant_today_sql(SQL("entry.company_id")),
            )
        )
        return [
            self.env._(
                "Envelope “%(envelope)s”: entry %(number)s is dated %(date)s, before the contract "
                "is in force or in the future.",
                envelope=entry.envelope_id.display_name,
                number=entry.number,
                date=format_date(self.env, entry.date),
            )
            for entry in self.browse(row[0] for row in rows)
        ]
