from . import test_dashboard, test_figures, test_steering
