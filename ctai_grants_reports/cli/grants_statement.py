import argparse
import datetime
import os
import shutil
from pathlib import Path

from odoo.cli import Command
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

# By its name: Odoo loads this file as a part of itself, whose translations it would look up.
_lt = LazyTranslate("ctai_grants_reports")


class GrantsStatement(Command):
    """Write the financial statement of a contract as a workbook and as CSV files."""

    name = "grants_statement"
    epilog = """
        Reads in one read-only transaction. A file appears whole or not at all.
        Exit codes: 0 written, 1 refused (with the reason), 2 usage.
    """

    def run(self, args):
        # Not above: Odoo also loads this file for the list of its commands.
        from odoo.addons.ctai_grants import console

        console.add_options(self.parser)
        self.parser.add_argument("--contract", metavar="CODE", required=True)
        self.parser.add_argument(
            "--as-at",
            metavar="DATE",
            required=True,
            type=_read_date,
            help="accounting date up to which the ledger counts, YYYY-MM-DD",
        )
        self.parser.add_argument(
            "--output", metavar="DIR", type=Path, default=".", help="where files go"
        )
        options = self.parser.parse_args(args)
        with console.reading(self.parser, options, "grant.statement.data") as env:
            for path in self._write(env, options.contract, options.as_at, options.output):
                print(path)  # pylint: disable=print-used

    def _write(self, env, code, as_at, folder):
        """Write the files; yield the path of each."""
        contract = self._find_contract(env, code)
        # A file of zeros says nothing.
        if refusal := env["grant.statement.data"]._get_date_refusal(contract, as_at):
            raise UserError(refusal)
        folder.mkdir(parents=True, exist_ok=True)
        for file_format in ("xlsx", "csv"):
            stream, name, _mimetype = env["grant.statement.data"]._make(
                contract, as_at, file_format
            )
            with stream:
                yield _keep(stream, folder / name)

    def _find_contract(self, env, code):
        contracts = env["grant.contract"].with_context(active_test=False).search([])
        found = contracts.filtered(lambda contract: contract.code == code)
        if not found:
            codes = ", ".join(sorted(contracts.mapped("code"))) or "-"
            refusal = _lt(
                "There is no contract %(code)s. Contracts: %(codes)s.", code=code, codes=codes
            )
            raise UserError(env._(refusal))
        if len(found) > 1:
            raise UserError(env._(_lt("Several companies have a contract %(code)s.", code=code)))
        return found


def _read_date(text):
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date: write it as YYYY-MM-DD") from None


def _keep(stream, path):
    """Copy to a file that appears whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as target:
            shutil.copyfileobj(stream, target)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
