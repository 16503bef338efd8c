# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The launcher: what it says when something is wrong, and what survives an interruption."""

import ast
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from launcher import (  # noqa: E402
    catalogue,
    checks,
    cli,
    databases,
    debian,
    demo,
    files,
    odoo,
    paths,
    postgres,
    process,
    pyenv,
    workshop,
)
from launcher.errors import Stop, from_os_error  # noqa: E402

CTAI = (sys.executable, "ctai")


@pytest.fixture
def checkout(tmp_path):
    """Return a checkout where nothing is prepared, with an empty cache."""
    home = tmp_path / "checkout"
    home.mkdir()
    for name in ("ctai", "launcher", *[path.name for path in ROOT.glob("requirements*")]):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, home / name)
    for name in paths.ADDONS:
        (home / name).mkdir()
        (home / name / "__manifest__.py").write_text('{"depends": ["account"]}')
    return home


def run(checkout, *arguments, **variables):
    """Run ./ctai; return its exit code and all it said."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout.parent),
        "XDG_CACHE_HOME": str(checkout.parent / "cache"),
        **variables,
    }
    result = subprocess.run(
        [*CTAI, *arguments],
        cwd=checkout,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in result.stdout
    return result.returncode, result.stdout


def fake_odoo(folder, version):
    """Make a folder look like an Odoo of a version."""
    (folder / "odoo").mkdir(parents=True)
    (folder / "odoo" / "release.py").write_text(f"version_info = ({version}, FINAL, 0, '')\n")
    return folder


# --- one sentence and what to do --------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("dance",),
        ("statement",),
        ("statement", "--contract", "X", "--as-at", "31/12/2021"),
        ("demo", "--port", "many"),
        ("demo", "--port", "70000"),
        ("bench", "unknown", "--json", "out.json"),
        ("backup",),
        ("backup", "b", "--database", "../x"),
        ("restore",),
        ("serve", "--database", "a b"),
    ],
)
def test_usage(checkout, arguments):
    """A wrong call ends with 2; without a command that there is, with the list of them."""
    code, said = run(checkout, *arguments)
    assert code == 2
    if not arguments or arguments == ("dance",):
        assert all(f"\n    {name}" in said for name, *_rest in cli.COMMANDS)


def test_the_readme_names_every_command_and_option():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    wanted = {f"./ctai {name}" for name, *_rest in cli.COMMANDS}
    for _name, _function, _text, *options in cli.COMMANDS:
        wanted |= {word for words, _settings in options for word in words if word[0] == "-"}
    assert {word for word in wanted if word not in text} == set()


def test_old_python(checkout):
    """A Python that cannot run the launcher can still read the file that says so."""
    ast.parse((ROOT / "ctai").read_text(encoding="utf-8"), feature_version=(3, 6))
    code = (
        "import runpy, sys; sys.version_info = (3, 8, 1); runpy.run_path('ctai', None, '__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, env={"PATH": ""}, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "needs Python 3.10 to 3.13, and this is Python 3.8" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_old_python_hands_over(checkout):
    """A fitting Python on the PATH is used without a word."""
    folder = checkout / "bin"
    folder.mkdir()
    (folder / "python3.12").symlink_to(sys.executable)
    code = "import runpy, sys; sys.version_info = (3, 8, 1); sys.argv = ['ctai', '--help'];"
    result = subprocess.run(
        [sys.executable, "-c", code + "runpy.run_path('ctai', None, '__main__')"],
        cwd=checkout,
        env={"PATH": f"{folder}:/bin:/usr/bin"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0 and "demo" in result.stdout, result.stderr


def test_no_apt(checkout):
    code, said = run(checkout, "demo", "--no-serve", PATH="/nowhere")
    assert code == 1
    assert "this machine has no apt-get" in said and "CTAI_ODOO=" in said


def test_no_debian_mirror(checkout):
    """A machine of the family whose apt knows no Debian, like Ubuntu."""
    folder = checkout / "bin"
    folder.mkdir()
    for name in ("apt-get", "apt-cache", "dpkg-deb"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    code, said = run(checkout, "demo", "--no-serve", PATH=f"{folder}:/bin:/usr/bin")
    assert code == 1
    assert "no Debian mirror" in said and "CTAI_ODOO=" in said


def test_no_network_for_pip(checkout):
    mine = fake_odoo(checkout / "mine", "19, 0, 0")
    nowhere = {"PIP_PROXY": "http://127.0.0.1:9", "PIP_RETRIES": "0", "PIP_FIND_LINKS": ""}
    nowhere |= {"PIP_CONFIG_FILE": os.devnull}
    code, said = run(checkout, "demo", "--no-serve", CTAI_ODOO=str(mine), **nowhere)
    assert code == 1
    assert "could not be downloaded" in said and "Check the network" in said


def test_port_taken(checkout):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, said = run(checkout, "demo", "--port", str(port))
    assert code == 1
    assert f"Port {port} of this machine is taken" in said and f"--port {port + 1}" in said
    assert not (checkout / ".ctai").exists()  # told before any work


def test_output_is_a_file(checkout):
    (checkout / "out").write_text("mine")
    code, said = run(checkout, "demo", "--no-serve")
    assert code == 1
    assert f"Cannot write into {checkout / 'out'} (File exists)" in said and "--output" in said
    assert not (checkout / ".ctai").exists()  # told before any work


def test_no_venv_module(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "LOGS", tmp_path)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Stop, match="apt-get install python3-venv"):
        pyenv._create()


def test_small_disk(monkeypatch):
    monkeypatch.setattr(files, "room", lambda path: 100_000_000)
    with pytest.raises(Stop, match="has 0.1 GB left"):
        workshop.refuse_small_disk()


def test_disk_full_later(tmp_path):
    error = OSError(errno.ENOSPC, "No space left on device", "/some/file")
    assert "is full" in str(from_os_error(error))
    words = ["sh", "-c", "echo 'cannot write: No space left on device'; exit 2"]
    with pytest.raises(Stop, match="is full"):
        process.run(words, "Unpack", tmp_path / "log")


def test_nothing_prepared(checkout):
    for command in (["serve"], ["verify"], ["shell"], ["backup", "b"]):
        code, said = run(checkout, *command)
        assert code == 1 and "Run ./ctai demo first" in said
    code, said = run(checkout, "restore", "b")
    assert code == 1 and "b is no backup: it has no manifest.json" in said
    assert not (checkout / ".ctai").exists()  # told before any work


def test_doctor(checkout):
    code, said = run(checkout, "doctor", PATH="/nowhere")
    assert code == 1
    assert "MISSING  Odoo" in said
    assert not (checkout / ".ctai").exists()  # it only looks


# --- the user's own Odoo and PostgreSQL -------------------------------------------------


def test_own_odoo(monkeypatch, tmp_path):
    tree = fake_odoo(tmp_path / "source", "19, 0, 0")
    (tree / "odoo-bin").touch()
    command = tmp_path / "odoo-command"
    command.write_text(f"#!{sys.executable}\nimport odoo\n")
    for named in (tree, tree / "odoo", tree / "odoo-bin"):
        monkeypatch.setenv("CTAI_ODOO", str(named))
        assert odoo.own() == tree
    monkeypatch.setenv("CTAI_ODOO", str(command))
    monkeypatch.setenv("PYTHONPATH", str(tree))
    (tree / "odoo" / "release.py").write_text("version_info = (19, 0, 0)\n")
    assert odoo.own() == tree


def test_wrong_own_odoo(checkout):
    old = fake_odoo(checkout / "old", "18, 0, 0")
    shell = checkout / "odoo.sh"
    shell.write_text("#!/bin/sh\n")
    for named, sentence in (
        (old, "is version 18.0.0"),
        (checkout / "missing", "does not exist"),
        (checkout / "launcher", "no Odoo was found"),
        (shell, "not a Python program"),
    ):
        code, said = run(checkout, "demo", "--no-serve", CTAI_ODOO=str(named))
        assert code == 1 and sentence in said, said


def test_own_postgresql(monkeypatch):
    for name in postgres.OWN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert postgres.server().embedded
    monkeypatch.setenv("PGDATABASE", "other")
    assert postgres.server().embedded
    monkeypatch.setenv("PGHOST", "db.example")
    monkeypatch.setenv("PGUSER", "postgres")
    with pytest.raises(Stop, match="refuses to work as"), postgres.server():
        pass
    assert "PGDATABASE" not in pyenv.environment()


def test_foreign_database_is_left_alone():
    """On a server of the user's own, a database of the same name may be his."""
    for comment in (None, "mine", '{"other": 1}'):
        server = SimpleNamespace(sql=lambda *_a, _c=comment, **_v: _c or "-", embedded=False)
        with pytest.raises(Stop, match="was not made by"):
            databases.info(server, "ctai")


def test_socket_of_a_deep_checkout_is_short(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "STATE", tmp_path / ("deep/" * 30) / ".ctai")
    assert len(str(postgres.Embedded().socket)) < 90


# --- Debian -----------------------------------------------------------------------------

PACKAGE = debian.Package("odoo-19", "19.0.0+dfsg-1", "unstable", "a" * 64)


def choose(monkeypatch, offered):
    """Let a suite that offers some versions choose for PACKAGE."""
    suite = debian.Suite("unstable")
    monkeypatch.setattr(suite, "_offered", lambda name: offered)
    return suite._choose(PACKAGE)


def test_tested_version_is_taken(monkeypatch, capsys):
    offered = {"19.0.0+dfsg-1": ("a" * 64, 1), "19.0.1+dfsg-1": ("b" * 64, 2)}
    assert choose(monkeypatch, offered) == ("19.0.0+dfsg-1", "a" * 64, 1)
    assert capsys.readouterr().err == ""


def test_same_version_with_another_hash_is_refused(monkeypatch):
    with pytest.raises(Stop, match="is not the file that was tested"):
        choose(monkeypatch, {"19.0.0+dfsg-1": ("b" * 64, 1)})


def test_newer_version_of_the_series_is_told(monkeypatch, capsys):
    assert choose(monkeypatch, {"19.0.1+dfsg-1": ("b" * 64, 2)})[0] == "19.0.1+dfsg-1"
    said = capsys.readouterr().err
    assert "19.0.1+dfsg-1 now" in said and "19.0.0+dfsg-1 was tested" in said
    assert len(said.splitlines()) == 1


def test_other_series_is_refused(monkeypatch):
    with pytest.raises(Stop, match="no longer has odoo-19 19.0"):
        choose(monkeypatch, {"19.4.0+dfsg-1": ("b" * 64, 2)})


def test_interrupted_unpacking_is_done_again(monkeypatch, tmp_path):
    """Half an Odoo never stands where the whole one is looked for."""
    monkeypatch.setattr(paths, "STATE", tmp_path)
    monkeypatch.setattr(paths, "ODOO_TREE", tmp_path / "odoo")
    monkeypatch.setattr(paths, "LOGS", tmp_path)
    deb = tmp_path / "odoo-19" / "x.deb"
    deb.parent.mkdir()
    deb.touch()
    monkeypatch.setattr(debian, "fetch", lambda _p: [(PACKAGE, deb, "19.0.1")])

    def unpack(words, *_rest, **_options):
        (words[-1] / "half").touch()
        if interrupted:
            raise KeyboardInterrupt

    monkeypatch.setattr(process, "run", unpack)
    interrupted = True
    with pytest.raises(KeyboardInterrupt):
        debian.prepare()
    assert not paths.ODOO_TREE.exists() and not debian.complete()
    interrupted = False
    debian.prepare()
    assert debian.complete()["moved"] == {"odoo-19": ["19.0.0+dfsg-1", "19.0.1"]}
    assert (paths.ODOO_TREE / debian.STUB / "selfie_segmentation.js").exists()


def test_lock_file_is_whole():
    packages = debian.locked()
    assert "odoo-19" in [package.name for package in packages]
    assert all(len(package.sha256) == 64 for package in packages)


def test_python_locks_have_hashes():
    for path in ROOT.glob("requirements*.txt"):
        text = path.read_text(encoding="utf-8")
        assert text.count("==") and text.count("--hash=sha256:") >= text.count("==") / 2, path


# --- what survives ----------------------------------------------------------------------


def test_a_killed_launcher_leaves_no_lock(tmp_path):
    path = tmp_path / "lock"
    code = (
        f"import sys, time; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\nfrom launcher import files\n"
        f"lock = files.Lock(Path({str(path)!r})); lock.try_alone()\n"
        "print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    lock = files.Lock(path)
    assert not lock.try_alone()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert lock.try_alone()
    lock.release()


def test_children_end_with_a_killed_launcher():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from launcher import process\n"
        "process.start(['sh', '-c', 'echo $$; exec sleep 60'])"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(50):
        try:
            state = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.1)
    raise AssertionError("the child lives on")


def test_an_interrupted_unpacking_holds_no_lock(tmp_path):
    """What the unpacking program had started ends with it, and lets the lock go."""
    lock = files.Lock(tmp_path / "lock")
    words = ["sh", "-c", "sleep 60 & echo started; wait"]
    options = {"stdout": subprocess.PIPE, "start_new_session": True}
    with lock.alone("Wait"):
        child = process.launch(words, **options)
        assert child.stdout.readline() == b"started\n"
    other = files.Lock(tmp_path / "lock")
    assert not other.try_alone()
    process.end(child)
    child.stdout.close()
    assert other.try_alone()
    other.release()


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_accents_in_the_path(monkeypatch, tmp_path, locale):
    """Python finds Odoo below a folder with an accent, in a locale that knows none."""
    home = tmp_path / "é dé"
    home.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home / "venv"], check=True)
    monkeypatch.setattr(paths, "VENV", home / "venv")
    monkeypatch.setattr(paths, "ODOO_BIN", home / "odoo-bin")
    monkeypatch.setattr(odoo, "package_folder", lambda: home / "site")
    odoo.prepare()
    code = "import sys; print(ascii(sys.path[-1]))"
    env = {**os.environ, "LC_ALL": locale}
    said = subprocess.check_output([home / "venv/bin/python", "-c", code], env=env, text=True)
    assert said.strip() == ascii(str(home / "site"))


def test_write_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    files.write(path, "one")
    with pytest.raises(UnicodeEncodeError):
        files.write(path, "two \ud800")
    assert files.read(path) == "one"


def test_digest_follows_contents(tmp_path):
    (tmp_path / "a").write_text("1")
    before = files.digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").touch()
    assert files.digest(tmp_path) == before
    (tmp_path / "a").write_text("2")
    assert files.digest(tmp_path) != before


def test_changed_lock_makes_the_environment_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    for name in pyenv.RUN:
        (tmp_path / name).write_text(name)
    before = pyenv._digest(pyenv.RUN)
    (tmp_path / "requirements.txt").write_text("other")
    assert pyenv._digest(pyenv.RUN) != before


# --- small things -----------------------------------------------------------------------


def test_dependencies_come_from_the_manifests():
    needed = databases.dependencies()
    assert "account" in needed and not set(needed) & set(paths.ADDONS)


def test_catalogue_keeps_what_is_translated(tmp_path):
    template, french = tmp_path / "x.pot", tmp_path / "fr.po"
    template.write_text(
        'msgid ""\nmsgstr ""\n\nmsgid "New"\nmsgstr ""\n\nmsgid "Paid"\nmsgstr ""\n'
    )
    french.write_text(
        'msgid ""\nmsgstr ""\n\nmsgid "Paid"\nmsgstr "Payé"\n\nmsgid "Old"\nmsgstr "V"\n'
    )
    assert catalogue.merge(template, french) == ["New"]
    kept = {entry.msgid: entry.msgstr for entry in polib.pofile(str(french))}
    assert kept == {"New": "", "Paid": "Payé"}


def test_dates_of_a_template_do_not_count():
    one = '"POT-Creation-Date: 2026-01-01 10:00+0000\\n"\nmsgid "a"\n'
    assert checks.POT_DATES.sub("", one) == 'msgid "a"\n'


def test_contracts_of_the_data_files(monkeypatch, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "grant.contract.csv").write_text("id,code\na,C-1\nb,\n")
    monkeypatch.setattr(paths, "DATA", tmp_path)
    assert demo._contracts() == ["C-1"]


def test_facts_of_a_database_can_be_read_back():
    """What the launcher keeps in a database's comment."""
    kept = {}
    server = SimpleNamespace(sql=lambda _text, **values: kept.update(values) or kept["facts"])
    facts = {"played": "x", "logins": '{"role": "é"}\n'}
    databases.describe(server, "ctai", facts)
    assert databases.info(server, "ctai") == facts


def test_tests_in_folders_are_counted(monkeypatch, tmp_path):
    """What Odoo's runner has to run is read from the sources, wherever they lie."""
    folder = tmp_path / "addon" / "tests" / "ledger"
    folder.mkdir(parents=True)
    (folder / "test_x.py").write_text("class TestX(Case):\n    def test_a(self):\n        pass\n")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    assert checks._written(["addon"]) == {"TestX.test_a"}
