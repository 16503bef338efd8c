# The mixin first: the other models inherit from it.
# isort: off
from . import grant_accounted_mixin

# isort: on
from . import (
    account_move,
    account_move_line,
    account_move_undone,
    account_partial_reconcile,
    account_payment,
    account_payment_register,
    grant_account,
    grant_accounted_ledger,
    grant_accounted_verifier,
    grant_accounting_control,
    grant_carry,
    grant_decision,
    grant_disbursement,
    grant_disbursement_bank,
    grant_disbursement_dates,
    grant_disbursement_verifier,
    grant_envelope,
    grant_funding,
    grant_order_batch,
    grant_own_cost,
    grant_own_cost_verifier,
    grant_recovery,
    grant_set_off,
    grant_settlement,
    grant_source_mixin,
    grant_spreadsheet_mixin,
    grant_subsidy,
    res_company,
    res_company_own_cost,
    res_company_periods,
    res_config_settings,
    res_partner_bank,
)
