from . import accounts, open_data, statement, statement_portal
