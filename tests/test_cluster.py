# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The embedded PostgreSQL: shared, stopped with its last user, started again however it died."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from launcher import cluster, paths, postgres, process, serving  # noqa: E402
from launcher.errors import Stop  # noqa: E402


@pytest.fixture(params=["open", "closed"])
def state(request, monkeypatch):
    """Return the state of a checkout that others may enter, or may not."""
    root = Path(tempfile.mkdtemp(prefix="a space "))
    root.chmod(0o755 if request.param == "open" else 0o700)
    monkeypatch.setattr(paths, "ROOT", root)
    monkeypatch.setattr(paths, "STATE", root / ".ctai")
    monkeypatch.setattr(paths, "LOGS", root / ".ctai" / "logs")
    for name in postgres.OWN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    mode = root.stat().st_mode
    yield root / ".ctai"
    assert root.stat().st_mode == mode
    home = postgres.Embedded().home
    shutil.rmtree(root)
    shutil.rmtree(home, ignore_errors=True)  # root's, in /var/lib


def test_cluster_is_shared_and_ends_with_the_last(state):
    with postgres.Embedded() as one:
        with postgres.Embedded() as other:
            assert other.sql("SELECT current_user") == "odoo"
        assert one.sql("SHOW fsync; SHOW synchronous_commit; SHOW full_page_writes").split() == (
            ["on"] * 3
        )
        assert one.data.stat().st_mode & 0o077 == 0
        assert one.socket.stat().st_mode & 0o077 == 0
    assert not one.running()


def test_cluster_ends_after_a_killed_user(state):
    """What a killed launcher left running, the next one stops."""
    with other_user(state, "print('up', flush=True); time.sleep(60)") as user:
        assert user.stdout.readline() == b"up\n"
        user.kill()
    with postgres.Embedded() as server:
        pass
    assert not server.running()


def test_cluster_does_not_outlive_a_failed_start(state, monkeypatch):
    def refuse(*_arguments):
        assert server.running()
        raise KeyboardInterrupt

    server = postgres.Embedded()
    monkeypatch.setattr(postgres.Server, "sql", refuse)
    with pytest.raises(KeyboardInterrupt), server:
        pass
    assert not server.running()


def other_user(state, code):
    """Start a process that does something while it needs the cluster, called `server`."""
    words = (
        f"import sys, time; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\nfrom launcher import paths, postgres\n"
        f"paths.ROOT, paths.STATE = Path({str(state.parent)!r}), Path({str(state)!r})\n"
        "paths.LOGS = paths.STATE / 'logs'\n"
        f"with postgres.Embedded() as server: {code}"
    )
    return subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE)


# --- however it died ----------------------------------------------------------------------


def kill(server, all_of_it=False):
    first = cluster.first(server.data, server.name)
    for pid in cluster.processes(server.data, server.name) if all_of_it else [first]:
        os.kill(pid, signal.SIGKILL)


def kill_first(server):
    """Those that work on without it keep its memory."""
    words = [
        postgres.program("psql"),
        "-Xqc",
        "SELECT pg_sleep(99)",
        "postgres",
    ]
    busy = process.launch(words, env=server.environment(), stderr=subprocess.DEVNULL)
    wait_for(lambda: "pg_sleep" in server.sql("SELECT query FROM pg_stat_activity", "postgres"))
    kill(server)
    busy.wait()


def kill_backend(server):
    """All others are cut off, and the cluster recovers by itself."""
    words = [
        postgres.program("psql"),
        "-Xqc",
        "SELECT pg_sleep(99)",
        "postgres",
    ]
    busy = process.launch(words, env=server.environment(), stderr=subprocess.DEVNULL)
    sleeping = "SELECT max(pid) FROM pg_stat_activity WHERE query LIKE '%(99)'"
    wait_for(lambda: server.sql(sleeping, "postgres"))
    os.kill(int(server.sql(sleeping, "postgres")), signal.SIGKILL)
    busy.wait()


def reboot(server):
    """After a power cut its number is another program's; its socket is still there."""
    kill(server, all_of_it=True)
    wait_for(lambda: not cluster.processes(server.data, server.name))
    uid = server.data.stat().st_uid
    path = Path("/proc")
    mine = [int(one.name) for one in path.glob("[0-9]*") if one.stat().st_uid == uid]
    for lock in (server.data / "postmaster.pid", *server.socket.glob(".s*.lock")):
        lines = lock.read_text().splitlines(keepends=True)
        lock.write_text("".join([f"{(mine or [os.getpid()])[0]}\n", *lines[1:]]))


def empty_lock(server):
    """A power cut, before what was written had reached the disk."""
    kill(server, all_of_it=True)
    (server.data / "postmaster.pid").write_text("")


def lose_log(server):
    kill(server, all_of_it=True)
    server.log().unlink()


def lose_socket(server):
    """Someone tidied up: it lives, and nobody can reach it."""
    for path in server.socket.glob(".s*"):
        path.unlink()


def freeze(server):
    os.kill(cluster.first(server.data, server.name), signal.SIGSTOP)


def wait_for(condition):
    for _ in range(100):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("waited in vain")


@pytest.fixture(scope="module")
def long_lived():
    """Return a cluster for the tests that kill it."""
    root = Path(tempfile.mkdtemp(prefix="ctai-"))
    root.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        for name, path in (("ROOT", ""), ("STATE", ".ctai"), ("LOGS", ".ctai/logs")):
            patch.setattr(paths, name, root / path)
        patch.setattr(postgres, "SILENCE", 1)
        for name in postgres.OWN_VARIABLES:
            patch.delenv(name, raising=False)
        with postgres.Embedded() as server:
            server.sql("CREATE TABLE kept (what text)", "postgres")
            yield server
    shutil.rmtree(root)
    shutil.rmtree(server.home, ignore_errors=True)


@pytest.mark.parametrize(
    "death",
    [kill_first, kill_backend, reboot, empty_lock, lose_log, lose_socket, freeze],
    ids=lambda x: x.__name__,
)
def test_dead_cluster_is_started_at_the_first_try(long_lived, death):
    name = death.__name__
    long_lived.sql("INSERT INTO kept VALUES (:'what')", "postgres", what=name)
    death(long_lived)
    with postgres.Embedded() as other:
        assert other.sql("SELECT 1") == "1"  # by Odoo's role
        assert name in other.sql("SELECT what FROM kept", "postgres").split()
    assert long_lived.running()


def test_two_that_find_it_dead_start_it_once(long_lived):
    kill(long_lived, all_of_it=True)
    code = "print(server.sql('SELECT pg_postmaster_start_time()'))"
    users = [other_user(paths.STATE, code) for _ in range(3)]
    assert len({user.communicate()[0] for user in users}) == 1
    assert not any(user.returncode for user in users)


def test_a_statement_finds_it_dead(long_lived):
    kill(long_lived)
    assert long_lived.sql("SELECT 2") == "2"


def test_other_programs_are_left_alone(long_lived):
    """Not even when a stale file names them is a process ended that is not of this cluster."""
    with subprocess.Popen(["sleep", "60"]) as other:
        long_lived.__exit__()
        (long_lived.data / "postmaster.pid").write_text(f"{other.pid}\n{long_lived.data}\n")
        assert not long_lived.running()
        long_lived.__enter__()
        assert other.poll() is None
        other.kill()


# --- while serving ------------------------------------------------------------------------


@pytest.fixture
def odoo(long_lived, monkeypatch):
    """Return what serves a database, with something simple in Odoo's place."""
    monkeypatch.setattr(serving.odoo, "configure", lambda *_arguments: "odoo.conf")
    monkeypatch.setattr(serving.odoo, "command", lambda *_arguments: ["sleep", "60"])
    monkeypatch.setattr(serving._Serving, "wait_for_pages", lambda *_arguments: None)
    paths.LOGS.mkdir(exist_ok=True)
    served = serving._Serving(long_lived, "ctai", 8069)
    served.start()
    yield served
    served.stop()


@pytest.mark.parametrize("death", [kill, kill_backend], ids=lambda x: x.__name__)
def test_serving_goes_on(odoo, long_lived, death, capsys):
    """Odoo too is started again: the threads of its scheduled actions do not survive."""
    first = odoo.running.pid
    wait_for(lambda: "SELECT 1" in long_lived.sql("SELECT query FROM pg_stat_activity", "postgres"))
    death(long_lived)
    odoo.wait()
    assert odoo.running.pid != first and odoo.running.poll() is None
    assert long_lived.sql("SELECT 1") == "1"
    said = capsys.readouterr().err
    assert "PostgreSQL broke off" in said and "Serving again" in said


def test_serving_gives_up(odoo, monkeypatch):
    """Where PostgreSQL dies again and again, someone has to look."""
    monkeypatch.setattr(odoo, "server", SimpleNamespace(revive=fail, log=lambda: "the log"))
    monkeypatch.setattr(serving.time, "sleep", lambda _seconds: None)
    with pytest.raises(Stop, match="died 5 times in a row.*the log"):
        odoo._revive()


def fail():
    raise Stop("It did not start.")


def test_serving_tells_the_end_of_odoo(odoo):
    odoo.running.kill()
    with pytest.raises(Stop, match="Odoo ended by itself"):
        odoo.wait()
