from . import grant_statement_wizard, open_data
