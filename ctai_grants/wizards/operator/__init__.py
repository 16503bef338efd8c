from . import (
    base_partner_merge,
    grant_access_invite,
    grant_budget_import,
    grant_indicator_entry,
    grant_letter_window,
    grant_review_answer,
)
