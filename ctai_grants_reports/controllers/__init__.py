from . import statement, statement_portal
