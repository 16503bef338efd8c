from . import base_partner_merge, grant_reason
