from . import grant_statement_matrix
