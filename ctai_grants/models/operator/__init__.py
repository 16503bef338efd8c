# A model before what extends or points to it.
# isort: off
from . import grant_budget_mixin
from . import grant_report_line

# isort: on
from . import (
    grant_amendment,
    grant_budget_account,
    grant_budget_line,
    grant_condition,
    grant_date_request,
    grant_deliverable,
    grant_deliverable_drafts,
    grant_deliverable_page,
    grant_deliverable_reminders,
    grant_deliverable_type,
    grant_disbursement,
    grant_file_iban,
    grant_file_scan,
    grant_financial_report,
    grant_financial_report_controls,
    grant_financial_report_form,
    grant_financial_report_hand_in,
    grant_financial_report_paper,
    grant_financial_report_verifier,
    grant_financial_report_workbook,
    grant_hand_in,
    grant_receipt,
    grant_recovery,
    grant_reminder,
    grant_reminder_deadlines,
    grant_reminder_mail,
    grant_reminder_preview,
    grant_subsidy,
    grant_subsidy_page,
    grant_subsidy_reminders,
    grant_upload_rate,
    res_company,
    res_company_reminders,
    res_config_settings,
    res_config_settings_reminders,
    res_partner_reminders,
)
