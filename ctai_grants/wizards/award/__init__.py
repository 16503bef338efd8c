from . import grant_date_correction
