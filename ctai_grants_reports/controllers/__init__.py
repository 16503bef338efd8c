from . import accounts
from . import statement
