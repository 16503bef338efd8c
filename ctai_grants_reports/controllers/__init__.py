from . import annual_review, statement
