# Words and codes first: the documents inherit from them.
# isort: off
from . import grant_document_wording, grant_pdf_mixin

# isort: on
from . import (
    grant_amendment,
    grant_disbursement,
    grant_financial_report,
    grant_letter,
    grant_signed_scan,
    grant_subsidy,
    grant_subsidy_annexes,
    grant_subsidy_scans,
)
