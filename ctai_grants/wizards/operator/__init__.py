from . import grant_budget_import
