from . import (
    grant_condition,
    grant_contract,
    grant_decision,
    grant_deliverable,
    grant_disbursement,
    grant_schedule_template,
    grant_schedule_tranche,
    grant_subsidy,
    res_company,
    res_config_settings,
    res_partner,
    res_partner_bank,
)
