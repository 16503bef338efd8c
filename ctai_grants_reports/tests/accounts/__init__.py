from . import test_annex, test_cash_plan, test_year_end
