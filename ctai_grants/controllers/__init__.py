from . import contracts, downloads, hand_in, home, pieces, portal, report, subsidies
