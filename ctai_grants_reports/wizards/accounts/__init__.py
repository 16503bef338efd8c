from . import grant_accounts_wizard
