from . import (
    base_partner_merge,
    grant_deliverable_submit,
    grant_disbursement_order,
    grant_disbursement_pay,
    grant_funding_claim,
    grant_funding_receive,
    grant_payroll_import,
    grant_pes_answer,
    grant_reason,
    grant_recovery_step,
    grant_treasury_upload,
)
