# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The one exception that ends a command with a sentence instead of a traceback."""

import errno


class Stop(Exception):
    """What went wrong and what to do about it, for the person at the keyboard."""

    def __init__(self, problem, remedy="", code=1):
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.code = code

    def __str__(self):
        return f"{self.problem} {self.remedy}".strip()


def disk_full(
    path, remedy="Free about 3 GB and run the same command again: it goes on from there."
):
    """Return the Stop for a file system without room left."""
    return Stop(f"The disk that holds {path} is full.", remedy)


def from_os_error(error):
    """Turn an OSError nobody expected into a sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(error.filename or "the work")
    if isinstance(error, PermissionError):
        return Stop(
            f"No permission for {error.filename}.",
            "It may belong to another user (was ./ctai run as root before?): run as that user, or"
            " give the checkout and its .ctai folder to yourself.",
        )
    return Stop(f"{error.strerror or error} ({error.filename or 'no file'}).")
