from . import figures, portal, report
