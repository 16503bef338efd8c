# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Says what is going on: one live line on a terminal, plain lines elsewhere."""

import shutil
import sys
import threading
import time
from contextlib import contextmanager

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


@contextmanager
def step(title, detail=lambda: ""):
    """Show a piece of work by its name while it lasts, and with its time when it ends.

    `detail` is called now and then for a few words on how far the work is.
    """
    start, over, live = time.monotonic(), threading.Event(), sys.stderr.isatty()

    def pulse():
        if not live and not over.wait(1.5):
            note(f"  {title} ...")
        while not over.wait(0.2 if live else PLAIN_PULSE):
            try:
                words = detail()
            except (OSError, ValueError):  # the file it looks at just went away
                words = ""
            line = f"  {title} ... {seconds(time.monotonic() - start)} {words}".rstrip()
            if live:
                width = shutil.get_terminal_size().columns - 1
                print(f"\r\x1b[K{line[:width]}", end="", file=sys.stderr, flush=True)
            else:
                note(line)

    thread = threading.Thread(target=pulse, daemon=True)
    thread.start()
    end = "NOT done"
    try:
        yield
        end = "done"
    finally:
        over.set()
        thread.join()
        elapsed = time.monotonic() - start
        if live:
            print("\r\x1b[K", end="", file=sys.stderr)
        if end != "done" or elapsed > 0.5:
            note(f"  {title}: {end} ({seconds(elapsed)})")
