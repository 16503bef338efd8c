from . import grant_statement_wizard, statement
