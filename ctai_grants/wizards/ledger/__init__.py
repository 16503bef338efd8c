from . import grant_ledger_comparison
