# The mixins first: the other models inherit from them.
# isort: off
from . import grant_pes_answered_mixin, grant_pes_mixin

# isort: on
from . import (
    grant_decision,
    grant_disbursement,
    grant_funding,
    grant_order_batch,
    grant_pes_reader,
    grant_recovery,
    grant_treasury_import,
    grant_treasury_import_booking,
    grant_treasury_import_city,
    grant_treasury_line,
    res_company,
    res_config_settings,
)
