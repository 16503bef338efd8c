from . import (
    grant_condition,
    grant_contract,
    grant_decision,
    grant_disbursement,
    grant_financial_report,
    grant_recovery,
    grant_recovery_letter,
    grant_subsidy,
    res_company,
    res_config_settings,
    res_partner,
)
