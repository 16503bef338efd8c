# The mixins of the mixins first.
# isort: off
from . import (
    grant_text_mixin,
    grant_money_mixin,
    grant_acting_mixin,
    grant_company_mixin,
    grant_guarded_mixin,
    grant_sealed_mixin,
    grant_disclosed_mixin,
    grant_waking_mixin,
    grant_document_mixin,
    grant_document_verifier,
    grant_append_only_mixin,
    grant_append_only_verifier,
    grant_seal,
    grant_seal_verifier,
    grant_schema,
    grant_thread_mixin,
    ir_attachment,
    mail_thread,
    res_company,
)
