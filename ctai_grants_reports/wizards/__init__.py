from . import documents, grant_statement_wizard
