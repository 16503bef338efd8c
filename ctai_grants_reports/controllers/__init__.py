from . import accounts, open_data, statement
