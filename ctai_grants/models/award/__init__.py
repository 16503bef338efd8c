# The mixins first: the other models inherit from them.
# isort: off
from . import grant_decided_mixin, grant_dated_mixin, grant_corrected_mixin, grant_pdf_mixin

# isort: on
from . import (
    grant_action,
    grant_aid_in_kind,
    grant_audience,
    grant_contract,
    grant_contract_dates,
    grant_contract_in_kind,
    grant_contract_renewal,
    grant_contract_verifier,
    grant_decided_verifier,
    grant_decision,
    grant_entry,
    grant_envelope,
    grant_envelope_verifier,
    grant_funding,
    grant_identity,
    grant_operator_year,
    grant_register,
    grant_register_answer,
    grant_subsidy,
    grant_subsidy_budget,
    grant_subsidy_dates,
    grant_subsidy_obstacles,
    grant_subsidy_reading,
    grant_subsidy_release,
    grant_subsidy_renewal,
    grant_theme,
    res_company,
    res_config_settings,
    res_partner,
    res_partner_body,
    res_partner_identity,
    res_users,
)
