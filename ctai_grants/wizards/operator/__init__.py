from . import grant_budget_import, grant_review_answer
