from . import (
    grant_amendment,
    grant_amendment_dates,
    grant_amendment_line,
    grant_amendment_obstacles,
    grant_amendment_signature,
    grant_amendment_verifier,
    grant_contract,
    grant_decision,
    grant_subsidy,
    grant_subsidy_verifier,
)
