# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What runs inside Odoo, in the environment's Python: see `run.py`."""
