"""What the live tests share: clients that are logged in, mailboxes of a test's own, and messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from imapkit import IMAP4, BadResponse
from tests.servers.base import Server, not_announced
from tests.servers.quirks import Quirk

SECONDS = 30.0
"""No answer takes longer, on a busy machine."""


def connect(server: Server, **options: Any) -> IMAP4:
    """A client at the plain port."""
    return IMAP4(server.host, server.port, timeout=SECONDS, **options)


@contextmanager
def logged_in(server: Server, user: str = "tester", **options: Any) -> Iterator[IMAP4]:
    """A client that is logged in."""
    with connect(server, **options) as imap:
        assert imap.login(user, server.users[user])[0] == "OK"
        yield imap


def place(server: Server, name: str) -> str:
    """The full name of a mailbox of the user's own."""
    return server.personal + name


_announced: dict[tuple[str, int], frozenset[str]] = {}


def announced(server: Server) -> frozenset[str]:
    """The capabilities that a server announces before and after login, in capitals."""
    address = server.host, server.port
    if address not in _announced:
        with connect(server) as imap:
            before = imap.capabilities
            imap.login("tester", server.users["tester"])
            _announced[address] = frozenset((*before, *imap.capabilities))
    return _announced[address]


def needing(server: Server, *capabilities: str) -> Server:
    """The server, if it announces all of these; otherwise the test, which is about them, is skipped."""
    absent = [name for name in capabilities if name not in announced(server)]
    if absent:
        not_announced(server, " ".join(absent))
    return server


def uids_before(server: Server) -> int:
    """How many UIDs come before that of the first message of a new mailbox."""
    return 100 if Quirk.FIRST_UID_101 in server.quirks else 0


def syntax_error(server: Server) -> str:
    """How the server answers a command that it does not understand."""
    return "NO" if Quirk.SYNTAX_ERROR_IS_NO in server.quirks else "BAD"


def letter(subject: str, body: str = "hello", more: str = "") -> bytes:
    """A small message."""
    head = f"From: Ann <ann@example.com>\r\nTo: bob@example.com\r\nSubject: {subject}\r\n{more}"
    return f"{head}\r\n{body}\r\n".encode()


@contextmanager
def filled(server: Server, name: str, *messages: bytes, user: str = "tester") -> Iterator[tuple[IMAP4, str]]:
    """A client, and a mailbox with these messages, which it has selected."""
    with logged_in(server, user) as imap:
        box = place(server, name)
        assert imap.create(box)[0] == "OK"
        for message in messages:
            assert imap.append(box, None, None, message)[0] == "OK"
        assert imap.select(box) == ("OK", [str(len(messages)).encode()])
        yield imap, box


def outcome(command: Callable[..., tuple[str, list[Any]]], *arguments: Any) -> tuple[str, list[Any]]:
    """The result of a command, whether the server takes it for valid or not."""
    try:
        return command(*arguments)
    except BadResponse as refused:
        return "BAD", [refused.text]


class Answers:
    """A callback that keeps what it is given, by ``cb_arg``."""

    def __init__(self) -> None:
        self.given: dict[Any, tuple[Any, Any]] = {}
        self._changed = threading.Condition()

    def __call__(self, answer: tuple[Any, Any, Any]) -> None:
        result, cb_arg, failure = answer
        with self._changed:
            self.given[cb_arg] = (result, failure)
            self._changed.notify_all()

    def wait(self, *keys: Any) -> None:
        """Return once there is an answer for each of ``keys``."""
        with self._changed:
            assert self._changed.wait_for(lambda: all(key in self.given for key in keys), SECONDS), self.given
