from . import (
    grant_budget_account,
    grant_budget_mixin,
    grant_budget_line,
    grant_subsidy,
    grant_amendment,
)
