from . import grant_budget_import
from . import grant_indicator_entry
