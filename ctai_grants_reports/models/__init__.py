from . import grant_statement_data
