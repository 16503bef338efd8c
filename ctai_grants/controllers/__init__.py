from . import calendar, contracts, downloads, frame, pieces, portal, prefecture, report, subsidies
