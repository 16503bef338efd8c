from . import accounts
from . import grant_statement_wizard
