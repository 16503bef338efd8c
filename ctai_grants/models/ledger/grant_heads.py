import datetime
import hashlib

from odoo import api, models
from odoo.tools import SQL

from ...lib.ledger.heads import Head

# Lines are numbered before their transactions end: after that long, none comes in before another.
SETTLED = "1 hour"
BATCH = 5000


class GrantHeads(models.AbstractModel):
    """The chains of the database and where they stand: what leaves it each day.

    Those of the ledger, and one for all lines of each kind that documents add (decisions, versions,
    what was written): of kind the name of their table, whose head is the hash of all their hashes.
    """

    _name = "grant.heads"
    _description = "Heads of the Chains"

    @api.model
    def _get_heads(self, company):
        """The heads of all chains of ``company`` that have begun, in a lasting order, and of the
        lines of the whole database.

        :return: list of :class:`ctai_grants.lib.ledger.heads.Head`, without a time
        """
        # sudo: all of them leave, whoever asks
        envelopes = self.env["grant.envelope"].sudo()
        begun = envelopes.search(
            [("company_id", "=", company.id), ("entry_count", ">", 0)], order="id"
        )
        heads = [
            Head(
                "envelope",
                envelope.id,
                f"{envelope.contract_id.code}/{envelope.code}",
                envelope.entry_count,
                envelope.chain_head,
            )
            for envelope in begun
        ]
        named = self.with_context(lang=company.partner_id.lang)
        return heads and heads + [*named._get_heads_of_lines()]

    @api.model
    def _get_heads_of_lines(self):
        self.env.flush_all()
        for table, model in self._get_chained().items():
            ((last,),) = self.env.execute_query(
                SQL(
                    """SELECT max(id) FILTER (WHERE id < COALESCE(young, id + 1))
                         FROM %(table)s, (
                              SELECT min(id) AS young FROM %(table)s
                               WHERE chain_time > clock_timestamp() - %(settled)s::interval
                              ) recent""",
                    table=SQL.identifier(table),
                    settled=SETTLED,
                )
            )
            if last:
                name = self.env["ir.model"]._get(model).name
                yield Head(table, 0, name, last, self._hash_lines(table, [last])[last])

    @api.model
    def _get_chained(self):
        """The models whose lines are chained: dict {table: name of the model}."""
        names = sorted(self.pool.descendants(["grant.append.only.mixin"], "_inherit"))
        models_ = [self.env[name] for name in names if not self.env[name]._abstract]
        return {model._table: model._name for model in models_ if model._get_chained_fields()}

    @api.model
    def _hash_lines(self, table, numbers):
        """Hash of the hashes of all lines of a table up to each of ``numbers`` (ids) that is there:
        dict {number: hash}, in one pass."""
        wanted, total, found, last, batch = set(numbers), hashlib.sha256(), {}, 0, [None]
        while batch:
            batch = self.env.execute_query(
                SQL(
                    """SELECT id, COALESCE(chain_hash, '') FROM %s
                        WHERE id > %s AND id <= %s ORDER BY id LIMIT %s""",
                    SQL.identifier(table),
                    last,
                    max(wanted),
                    BATCH,
                )
            )
            for last, said in batch:
                total.update(said.encode())
                if last in wanted:
                    found[last] = total.hexdigest()
        return found

    @api.model
    def _find_hashes(self, kind, pairs):
        """The hashes that the chains of a kind have today.

        :param str kind: of :class:`Head`
        :param list pairs: ids of chains and numbers
        :return: dict {pair: hash} of what is there; None when there is no such kind of chain
        """
        self.env.flush_all()
        chains, numbers = zip(*pairs, strict=True)
        if kind in self._get_chained():
            return {(0, n): said for n, said in self._hash_lines(kind, numbers).items()}
        if kind != "envelope":
            return None
        rows = self.env.execute_query(
            SQL(
                """SELECT entry.envelope_id, entry.number, entry.hash
                     FROM unnest(%s::bigint[], %s::bigint[]) AS wanted (envelope_id, number)
                     JOIN grant_entry entry ON entry.envelope_id = wanted.envelope_id
                                           AND entry.number = wanted.number""",
                list(chains),
                list(numbers),
            )
        )
        return {(envelope_id, number): sha for envelope_id, number, sha in rows}

    @api.model
    def _get_time(self, company):
        """Now, in the legal time of ``company``, as heads are dated."""
        return datetime.datetime.now(company._grant_timezone()).isoformat(timespec="seconds")
