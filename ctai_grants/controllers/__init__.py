from . import contracts, downloads, frame, pieces, portal, report, subsidies
