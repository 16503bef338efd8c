from . import contracts, downloads, pieces, portal, report, subsidies
