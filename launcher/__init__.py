# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Prepares and runs everything behind `./ctai`, with the standard library only.

`cli` reads the command line; `workshop` prepares in order: `debian` (Odoo), `pyenv` (the
virtual environment), `postgres` (the cluster), `databases`; `checks` is `./ctai test`;
`doctor` tells what is there. The script `catalogue.py` is run by the environment's Python.
"""
