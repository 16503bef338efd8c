# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""`./ctai test`: linters, rules on the tree, packaging, translations, then each test once.

Odoo's own runner plays the tests of the add-ons, as any Odoo does: during the update
(at_install) and after. Beside it pytest plays the tests of the whole system in tests/, which
need fixtures and hypothesis; with --long it plays those of the add-ons too, and what is tried a few
times in every run thousands of times: calls that contend, kills in flight. What was counted is said
at its end (tests/conftest.py).
"""

import ast
import os
import re
import shutil
import socket
import subprocess
import xml.etree.ElementTree as ElementTree

from . import databases, debian, files, odoo, paths, process, pyenv, ui, workshop
from .errors import Stop

# What Odoo's tests look for, and in that order.
BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
#: Top-level tests that need no registry: they judge the tree and the launcher.
PLAIN_TESTS = tuple(
    f"tests/test_{name}.py"
    for name in ("layers", "repository", "manual", "wheel", "launcher", "cluster", "backup")
)
REPORT = paths.STATE / "pytest.xml"
#: What a test says that skips itself for what cannot be had: data that is not beside the project,
#: a package of Debian.
ABSENT = ("(shared/data/", "(no clamd of Debian)", "(no LibreOffice)")
#: Lines of a translation template that change without its content.
POT_DATES = re.compile(r'^"(POT-Creation-Date|PO-Revision-Date):.*\n', re.M)
#: What an installation may not say: any error, or a warning about what is ours.
COMPLAINT = re.compile(
    r"^\S+ \S+ \d+ (?:(?:ERROR|CRITICAL) |WARNING .*(?:ctai_grants|\bgrant\.)).*"
    r"|^.*demo data failed.*",
    re.M,
)


def test(options):
    """Run every check and test, stopping at the first that fails."""
    with files.Lock(paths.STATE / "test.lock").alone("Wait for another ./ctai test"):
        _ensure_browser()
        _ensure_office()
        debian.prepare_clamd()
        with workshop.running(test=True) as server:
            run = _Run(server, databases.present_addons(), options.long)
            if options.expression:
                run.refresh()
                words = (*run.names, "tests", "-k", options.expression)
                return _judge(run.pytest(databases.TEST, *words))
            if options.fast:
                run.refresh()
            else:
                run.lint()
                run.plain_tests()
                run.install()
                run.templates()
            return run.tests()


def lint(_options):
    """Run the linters alone."""
    with workshop.lock():
        workshop.prepare(test=True)
    _Run(None, databases.present_addons()).lint()


class _Run:
    """One run of the checks."""

    def __init__(self, server, names, long=False):
        self.server = server
        self.names = names
        self.long = long
        self.env = pyenv.environment()
        if server:
            self.env = odoo.variables(server, databases.TEST) | {"CTAI_BASE_DB": databases.BASE}
            self.config = self.env["CTAI_CONFIG"]

    def tool(self, title, *words, log="lint.log"):
        """Run a checking tool; show all it says when it is not content."""

        def unhappy(text):
            ui.say(text.rstrip())
            return Stop(f"{title}: not clean (see above).")

        log = paths.LOGS / log
        process.run(words, title, log, env=self.env, cwd=paths.ROOT, on_error=unhappy)

    # --- without a database -----------------------------------------------------------------

    def lint(self):
        """Run ruff, pylint-odoo and the checks of OCA."""
        module = (paths.PYTHON, "-m")
        self.tool("ruff", *module, "ruff", "check", "--no-cache", ".")
        self.tool("pylint-odoo", *module, "pylint", "--rcfile=.pylintrc", *self.names)
        tools = paths.VENV / "bin"
        self.tool("OCA's module checks", tools / "oca-checks-odoo-module", *self.names)
        # Not its format: it empties what is the same in both languages ("Action"), which
        # then looks untranslated.
        catalogues = [path for name in self.names for path in paths.ROOT.glob(f"{name}/i18n/*.po")]
        program = (tools / "oca-checks-po", "--disable=po-pretty-format")
        self.tool("OCA's catalogue checks", *program, *catalogues)

    def plain_tests(self):
        """Run the tests that need no registry."""
        with workshop.lock():
            databases.ensure_base(self.server)  # to install the wheel into
        words = (paths.PYTHON, "-m", "pytest", "-p", "no:odoo", "-q", *_cache(), *PLAIN_TESTS)
        self.tool("Rules on the tree, the wheel, the launcher", *words, log="plain-tests.log")
        ui.note("  " + process.tail(paths.LOGS / "plain-tests.log"))

    # --- the database -----------------------------------------------------------------------

    def refresh(self):
        """Bring the test database up to date with the sources; nothing when it is."""
        with workshop.lock():
            databases.ensure(self.server, databases.TEST)

    def install(self):
        """Make the test database; a word of complaint from our add-ons is a failure."""
        log = paths.LOGS / "test-install.log"
        with workshop.lock():
            databases.install(self.server, databases.TEST, log)
        if complaints := COMPLAINT.findall(files.read(log)):
            raise Stop("The installation complains:\n" + "\n".join(complaints), f"(Log: {log}.)")

    def templates(self):
        """Compare the translation templates with what the sources say now."""
        for name in self.names:
            fresh = paths.STATE / f"{name}.pot"
            export_template(self.env, name, fresh)
            kept = paths.ROOT / name / "i18n" / f"{name}.pot"
            if POT_DATES.sub("", files.read(fresh)) != POT_DATES.sub("", files.read(kept)):
                raise Stop(
                    f"{paths.shown(kept)} is not what the sources say.",
                    "Run ./ctai i18n, translate what is new in fr.po, and commit both.",
                )

    # --- the tests --------------------------------------------------------------------------

    def tests(self):
        """Run both runners side by side, each on a database of its own; pytest speaks last."""
        with workshop.lock():
            databases.clone(self.server, databases.TEST, databases.WHOLE)
        log = paths.LOGS / "pytest.log"
        arguments = (*(self.names if self.long else ()), "tests")
        with open(log, "wb") as stream:
            words = (*arguments, "--durations=10")
            pytest = self.pytest(databases.WHOLE, *words, stdout=stream, stderr=stream)
        try:
            self.odoo_tests()
            with ui.step("Tests of the whole system", lambda: process.tail(log)[-60:]):
                pytest.wait()
        finally:
            process.end(pytest)
        ui.say(f"== pytest {' '.join(arguments)}\n{files.read(log).rstrip()}")
        return _judge(pytest)

    def odoo_tests(self):
        """Run the add-ons' tests with Odoo's runner: every one that is written."""
        log = paths.LOGS / "odoo-tests.log"
        tags = ",".join(f"/{name}" for name in self.names)
        words = odoo.command(
            self.config,
            *("-u", ",".join(self.names), "--test-tags", tags, "--stop-after-init"),
            *("--max-cron-threads", "0", "--http-port", _free_port()),
        )

        def failed(text):
            blocks = re.split(r"(?m)^(?=\d{4}-\d\d-\d\d \d\d:)", text)
            ui.say("".join(one for one in blocks if re.match(r"\S+ \S+ \d+ (ERROR|CRIT)", one)))
            return Stop("Tests failed in Odoo's runner (see above).", f"Its whole log is {log}.")

        process.run(
            words,
            f"Tests of {', '.join(self.names)}",
            log,
            env=self.env,
            cwd=paths.ROOT,
            on_error=failed,
            detail=lambda: _started(log)[-1],
        )
        text = files.read(log)
        counts = re.findall(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests", text)
        if counts and counts[-1][:2] != ("0", "0"):
            raise failed(text)
        skipped = re.findall(r" skipped (.*)$", text, re.M)
        # The treasury's schemas are not ours to publish; where they are, nothing is skipped.
        absent = [test for test in skipped if _is_absent(test)]
        missed = [test for test in skipped if not _is_absent(test)]
        missed += sorted(_written(self.names) - set(_started(log)))
        if missed or not counts:
            raise Stop(f"Not run by Odoo's runner: {', '.join(missed) or 'all'}.", "Each has to.")
        ui.note(f"  {counts[-1][2]} tests, none failed, {len(absent) or 'none'} skipped")
        for test in absent:
            ui.note(f"    {test}")

    def pytest(self, database, *arguments, **options):
        """Start pytest on a database."""
        files.remove(REPORT)
        env = odoo.variables(self.server, database) | {"CTAI_BASE_DB": databases.BASE}
        env |= {"CTAI_LONG": "1"} if self.long else {}
        words = [
            *(paths.PYTHON, "-m", "pytest", "--odoo-http", f"--odoo-config={env['CTAI_CONFIG']}"),
            *(f"--odoo-database={database}", f"--junitxml={REPORT}", *_cache()),
            *[f"--ignore={name}" for name in PLAIN_TESTS],
            *arguments,
        ]
        return process.launch(words, env=env, cwd=paths.ROOT, **options)


def _judge(pytest):
    """Wait for pytest; return its exit code, and refuse skipped tests."""
    try:
        if pytest.wait():
            return 1
    finally:
        process.end(pytest)
    cases = ElementTree.parse(REPORT).iterfind(".//testcase[skipped]")
    if skipped := [
        f"{case.get('classname')}.{case.get('name')}"
        for case in cases
        if not _is_absent(case.find("skipped").get("message", ""))
    ]:
        raise Stop("Skipped by pytest: " + ", ".join(skipped), "No test may be.")
    return 0


def _is_absent(message):
    return any(reason in message for reason in ABSENT)


def _cache():
    return ("-o", f"cache_dir={paths.STATE / 'pytest_cache'}")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _started(log):
    """Return the tests that Odoo's runner has started, as Class.method."""
    return re.findall(r": Starting (\w+\.test\w*) \.\.\.", files.read(log)) or [""]


def _written(names):
    """Return the tests in the sources of add-ons, as Class.method."""
    return {
        f"{case.name}.{method.name}"
        for name in names
        for path in (paths.ROOT / name / "tests").rglob("test_*.py")
        for case in ast.walk(ast.parse(files.read(path)))
        if isinstance(case, ast.ClassDef)
        for method in case.body
        if isinstance(method, ast.FunctionDef) and method.name.startswith("test")
    }


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
    _install("Chromium for the browser tests", "chromium", "fonts-dejavu-core")


def _ensure_office():
    """Have LibreOffice for the tests that open workbooks with it: they skip themselves without,
    which is told."""
    if shutil.which("soffice") or "CTAI_SOFFICE" in os.environ:
        return
    if not os.geteuid() and shutil.which("apt-get"):
        _install("LibreOffice for the tests of workbooks", "libreoffice-calc")


def _install(title, *packages):
    """Install packages of Debian, as root."""
    apt = shutil.which("apt-get")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    log = paths.LOGS / f"{packages[0]}.log"
    process.run([apt, "update"], "Read the list of packages", log, env=env)
    words = [apt, "install", "--yes", "--no-install-recommends", *packages]
    process.run(words, f"Install {title}", log, env=env)


# --- translations -------------------------------------------------------------------------


def export_template(env, name, target):
    """Write the translation template of an add-on installed in the database of `env`."""
    words = [paths.PYTHON, paths.ODOO_BIN, "i18n", "export", "-c", env["CTAI_CONFIG"], "-l", "pot"]
    log = paths.LOGS / "i18n.log"
    title = f"Export the terms of {name}"
    process.run([*words, "-o", target, name], title, log, env=env, cwd=paths.ROOT)


def i18n(_options):
    """Rewrite the translation templates and merge new terms into fr.po."""
    with files.Lock(paths.STATE / "test.lock").alone("Wait for another ./ctai test"):
        with workshop.running(test=True) as server:
            run = _Run(server, databases.present_addons())
            run.refresh()
            for name in run.names:
                folder = paths.ROOT / name / "i18n"
                folder.mkdir(exist_ok=True)
                template = folder / f"{name}.pot"
                export_template(run.env, name, template)
                merge = [paths.PYTHON, paths.LAUNCHER / "catalogue.py", template, folder / "fr.po"]
                subprocess.run([str(word) for word in merge], check=True)


def pages(_options):
    """Make the manual that the application opens, and the add-ons' READMEs, of their sources."""
    with workshop.lock():
        workshop.prepare(test=True)
    subprocess.run([str(paths.PYTHON), str(paths.LAUNCHER / "pages.py")], check=True)
