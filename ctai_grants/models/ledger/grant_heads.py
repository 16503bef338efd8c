import datetime

from odoo import api, models
from odoo.tools import SQL

from ...lib.ledger.heads import Head


class GrantHeads(models.AbstractModel):
    """The chains of the database and where they stand: what leaves it each day.

    A layer that chains something else than entries adds its chains to both hooks.
    """

    _name = "grant.heads"
    _description = "Heads of the Chains"

    @api.model
    def _get_heads(self, company):
        """Hook: the heads of all chains of ``company`` that have begun, in a lasting order.

        :return: list of :class:`ctai_grants.lib.ledger.heads.Head`, without a time
        """
        # sudo: all of them leave, whoever asks
        envelopes = self.env["grant.envelope"].sudo()
        begun = envelopes.search(
            [("company_id", "=", company.id), ("entry_count", ">", 0)], order="id"
        )
        return [
            Head(
                "envelope",
                envelope.id,
                f"{envelope.contract_id.code}/{envelope.code}",
                envelope.entry_count,
                envelope.chain_head,
            )
            for envelope in begun
        ]

    @api.model
    def _find_hashes(self, kind, pairs):
        """Hook: the hashes that the chains of a kind have today.

        :param str kind: of :class:`Head`
        :param list pairs: ids of chains and numbers
        :return: dict {pair: hash} of what is there; None when there is no such kind of chain
        """
        if kind != "envelope":
            return None
        self.env.flush_all()
        chains, numbers = zip(*pairs, strict=True)
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
