from . import accounts, grant_statement_wizard
