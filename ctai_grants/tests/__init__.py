from . import (
    test_override,
    test_uninstall,
)
