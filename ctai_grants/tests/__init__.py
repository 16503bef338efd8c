# Odoo's runner looks for modules of tests here, not in the folders of the layers.
# isort: off
from .guard import (
    test_apart,
    test_declarations,
    test_lines,
    test_numbers,
    test_schema,
    test_seal,
    test_text_sheet,
    test_texts,
    test_transition,
    test_typeset,
)
from .ledger import (
    test_administrator,
    test_ceilings,
    test_copies,
    test_finding,
    test_heads,
    test_ledger,
    test_posting_queries,
    test_strays,
)
from .award import (
    test_access,
    test_aid_in_kind,
    test_body,
    test_contract,
    test_partner,
    test_register,
    test_renewal,
    test_signing_queries,
    test_subsidy_flow,
)
from .proof import (
    test_content,
    test_deliverable,
)
from .payment import (
    test_account_task,
    test_certificate,
    test_certifying_queries,
    test_condition_lifting,
    test_dates_and_amounts,
    test_disbursement_flow,
    test_legal_dates,
    test_override,
    test_persons,
    test_reading_ahead,
    test_rescale,
    test_schedule,
)
from .closing import (
    test_closing,
    test_decision_state,
    test_due,
    test_obstacles,
    test_recovery,
)
from .change import (
    test_amendment,
    test_amendment_dates,
)
from .accounting import (
    test_accounting,
    test_accounting_doors,
    test_bounced_repayment,
    test_city_company,
    test_funding_dates,
    test_lock_exception,
    test_own_cost,
    test_own_cost_rules,
    test_paid_account,
    test_paying_queries,
    test_settlement,
    test_spreadsheet,
    test_state_claim,
    test_webhook,
)
from .treasury import (
    test_pes,
    test_pes_answer,
    test_returns,
    test_treasury,
)
from .portal import (
    test_cities,
    test_closed_doors,
    test_portal,
    test_portal_queries,
    test_portal_rpc,
    test_portal_tour,
    test_side_doors,
)
from .operator import (
    test_budget,
    test_calendar_file,
    test_closing_tasks,
    test_conversation,
    test_evaluation,
    test_figure_reminders,
    test_figures_page,
    test_frame,
    test_hand_in_drafts,
    test_indicators,
    test_one_report,
    test_letters,
    test_pages,
    test_people,
    test_prefecture,
    test_receipts,
    test_reminders,
    test_report_corners,
    test_report_hand_in,
    test_report_lines,
    test_report_page,
    test_report_paper,
    test_report_short,
    test_report_workbook,
    test_requests,
    test_requests_page,
    test_review,
    test_rib,
    test_scan,
    test_workbook_files,
)
from .home import (
    test_home_page,
    test_home_tour,
    test_import_template,
)
from . import (
    test_grants_uninstall,
    test_grants_verify,
    test_today,
    test_views,
)
