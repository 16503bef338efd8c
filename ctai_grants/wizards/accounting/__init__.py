from . import (
    grant_disbursement_order,
    grant_envelope_account,
    grant_funding_claim,
    grant_funding_receive,
    grant_own_cost_accounts,
    grant_payroll_import,
)
