from . import contracts, downloads, home, pieces, portal, report, subsidies
