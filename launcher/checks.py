# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""`./ctai test`: linters, rules on the tree, packaging, translations, then the tests twice.

Twice because they prove different things: Odoo's own runner plays the tests during the
installation (at_install) and after; pytest brings fixtures, hypothesis and the tests of
the whole system in tests/.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

from . import databases, files, odoo, paths, process, pyenv, ui, workshop
from .errors import Stop

# What Odoo's tests look for, and in that order.
BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
#: Top-level tests that need no registry: they judge the tree and the launcher.
PLAIN_TESTS = ("tests/test_repository.py", "tests/test_launcher.py")
#: Lines of a translation template that change without its content.
POT_DATES = re.compile(r'^"(POT-Creation-Date|PO-Revision-Date):.*\n', re.M)
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d \S+ \d+ (WARNING|ERROR|CRITICAL) ", re.M)


def test(options):
    """Run every check and test, stopping at the first that fails."""
    names = databases.present_addons()
    if not names:
        raise Stop("The add-ons are missing from this checkout.", "Clone the repository again.")
    with files.Lock(paths.STATE / "test.lock").alone("Wait for another ./ctai test"):
        _ensure_browser()
        with workshop.running(test=True) as server:
            run = _Run(server, names)
            if not options.fast:
                run.step("Linters", run.lint)
                with workshop.lock():
                    databases.ensure_base(server)
                run.step("Rules on the tree, packaging, launcher", run.plain_tests)
                run.step("Installation", run.install)
                run.step("Translation templates", run.templates)
            elif run.stale():
                with workshop.lock():
                    databases.ensure_base(server)
                run.step("Installation", run.install)
            run.step("Odoo's test runner", run.odoo_tests)
            return run.pytest(options.expression)


class _Run:
    """One run of the checks."""

    def __init__(self, server, names):
        self.server = server
        self.names = names
        self.started = time.monotonic()
        self.config = odoo.configure(server, databases.TEST)
        self.env = pyenv.environment(
            {
                **server.environment(),
                "CTAI_CONFIG": str(self.config),
                "CTAI_DB": databases.TEST,
                "CTAI_BASE_DB": databases.BASE,
                "CTAI_PYTHON": str(paths.PYTHON),
                "CTAI_ODOO_BIN": str(paths.ODOO_BIN),
                "CTAI_ODOO_ROOT": str(odoo.package_folder()),
            }
        )

    def step(self, title, function):
        """Run one part with a title and its time."""
        ui.note(f"== {title}")
        start = time.monotonic()
        function()
        ui.note(f"== {title}: passed in {ui.seconds(time.monotonic() - start)}")

    def tool(self, title, *words, log="lint.log"):
        """Run a checking tool; show all it says when it is not content."""
        path = paths.LOGS / log

        def unhappy(_code):
            ui.say(files.read(path).rstrip())
            return Stop(f"{title}: not clean (see above).")

        process.run(words, title, path, env=self.env, cwd=paths.ROOT, on_error=unhappy)

    # --- 1 to 3 ---------------------------------------------------------------------------

    def lint(self):
        """Run ruff, pylint-odoo and the checks of OCA."""
        python = paths.PYTHON
        self.tool("ruff", python, "-m", "ruff", "check", "--no-cache", ".")
        pylint = (python, "-m", "pylint", "--load-plugins=pylint_odoo", "--rcfile=.pylintrc")
        self.tool("pylint-odoo", *pylint, *self.names)
        tools = paths.VENV / "bin"
        self.tool("OCA's module checks", tools / "oca-checks-odoo-module", *self.names)
        catalogues = [path for name in self.names for path in paths.ROOT.glob(f"{name}/i18n/*.po")]
        if catalogues:
            # Not its format: it empties what is the same in both languages ("Action"), which
            # then looks untranslated.
            program = (tools / "oca-checks-po", "--disable=po-pretty-format")
            self.tool("OCA's catalogue checks", *program, *catalogues)

    def plain_tests(self):
        """Run the tests that need no registry."""
        present = [name for name in PLAIN_TESTS if (paths.ROOT / name).exists()]
        self.tool(
            "pytest " + " ".join(present),
            *(paths.PYTHON, "-m", "pytest", "-p", "no:odoo", "-q", *_cache(), *present),
            log="plain-tests.log",
        )
        ui.note("  " + process.tail(paths.LOGS / "plain-tests.log"))

    # --- 4 and 5 --------------------------------------------------------------------------

    def stale(self):
        """Tell whether the test database must be made anew even for a fast run."""
        facts = databases.info(self.server, databases.TEST) or {}
        return facts.get("base") != databases.base_digest()

    def install(self):
        """Make the test database; a word of complaint from our add-ons is a failure."""
        log = paths.LOGS / "test-install.log"
        databases.install(self.server, databases.TEST, "Install the add-ons", log)
        complaints = [
            line
            for line in files.read(log).splitlines()
            if "demo data failed" in line
            or (found := LOG_LINE.match(line))
            and (found[1] != "WARNING" or re.search(r"ctai_grants|\bgrant\.", line))
        ]
        if complaints:
            raise Stop("The installation complains:\n" + "\n".join(complaints), f"(Log: {log}.)")
        facts = {"base": databases.base_digest(), "sources": databases.sources()}
        databases.describe(self.server, databases.TEST, facts)

    def templates(self):
        """Compare the translation templates with what the sources say now."""
        for name in self.names:
            fresh = paths.STATE / f"{name}.pot"
            export_template(self.server, self.config, name, fresh)
            kept = paths.ROOT / name / "i18n" / f"{name}.pot"
            if POT_DATES.sub("", files.read(fresh)) != POT_DATES.sub("", files.read(kept)):
                raise Stop(
                    f"{paths.shown(kept)} is not what the sources say.",
                    "Run ./ctai i18n, translate what is new in fr.po, and commit both.",
                )

    # --- 6 and 7 --------------------------------------------------------------------------

    def odoo_tests(self):
        """Run our tests with Odoo's runner; none skipped, and not none at all."""
        log = paths.LOGS / "odoo-tests.log"
        tags = ",".join(f"/{name}" for name in self.names)
        words = odoo.command(
            self.config,
            *("-u", ",".join(self.names), "--test-tags", tags, "--stop-after-init"),
            *("--max-cron-threads", "0", "--http-port", str(_free_port())),
        )

        def failed(_code):
            ui.say(_failures(files.read(log)))
            return Stop("Tests failed in Odoo's runner (see above).", f"Its whole log is {log}.")

        process.run(
            words,
            f"Tests of {', '.join(self.names)}",
            log,
            env=self.env,
            cwd=paths.ROOT,
            on_error=failed,
            detail=lambda: _current_test(log),
        )
        text = files.read(log)
        counts = re.findall(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests", text)
        bad, errors, count = map(int, counts[-1]) if counts else (0, 0, 0)
        skipped = re.findall(r" skipped (.*)$", text, re.M)
        if bad or errors:
            raise failed(1)
        if not count:
            raise Stop("Odoo's runner ran no test.", f"Its log is {log}.")
        if skipped:
            raise Stop("Skipped by Odoo's runner: " + "; ".join(skipped), "No test may be.")
        ui.note(f"  {count} tests, none failed, none skipped")

    def pytest(self, expression=None):
        """Run all tests with pytest, whose closing line is the last of the command."""
        report = paths.STATE / "pytest.xml"
        files.remove(report)
        targets = [name for name in (*self.names, "tests") if (paths.ROOT / name).exists()]
        words = [
            *(paths.PYTHON, "-m", "pytest", "--odoo-http", f"--odoo-config={self.config}"),
            *(f"--odoo-database={databases.TEST}", f"--junitxml={report}", *_cache()),
            *[f"--ignore={name}" for name in PLAIN_TESTS],
            *(("-k", expression) if expression else ()),
            *targets,
        ]
        ui.note("== pytest")
        code = process.start(words, env=self.env, cwd=paths.ROOT, stdout=sys.stdout)
        if code:
            return 1
        skipped = [
            f"{case.get('classname')}.{case.get('name')}"
            for case in ElementTree.parse(report).iter("testcase")
            if case.find("skipped") is not None
        ]
        if skipped:
            raise Stop("Skipped by pytest: " + ", ".join(skipped), "No test may be.")
        return 0


def _cache():
    return ("-o", f"cache_dir={paths.STATE / 'pytest_cache'}")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _failures(text):
    """Return the errors of a log with their tracebacks."""
    blocks = re.split(r"(?m)^(?=\d{4}-\d\d-\d\d \d\d:)", text)
    bad = [block.rstrip() for block in blocks if re.match(r"\S+ \S+ \d+ (ERROR|CRITICAL) ", block)]
    return "\n".join(bad[:40]) or text[-3000:]


def _current_test(log):
    started = re.findall(r"Starting (\S+) \.\.\.", process.tail(log, 100))
    return started[-1] if started else ""


def _ensure_browser():
    """Have a browser for the browser tests: they skip themselves without one."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    apt = shutil.which("apt-get")
    if os.geteuid() or not apt:
        raise Stop(
            "The browser tests need Chromium, and none is on the PATH.",
            "On Debian, as root: apt-get install chromium",
        )
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    log = paths.LOGS / "chromium.log"
    process.run([apt, "update"], "Read the list of packages", log, env=env)
    words = [apt, "install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
    process.run(words, "Install Chromium for the browser tests", log, env=env)


# --- translations -------------------------------------------------------------------------


def export_template(server, config, name, target):
    """Write the translation template of an add-on installed in the database of `config`."""
    words = [paths.PYTHON, paths.ODOO_BIN, "i18n", "export", "-c", config, "-l", "pot"]
    process.run(
        [*words, "-o", target, name],
        f"Export the terms of {name}",
        paths.LOGS / "i18n.log",
        env=pyenv.environment(server.environment()),
        cwd=paths.ROOT,
    )


def i18n(_options):
    """Rewrite the translation templates and merge new terms into fr.po."""
    with files.Lock(paths.STATE / "test.lock").alone("Wait for another ./ctai test"):
        with workshop.running() as server:
            with workshop.lock():
                databases.ensure_base(server)
            log = paths.LOGS / "test-install.log"
            databases.install(server, databases.TEST, "Install the add-ons", log)
            config = odoo.configure(server, databases.TEST)
            for name in databases.present_addons():
                folder = paths.ROOT / name / "i18n"
                folder.mkdir(exist_ok=True)
                template = folder / f"{name}.pot"
                export_template(server, config, name, template)
                merge = [paths.PYTHON, paths.LAUNCHER / "catalogue.py", template, folder / "fr.po"]
                subprocess.run([str(word) for word in merge], check=True)
