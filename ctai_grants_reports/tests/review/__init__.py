from . import test_annual_review, test_annual_review_page
