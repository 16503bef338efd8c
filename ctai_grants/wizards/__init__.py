# isort: off
from . import guard
from . import ledger
from . import award
from . import proof
from . import payment
from . import closing
from . import accounting
from . import treasury
from . import operator
