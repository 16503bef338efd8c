from . import grant_deliverable_submit
