from . import (
    base_partner_merge,
    grant_identity_date,
    grant_register_upload,
)
