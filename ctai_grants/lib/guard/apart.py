"""Programs of ours that read a stranger's bytes: each in a process of its own, with little memory
and little time, so that what goes wrong there goes wrong alone."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# No file is written, none is left behind by a crash. Nobody may have more than the machine lets it.
_LIMITS = """
import resource
for what, most in ((resource.RLIMIT_AS, {memory}), (resource.RLIMIT_CPU, {seconds}),
                   (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))
"""
# What it had in its memory is not tidied up piece by piece.
_END = """
import os, sys
sys.stdout.flush()
os._exit(0)
"""


class Failed(Exception):
    """The program did not come to its end. ``code``: what it left with; None: it was stopped at one
    of its limits, or ended by the system."""

    def __init__(self, code=None):
        super().__init__(code)
        self.code = code


def run_apart(program: str, content: bytes, *, memory: int, seconds: int) -> bytes:
    """What a Python program writes that reads ``content`` from its standard input.

    It imports nothing of the application, and knows neither its passwords nor its paths.

    :param memory: bytes that it may address; :param seconds: of the processor
    :raise Failed: it failed, or needed more
    """
    limits = _LIMITS.format(memory=memory, seconds=seconds)
    try:
        done = subprocess.run(  # noqa: S603 (our own programs)
            [sys.executable, "-c", limits + program + _END],
            input=content,
            capture_output=True,
            # It may wait for what is no work.
            timeout=seconds + 5,
            check=False,
            cwd=Path("/"),
            env={"PYTHONDONTWRITEBYTECODE": "1"},
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Failed from error
    if done.returncode:
        raise Failed(done.returncode if done.returncode > 0 else None)
    return done.stdout


def begin_apart(program: str, content: bytes, **limits) -> Callable[[], bytes]:
    """:func:`run_apart`, begun: who asks for what it writes waits only then.

    :return: to be called for it; raises what it raises
    """
    worker = ThreadPoolExecutor(max_workers=1)
    done = worker.submit(run_apart, program, content, **limits)
    worker.shutdown(wait=False)
    return done.result
