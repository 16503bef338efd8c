"""A real clamd of Debian, with a tiny database of its own that knows EICAR."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

# In two parts, so that no scanner of the machine takes this file away.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + rb"ANTIVIRUS-TEST-FILE!$H+H*"
UNPACKED = Path(__file__).resolve().parents[3] / ".ctai" / "clamd"


def find():
    """The program, and the folder of its libraries; skips the test where there is none."""
    own = UNPACKED / "usr/sbin/clamd"
    libraries = ":".join(map(str, (UNPACKED / "usr/lib").glob("*-linux-gnu*")))
    # Not every machine has the libraries that those of ClamAV stand on.
    if own.exists() and _runs(own, libraries):
        return str(own), libraries
    if found := shutil.which("clamd", path=os.environ["PATH"] + ":/usr/sbin"):
        return found, ""
    raise unittest.SkipTest("(no clamd of Debian) ./ctai test downloads it")


def _runs(program, libraries):
    env = {**os.environ, "LD_LIBRARY_PATH": libraries}
    return not subprocess.run([program, "--help"], env=env, capture_output=True).returncode


class Clamd:
    """One that listens to a socket of its own; takes streams of 2 MB at most."""

    def __init__(self):
        program, libraries = find()
        self.folder = Path(tempfile.mkdtemp(prefix="clamd"))
        self.address = str(self.folder / "socket")
        database = self.folder / "db"
        database.mkdir()
        (database / "test.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
        config = self.folder / "clamd.conf"
        config.write_text(
            f"LocalSocket {self.address}\nDatabaseDirectory {database}\nForeground yes\n"
            f"TemporaryDirectory {self.folder}\nStreamMaxLength 2M\nMaxThreads 2\n"
        )
        self.process = subprocess.Popen(
            [program, f"--config-file={config}"],
            env={**os.environ, "LD_LIBRARY_PATH": libraries},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _time in range(300):
            if os.path.exists(self.address):
                return
            time.sleep(0.1)
        self.stop()
        raise AssertionError("clamd does not start")

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Nonsense:
    """Something at the address that is no clamd: it answers ``answer``, and hangs up."""

    def __init__(self, answer):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.server.getsockname()[1]}"
        self.answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _address = self.server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                with contextlib.suppress(OSError):
                    while not connection.recv(2**20).endswith(b"\0\0\0\0"):
                        pass
                    connection.sendall(self.answer)

    def stop(self):
        self.server.close()
