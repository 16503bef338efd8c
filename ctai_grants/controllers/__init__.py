from . import contracts, downloads, hand_in, pieces, portal, report, subsidies
