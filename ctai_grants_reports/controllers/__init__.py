from . import accounts, annual_review, open_data, statement, statement_portal
