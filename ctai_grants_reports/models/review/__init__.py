from . import grant_annual_review
from . import grant_annual_review_facts
from . import grant_annual_review_issue
from . import grant_annual_review_paragraph
from . import grant_annual_review_prose
