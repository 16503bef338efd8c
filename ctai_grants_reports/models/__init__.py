from . import (
    accounts,
    figures,
    grant_statement_annexes,
    grant_statement_data,
    grant_statement_facts,
    grant_statement_ledger,
    grant_statement_lists,
    grant_statement_summary,
    open_data,
    review,
    statement,
)

from . import documents  # isort: skip
