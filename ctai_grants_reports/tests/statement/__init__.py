from . import test_answer, test_check, test_files, test_issue, test_matrix, test_stamp
