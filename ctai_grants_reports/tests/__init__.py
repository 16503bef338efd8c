from . import test_statement, test_statement_download, test_statement_lib
