from . import (
    test_ceilings,
    test_contract,
    test_deliverable,
    test_disbursement_flow,
    test_ledger,
    test_override,
    test_partner,
    test_portal,
    test_schedule,
    test_subsidy_flow,
    test_uninstall,
)
