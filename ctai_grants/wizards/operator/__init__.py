from . import grant_budget_import, grant_indicator_entry
