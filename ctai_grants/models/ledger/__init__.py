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
    grant_entry_copies,
    grant_entry_keeper,
    grant_entry_queue,
    grant_entry_refusal,
    grant_entry_strays,
    grant_entry_verifier,
    grant_envelope,
    grant_finding,
    grant_heads,
    grant_heads_receiver,
    grant_heads_receiver_mail,
    grant_source_verifier,
    grant_subsidy,
    ir_http,
    ir_model,
    ir_module_module,
    res_company,
    res_company_heads,
    res_config_settings,
    res_device_log,
    res_partner,
)
