# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Write the statement of a contract as files."""

import datetime
import os
import shutil
from pathlib import Path

from launcher.inside.errors import Refused


def run(env, contract_code, as_at, output_dir):
    """Write the workbook and the CSV files of a contract, and print where they are.

    :param str contract_code: the contract's code
    :param str as_at: accounting date, YYYY-MM-DD
    :param str output_dir: an existing folder
    :raise Refused: no such contract, or no such date
    """
    if "grant.statement.data" not in env:
        raise Refused("The add-on ctai_grants_reports is not installed.")
    try:
        date = datetime.date.fromisoformat(as_at)
    except ValueError as error:
        raise Refused(f"{as_at} is not a date: write it as YYYY-MM-DD.") from error
    contract = _find(env, contract_code)
    output = Path(output_dir)
    for file_format in ("xlsx", "csv"):
        stream, name, _mimetype = env["grant.statement.data"]._make(contract, date, file_format)
        with stream:
            print(keep(stream, output / name))


def _find(env, code):
    contracts = env["grant.contract"].with_context(active_test=False).search([])
    found = contracts.filtered(lambda contract: contract.code == code)
    if len(found) == 1:
        return found
    if found:
        raise Refused(f"Several companies have a contract {code}.")
    codes = ", ".join(sorted(contracts.mapped("code"))) or "none"
    raise Refused(f"There is no contract {code}. Contracts: {codes}.")


def keep(stream, path):
    """Copy to a file that appears whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as target:
            shutil.copyfileobj(stream, target)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
