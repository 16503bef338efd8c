# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Says what is going on: one live line on a terminal, plain lines elsewhere."""

import itertools
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


def warn(text):
    """Print a remark that must not be missed."""
    bold = ("\x1b[1;33m", "\x1b[0m") if sys.stderr.isatty() else ("", "")
    note(f"{bold[0]}WARNING: {text}{bold[1]}")


def seconds(value):
    """Format a duration for people."""
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


class Step:
    """A piece of work with a name, shown while it lasts and with its time when it ends.

    `detail` is called now and then for a few words on how far the work is.
    """

    def __init__(self, title, detail=None):
        self.title = title
        self.detail = detail or (lambda: "")
        self.elapsed = 0.0

    def __enter__(self):
        self._start = time.monotonic()
        self._over = threading.Event()
        self._live = sys.stderr.isatty()
        pulse = self._pulse_live if self._live else self._pulse_plain
        self._thread = threading.Thread(target=pulse, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self._over.set()
        self._thread.join()
        self.elapsed = time.monotonic() - self._start
        end = "done" if kind is None else "NOT done"
        if self._live:
            sys.stderr.write("\r\x1b[K")
        if kind or self.elapsed > 0.5:
            note(f"  {self.title}: {end} ({seconds(self.elapsed)})")

    def _words(self):
        try:
            return self.detail() or ""
        except (OSError, ValueError):  # the file it looks at just went away
            return ""

    def _pulse_live(self):
        for sign in itertools.cycle("|/-\\"):
            width = shutil.get_terminal_size().columns - 1
            elapsed = seconds(time.monotonic() - self._start)
            line = f"{sign} {self.title} ({elapsed}) {self._words()}"[:width]
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
            if self._over.wait(0.2):
                return

    def _pulse_plain(self):
        if self._over.wait(1.5):
            return
        note(f"  {self.title} ...")
        while not self._over.wait(PLAIN_PULSE):
            elapsed = seconds(time.monotonic() - self._start)
            note(f"  {self.title} ... {elapsed} {self._words()}".rstrip())
