from . import (
    grant_deliverable_submit,
    grant_disbursement_order,
    grant_disbursement_override,
    grant_disbursement_pay,
    grant_funding_receive,
    grant_reason,
    grant_treasury_upload,
)
