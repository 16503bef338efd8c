from . import (
    base_partner_merge,
    grant_contract_renewal,
    grant_date_correction,
    grant_identity_date,
    grant_register_upload,
)
