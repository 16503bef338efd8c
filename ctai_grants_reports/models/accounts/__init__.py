from . import (
    grant_accounts_data,
    grant_annex_line,
    grant_cash_line,
    grant_cash_month,
    grant_certified_accounts,
    grant_year_end_line,
)
