from . import asks, portal, report
