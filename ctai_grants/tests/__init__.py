from . import (
    test_override,
    test_portal,
    test_uninstall,
)
