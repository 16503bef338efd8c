# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The demonstration: the contract's files, and its year as its people play it."""


class Refused(Exception):
    """Something to tell the user in one sentence."""
