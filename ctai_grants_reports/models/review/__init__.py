from . import (
    grant_annual_review,
    grant_annual_review_facts,
    grant_annual_review_issue,
    grant_annual_review_paragraph,
    grant_annual_review_prose,
)
