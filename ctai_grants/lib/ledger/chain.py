"""The hash chain of the grant ledger, in plain Python: verifiable without Odoo.

Each envelope has its own chain. The hash of an entry is the SHA-256, in lower-case
hexadecimal, of the UTF-8 text made of these values, one a line, in this order:

1. the hash of the entry before it in the envelope (64 zeros for the first one);
2. its number in the envelope, from 1;
3. the id of the envelope;
4. its accounting date, ``YYYY-MM-DD``;
5. its kind (``allocation``, ``receipt``, ``commitment``, ``payment``, ``justification``,
   ``recovery``);
6. its amount with a point and two decimals, ``-`` before when negative;
7. the ids of its subsidy, 8. action and 9. operator (empty when there is none);
10. the model and 11. the id of the document it comes from;
12. the id of the user who posted it;
13. the time of posting in UTC, ``YYYY-MM-DDTHH:MM:SS.ffffff``;
14. the memo (last, so that line breaks in it cannot shift the rest).

The database computes the same text when it posts (see ``models/ledger/grant_entry_schema.sql``).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

GENESIS = "0" * 64

#: What goes into the hash after the previous hash, in order.
HASHED_FIELDS = (
    "number",
    "envelope_id",
    "date",
    "kind",
    "amount",
    "subsidy_id",
    "action_id",
    "partner_id",
    "origin_model",
    "origin_id",
    "user_id",
    "posted_at",
    "memo",
)
#: The columns of the ``ledger.csv`` that comes with each statement.
LEDGER_FIELDS = (*HASHED_FIELDS, "previous_hash", "hash")
_get_values = itemgetter(*HASHED_FIELDS)


def entry_hash(previous: str, entry: Mapping[str, object]) -> str:
    """Hash of ``entry`` chained to ``previous``; values are the texts described above.

    >>> entry_hash(GENESIS, dict.fromkeys(HASHED_FIELDS, ""))[:12]
    'a3c34e726df0'
    """
    return hashlib.sha256("\n".join([previous, *_get_texts(entry)]).encode()).hexdigest()


def _get_texts(entry: Mapping[str, object]) -> list[str]:
    # Nothing is an empty line, as in the database (``array_to_string``, with '' for NULL).
    return ["" if value is None else str(value) for value in _get_values(entry)]


def first_break(entries: Iterable[Mapping[str, object]], head: str | None = None) -> str | None:
    """First thing wrong in one envelope's entries, given in the order of their numbers.

    :param entries: mappings with :data:`HASHED_FIELDS`, ``previous_hash`` and ``hash``
    :param head: hash the chain must end with, to notice entries cut off at the end
    :return: None when the chain holds, else a sentence naming the entry
    """
    rows = ((entry["previous_hash"], entry["hash"], *_get_texts(entry)) for entry in entries)
    return find_break(rows, head)


def find_break(rows: Iterable[Sequence[str]], head: str | None = None) -> str | None:
    """The same for rows of texts: hash of the entry before, its own, :data:`HASHED_FIELDS`."""
    previous, expected = GENESIS, 1
    for before, own, *values in rows:
        number = int(values[0])
        if number != expected:
            return f"entry {expected} is missing (found number {number})"
        if before != previous:
            return f"entry {number} does not follow the hash of the entry before it"
        if own != hashlib.sha256("\n".join([previous, *values]).encode()).hexdigest():
            return f"entry {number} was altered: its hash does not match its content"
        previous, expected = own, number + 1
    if head is not None and previous != head:
        return f"the chain ends at entry {expected - 1}, which is not the head of the envelope"
    return None
