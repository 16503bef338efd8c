# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A PostgreSQL of its own with a copy of the test database, its files and a configuration: to be
killed while others work on theirs."""

import configparser
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

import odoo
from odoo.tests.common import get_db_name

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from launcher import postgres  # noqa: E402

DATABASE = "ctai_killed"
SETTINGS = """
listen_addresses = ''
shared_buffers = 128MB
max_connections = 60
"""


class Cluster:
    """PostgreSQL as the launcher starts it (the defaults for durability), elsewhere."""

    def __init__(self, home):
        embedded = postgres.Embedded()
        self.programs, self.user = embedded._programs(), embedded.user
        self.home, self.data = home, home / "data"

    def run(self, program, *words, **options):
        """Run one of PostgreSQL's programs, as who may."""
        account = pwd.getpwnam(self.user) if self.user else None
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        return subprocess.run(
            [str(self.programs / program), *map(str, words)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/",
            **(who if account else {}), **options,
        )  # fmt: skip

    def get_environment(self):
        """The environment of who works on it."""
        return {**os.environ, "PGHOST": str(self.home), "PGUSER": "odoo"}

    def create(self):
        self.home.mkdir(exist_ok=True)
        if self.user:
            shutil.chown(self.home, self.user)
        words = ("-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        made = self.run("initdb", *words, "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        assert not made.returncode, made.stderr
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as stream:
            stream.write(f"{SETTINGS}unix_socket_directories = '{self.home}'\n")
        # Safe once it is filled.
        self.start("-F -c full_page_writes=off -c autovacuum=off")
        self.execute("CREATE ROLE odoo LOGIN CREATEDB", "postgres")
        self.execute(f"CREATE DATABASE {DATABASE} OWNER odoo TEMPLATE template0", "postgres")

    def start(self, options="", patience=60):
        """Start it; after a kill, once the last process of before has noticed."""
        until = time.monotonic() + patience
        words = ("start", "-D", self.data, "-w", "-l", self.data / "server.log", "-o", options)
        while (started := self.run("pg_ctl", *words)).returncode:
            assert time.monotonic() < until, started.stdout + started.stderr
            time.sleep(0.2)

    def stop(self, mode="immediate"):
        self.run("pg_ctl", "stop", "-D", self.data, "-m", mode, "-w")

    def get_postmaster(self):
        return int((self.data / "postmaster.pid").read_text().split("\n")[0])

    def get_a_backend(self):
        """The process of some client that is idle."""
        ((pid,),) = self.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid() LIMIT 1"
        )
        return pid

    def kill(self, pid):
        os.kill(pid, signal.SIGKILL)

    def connect(self, database=DATABASE):
        """A connection of who owns the cluster: it sees what all others do."""
        connection = psycopg2.connect(host=str(self.home), user="postgres", dbname=database)
        connection.autocommit = True
        return connection

    def execute(self, query, database=DATABASE, patience=60):
        """What a query returns; tried until the cluster takes connections."""
        until = time.monotonic() + patience
        while True:
            try:
                with closing(self.connect(database)) as connection, connection.cursor() as cursor:
                    cursor.execute(query)
                    return cursor.fetchall() if cursor.description else None
            except psycopg2.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def fill(self, original):
        """Copy a database into it."""
        dump, here = self.home / "dump", ("-h", self.home, "-U", "odoo", "-d", DATABASE)
        made = subprocess.run(
            [str(self.programs / "pg_dump"), "-Fc", "-Z0", "-f", str(dump), original],
            capture_output=True, text=True,
        )  # fmt: skip
        assert not made.returncode, made.stderr
        dump.chmod(0o644)
        made = self.run("pg_restore", "--no-owner", "--single-transaction", *here, dump)
        assert not made.returncode, made.stderr
        dump.unlink()
        self.stop("fast")
        self.start()


def write_config(cluster, path):
    """The configuration of Odoo on this cluster, its files beside it."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(os.environ["CTAI_CONFIG"])
    config["options"].update(
        db_host=str(cluster.home), db_user="odoo", db_name=DATABASE,
        data_dir=str(path.parent / "files"),
    )  # fmt: skip
    with open(path, "w", encoding="utf-8") as stream:
        config.write(stream)


def copy_files(cluster, original, filestore):
    """The files that the database has, and no other."""
    for (name,) in cluster.execute(
        "SELECT DISTINCT store_fname FROM ir_attachment WHERE store_fname IS NOT NULL"
    ):
        source = Path(odoo.tools.config.filestore(original)) / name
        if source.exists():
            (filestore / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, filestore / name)


@contextmanager
def own_cluster():
    """A cluster with a copy of the test database: (cluster, configuration, folder of files)."""
    # Short, and open to who runs PostgreSQL: the path of a socket has room for some hundred bytes.
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    cluster = Cluster(folder / "pg")
    try:
        cluster.create()
        original = os.environ.get("CTAI_DB") or get_db_name()
        cluster.fill(original)
        filestore = folder / "files" / "filestore" / DATABASE
        filestore.mkdir(parents=True)
        copy_files(cluster, original, filestore)
        write_config(cluster, folder / "odoo.conf")
        yield cluster, folder / "odoo.conf", filestore
    finally:
        if cluster.data.exists():
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
