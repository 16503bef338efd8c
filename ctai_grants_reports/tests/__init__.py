# Odoo's runner looks for modules of tests here, not in the folders.
# isort: off
from . import (
    test_grants_statement,
    test_statement,
    test_statement_download,
    test_statement_edges,
    test_statement_files,
    test_statement_identity,
    test_statement_lib,
    test_statement_queries,
    test_statement_roles,
    test_statement_states,
    test_statement_sums,
)
from .accounts import (
    test_accounts_attacks,
    test_accounts_closing,
    test_annex,
    test_cash_plan,
    test_year_end,
)
from .documents import (
    test_documents,
    test_letters_documents,
    test_scans_portal,
    test_signed_scans,
)
from .figures import (
    test_dashboard,
    test_figures,
    test_steering,
)
from .open_data import (
    test_awards_file,
    test_import,
    test_open_data_attacks,
    test_publication,
    test_rules,
)
from .review import (
    test_annual_review,
    test_annual_review_page,
)
from .statement import (
    test_answer,
    test_check,
    test_files,
    test_issue,
    test_matrix,
    test_stamp,
    test_statement_attacks,
)
