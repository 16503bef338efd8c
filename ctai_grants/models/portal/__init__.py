# The mixin first: the other models inherit from it.
# isort: off
from . import grant_portal_mixin

# isort: on
from . import (
    account_move,
    grant_contract,
    grant_subsidy,
    ir_http,
)
