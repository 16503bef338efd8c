from . import (
    grant_deliverable_reminders,
    grant_reminder,
    grant_reminder_deadlines,
    grant_reminder_mail,
    grant_reminder_preview,
    grant_subsidy_reminders,
    res_company_reminders,
    res_config_settings_reminders,
    res_partner_reminders,
)
