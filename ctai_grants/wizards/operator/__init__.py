from . import grant_access_invite, grant_budget_import, grant_indicator_entry, grant_review_answer
