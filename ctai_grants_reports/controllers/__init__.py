from . import open_data, statement
