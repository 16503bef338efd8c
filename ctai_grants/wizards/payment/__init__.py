from . import (
    base_partner_merge,
    grant_disbursement_certify,
    grant_disbursement_pay,
)
