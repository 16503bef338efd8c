from . import test_awards_file, test_import, test_publication, test_rules
