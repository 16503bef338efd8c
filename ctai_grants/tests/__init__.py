from . import (
    test_ceilings,
    test_contract,
    test_ledger,
    test_override,
    test_portal,
    test_uninstall,
)
