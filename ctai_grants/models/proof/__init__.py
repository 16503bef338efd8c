from . import (
    grant_decision,
    grant_deliverable,
    grant_deliverable_type,
    grant_deliverable_version,
    grant_milestone,
    grant_schedule_deliverable,
    grant_schedule_template,
    grant_subsidy,
    ir_attachment,
    res_company,
    res_config_settings,
    res_partner,
)
