# The mixins first: the other models inherit from them.
# isort: off
from . import (
    grant_guarded_mixin,
    grant_accounted_mixin,
    grant_append_only_mixin,
    grant_portal_mixin,
    grant_thread_mixin,
)

# isort: on
from . import (
    account_move,
    grant_account,
    grant_accounting_control,
    grant_action,
    grant_audience,
    grant_contract,
    grant_decision,
    grant_deliverable,
    grant_deliverable_type,
    grant_deliverable_version,
    grant_disbursement,
    grant_entry,
    grant_envelope,
    grant_funding,
    grant_milestone,
    grant_order_batch,
    grant_schedule_deliverable,
    grant_schedule_template,
    grant_schedule_tranche,
    grant_subsidy,
    grant_theme,
    grant_treasury_import,
    grant_treasury_line,
    ir_module_module,
    res_company,
    res_config_settings,
    res_partner,
    res_partner_bank,
    res_users,
)
