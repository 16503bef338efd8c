from . import (
    calendar,
    contracts,
    downloads,
    frame,
    home,
    pieces,
    portal,
    prefecture,
    report,
    subsidies,
    review,
)
