from . import grant_figure
from . import grant_contract_steering
