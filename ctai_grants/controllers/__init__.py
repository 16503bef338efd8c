from . import calendar, contracts, downloads, frame, pieces, portal, report, subsidies
