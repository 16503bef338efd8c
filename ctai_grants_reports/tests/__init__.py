from . import (
    test_grants_statement,
    test_statement,
    test_statement_download,
    test_statement_lib,
)
