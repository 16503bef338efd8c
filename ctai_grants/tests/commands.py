import io
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from unittest.mock import patch

from odoo.cli.command import find_command
from odoo.tools import config

from odoo.addons.ctai_grants import console


class BorrowedRegistry:
    """The registry as a command opens it, on the transaction of a test."""

    def __init__(self, env):
        self.env = env
        self.db_name = env.cr.dbname

    def __contains__(self, model):
        return model in self.env.registry

    @contextmanager
    def cursor(self):
        """Yield the test's cursor; what is set on its transaction lasts no longer than this."""
        self.env.flush_all()
        savepoint = self.env.cr.savepoint()
        try:
            yield self.env.cr
        finally:
            savepoint.close(rollback=True)


class CommandMixin:
    """Run the commands of the add-ons."""

    def run_command(self, name, *words):
        """Run a command on what the test has made; return its exit code and all it said."""
        said = io.StringIO()
        code = 0
        with patch.object(console, "_open", lambda *_: BorrowedRegistry(self.env)):
            with redirect_stdout(said), redirect_stderr(said):
                try:
                    find_command(name)().run([*words])
                except SystemExit as end:
                    code = end.code
        return code, said.getvalue()

    def run_program(self, name, *words):
        """Run a command as a person does, on what is in the database."""
        program = [sys.executable, "-c", "import odoo.cli; odoo.cli.main()"]
        program.append("--addons-path=" + ",".join(config["addons_path"]))
        done = subprocess.run(
            [*program, name, "-c", config["config"], *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        self.assertNotIn("Traceback", done.stdout)
        return done.returncode, done.stdout
