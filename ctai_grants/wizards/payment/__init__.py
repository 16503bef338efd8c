from . import (
    base_partner_merge,
    grant_disbursement_pay,
)
