from . import portal, report, review
