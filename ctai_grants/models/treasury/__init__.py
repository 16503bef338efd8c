# The mixin first: the other models inherit from it.
# isort: off
from . import grant_pes_mixin

# isort: on
from . import (
    grant_decision,
    grant_disbursement,
    grant_funding,
    grant_order_batch,
    grant_recovery,
    grant_treasury_import,
    grant_treasury_import_city,
    grant_treasury_line,
    res_company,
    res_config_settings,
)
