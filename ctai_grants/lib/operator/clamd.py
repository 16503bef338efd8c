"""Files shown to clamd, the daemon of ClamAV, over its own protocol (INSTREAM; man clamd).

Forty lines rather than a library: the protocol is two commands, and what matters here is to tell
its answers apart (a file that is too large from a daemon that is away), within a limit of time.
"""

import contextlib
import re
import socket
import struct
import time

CHUNK = 2**16
#: Seconds for one file, and for a daemon to take the call.
LONGEST, LONGEST_CALL = 120, 5
# What follows is read no further: an answer is one line.
_LONGEST_ANSWER = 4096
# Of these, clamd says that it did not look, not that it found something.
_NOT_LOOKED_AT = re.compile(r"Heuristics\.(Limits\.Exceeded|Encrypted)\b", re.IGNORECASE)


class Away(Exception):
    """No answer, or none of clamd: the file is shown again later."""


class NotScanned(Exception):
    """clamd is there, and does not look at this file: too large for it, for instance."""


def parse_address(text: str):
    """Where clamd listens: the path of its socket, or host and port.

    :raise ValueError: neither

    >>> parse_address(" /run/clamav/clamd.ctl "), parse_address("clamav:3310")
    ('/run/clamav/clamd.ctl', ('clamav', 3310))
    >>> parse_address("[::1]:3310"), parse_address("clamav")
    (('::1', 3310), ('clamav', 3310))
    """
    text = text.strip()
    if text.startswith("/"):
        return text
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?", text)
    port = int(found[3] or 3310) if found else 0
    if not 0 < port < 65536:
        raise ValueError(text)
    return (found[1] or found[2], port)


def scan(address, content: bytes) -> str | None:
    """Name of what clamd finds in ``content``; None when it finds nothing.

    :param address: as :func:`parse_address`
    :raise Away: it does not answer, or answers what clamd does not say
    :raise NotScanned: it says that it did not look
    """
    try:
        answer = _ask(address, content)
    except OSError as error:
        raise Away(str(error)) from error
    return read_answer(answer)


def read_answer(answer: str) -> str | None:
    r"""What an answer says; raises as :func:`scan`.

    >>> read_answer("stream: OK\0"), read_answer("stream: Eicar-Test FOUND\0")
    (None, 'Eicar-Test')
    >>> read_answer("HTTP/1.1 400 Bad Request")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    Away: HTTP/1.1 400 Bad Request
    """
    answer = answer.strip("\0\r\n ")
    if answer == "stream: OK":
        return None
    if found := re.fullmatch(r"stream: ([^\s\0]{1,200}) FOUND", answer):
        if _NOT_LOOKED_AT.match(found[1]):
            raise NotScanned(found[1])
        return found[1]
    if "size limit exceeded" in answer:
        raise NotScanned(answer[:200])
    # An error of its own, or no clamd at all: whatever it is, not clean.
    raise Away(answer[:200])


def _ask(address, content):
    end = time.monotonic() + LONGEST
    family = socket.AF_UNIX if isinstance(address, str) else None
    with _connect(address, family) as connection:
        # It closes the door on what is too large; why, it has said before.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(b"zINSTREAM\0")
            view = memoryview(content)
            for start in range(0, len(view), CHUNK):
                connection.settimeout(max(0.1, end - time.monotonic()))
                part = view[start : start + CHUNK]
                connection.sendall(struct.pack("!L", len(part)))
                connection.sendall(part)
            connection.sendall(struct.pack("!L", 0))
        return _read(connection, end)


def _connect(address, family):
    if family is None:
        return socket.create_connection(address, LONGEST_CALL)
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(LONGEST_CALL)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _read(connection, end):
    answer = b""
    while len(answer) < _LONGEST_ANSWER and b"\0" not in answer:
        connection.settimeout(max(0.1, end - time.monotonic()))
        try:
            part = connection.recv(_LONGEST_ANSWER)
        except ConnectionResetError:
            break
        if not part:
            break
        answer += part
    return answer.decode("utf-8", "replace")
