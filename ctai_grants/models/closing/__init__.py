# The mixin first: the other models inherit from it.
# isort: off
from . import grant_pdf_mixin

# isort: on
from . import (
    grant_condition,
    grant_contract,
    grant_decision,
    grant_disbursement,
    grant_financial_report,
    grant_financial_report_check,
    grant_financial_report_review,
    grant_financial_report_verifier,
    grant_recovery,
    grant_recovery_bounce,
    grant_recovery_dates,
    grant_recovery_letter,
    grant_recovery_verifier,
    grant_recovery_waiver,
    grant_source_mixin,
    grant_subsidy,
    res_company,
    res_config_settings,
    res_partner,
)
