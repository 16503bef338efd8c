# The mixins first: the other models inherit from them.
# isort: off
from . import (
    grant_source_mixin,
    grant_counted_mixin,
)

# isort: on
from . import (
    base,
    grant_action,
    grant_contract,
    grant_entry,
    grant_entry_queue,
    grant_entry_refusal,
    grant_entry_verifier,
    grant_envelope,
    grant_subsidy,
    ir_http,
    ir_module_module,
    res_company,
    res_device_log,
    res_partner,
)
