from . import (
    test_grants_statement,
    test_statement,
    test_statement_download,
    test_statement_edges,
    test_statement_files,
    test_statement_identity,
    test_statement_lib,
    test_statement_queries,
    test_statement_roles,
    test_statement_states,
    test_statement_sums,
)
from . import figures, review
