from . import grant_contract_steering, grant_figure
