# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Says what is going on: one live line on a terminal, plain lines elsewhere."""

import shutil
import sys
import threading
import time

#: Seconds of silence before a plain (not a terminal) output gets a sign of life.
PLAIN_PULSE = 15


def say(text=""):
    """Print a result, on standard output."""
    print(text, flush=True)


def note(text):
    """Print a remark about the work itself, on standard error."""
    print(text, file=sys.stderr, flush=True)


def seconds(value):
    """Format a duration for people."""
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


class Step:
    """A piece of work with a name, shown while it lasts and with its time when it ends.

    `detail` is called now and then for a few words on how far the work is.
    """

    def __init__(self, title, detail=lambda: ""):
        self.title = title
        self.detail = detail

    def __enter__(self):
        self._start = time.monotonic()
        self._over = threading.Event()
        self._live = sys.stderr.isatty()
        self._thread = threading.Thread(target=self._pulse, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self._over.set()
        self._thread.join()
        elapsed = time.monotonic() - self._start
        if self._live:
            sys.stderr.write("\r\x1b[K")
        if kind or elapsed > 0.5:
            note(f"  {self.title}: {'NOT done' if kind else 'done'} ({seconds(elapsed)})")

    def _pulse(self):
        if not self._live and not self._over.wait(1.5):
            note(f"  {self.title} ...")
        while not self._over.wait(0.2 if self._live else PLAIN_PULSE):
            try:
                words = self.detail() or ""
            except (OSError, ValueError):  # the file it looks at just went away
                words = ""
            line = f"  {self.title} ... {seconds(time.monotonic() - self._start)} {words}".rstrip()
            if self._live:
                width = shutil.get_terminal_size().columns - 1
                sys.stderr.write(f"\r\x1b[K{line[:width]}")
                sys.stderr.flush()
            else:
                note(line)
