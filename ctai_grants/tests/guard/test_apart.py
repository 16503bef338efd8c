import os
import subprocess
import sys
import tempfile
from unittest.mock import patch

from odoo.tests import BaseCase

from ...lib.guard import apart
from ...lib.guard.apart import Failed, begin_apart, run_apart

MEMORY = 256 * 2**20


class TestApart(BaseCase):
    def run_apart(self, program, content=b""):
        return run_apart(program, content, memory=MEMORY, seconds=1)

    def test_what_it_writes(self):
        program = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"
        self.assertEqual(self.run_apart(program, b"abc"), b"cba")

    def test_limits(self):
        for program in (
            "while True: pass",
            "kept = [bytearray(2**20) for _ in range(2**12)]",
            "import os; os.abort()",
        ):
            with self.subTest(program), self.assertRaises(Failed):
                self.run_apart(program)

    def test_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "left")
            with self.assertRaises(Failed):
                self.run_apart(f"with open({path!r}, 'w') as left: left.write('x')")
            self.assertFalse(os.path.exists(path) and os.path.getsize(path))

    def test_it_knows_nothing(self):
        with patch.dict(os.environ, {"PGPASSWORD": "secret"}):
            known = self.run_apart("import os; print(dict(os.environ), os.getcwd())").decode()
        self.assertNotIn("PGPASSWORD", known)
        self.assertIn(" /", known)

    def test_where_there_is_less(self):
        """What the machine lets nobody have is not asked for."""
        program = (
            "import resource, runpy; resource.setrlimit(resource.RLIMIT_CPU, (30, 30));"
            f"run = runpy.run_path({apart.__file__!r})['run_apart'];"
            "print(run('print(1)', b'', memory=2**28, seconds=60))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
        self.assertEqual(done.stdout.strip(), b"b'1\\n'", done.stderr)

    def test_begun(self):
        """It goes on meanwhile, and says how it ended to who asks, each time."""
        limits = {"memory": MEMORY, "seconds": 1}
        written = begin_apart("print(1)", b"", **limits)
        failed = begin_apart("import sys; sys.exit(3)", b"", **limits)
        self.assertEqual(written(), b"1\n")
        for _time in range(2):
            with self.assertRaises(Failed) as caught:
                failed()
            self.assertEqual(caught.exception.code, 3)

    def test_how_it_failed(self):
        with self.assertRaises(Failed) as caught:
            self.run_apart("import sys; sys.exit(3)")
        self.assertEqual(caught.exception.code, 3)
