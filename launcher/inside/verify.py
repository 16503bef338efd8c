# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Check the hash chains, and the counters against the ledger."""

from launcher.inside.errors import Refused


def run(env):
    """Check every envelope of every company.

    :raise Refused: naming the first thing that is wrong
    """
    envelopes = env["grant.envelope"].with_context(lang="en_US").search([])
    wrong = env["grant.entry"].with_context(lang="en_US")._verify(envelopes)
    if wrong:
        raise Refused(wrong[0])
    entries = sum(envelopes.mapped("entry_count"))
    print(f"{len(envelopes)} envelopes, {entries} entries: chains, counters and accounting hold.")
