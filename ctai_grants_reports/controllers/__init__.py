from . import accounts, statement
