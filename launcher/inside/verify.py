# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Check hash chains, counters and accounting against the ledger, and the files handed in."""

from launcher.inside.errors import Refused


def run(env):
    """Check every envelope of every company.

    :raise Refused: naming the first thing that is wrong
    """
    env = env(context={**env.context, "lang": "en_US"})
    envelopes = env["grant.envelope"].search([])
    wrong = env["grant.entry"]._verify(envelopes)
    wrong += env["grant.deliverable.version"]._get_altered(envelopes)
    if wrong:
        raise Refused(wrong[0])
    entries = sum(envelopes.mapped("entry_count"))
    count = f"{len(envelopes)} envelopes, {entries} entries"
    print(f"{count}: chains, counters, accounting and files hold.")
