from . import accounts, documents, grant_statement_wizard, open_data, statement
