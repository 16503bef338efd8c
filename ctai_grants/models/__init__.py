# The layers, from the bottom: each may know those before it (docs/architecture.md).
# isort: off
from . import guard
from . import ledger
from . import award
from . import proof
from . import payment
from . import closing
from . import change
from . import accounting
from . import treasury
from . import portal
from . import operator
from . import home
