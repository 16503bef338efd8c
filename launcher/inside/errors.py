# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).


class Refused(Exception):
    """Something to tell the user in one sentence."""
