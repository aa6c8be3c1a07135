"""A whole visit to a server, with every operation that can be interrupted, and the error that each call got."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import imapkit

__all__ = ["COMES", "GOES", "Visit"]

GOES, COMES = b"X-Going: half", b"X-Coming: half"
"""Lines in the middle of the message that is appended, and of the one that is fetched."""
CROWD = 3
PATIENCE = 20.0


def letter(line: bytes) -> bytes:
    """A message with ``line`` in its middle."""
    filler = b"F: %b\r\n" % (b"f" * 60) * 50
    return b"Subject: x\r\n" + filler + line + b"\r\n" + filler + b"\r\nhello\r\n"


class Visit:
    """Connects, logs in and uses every kind of command, while other threads use the connection.

    ``told`` has the error that each call raised when the connection ended.
    """

    def __init__(self, connect: Callable[[], imapkit.IMAP4], account: tuple[str, str], way: str = "plain", cafile: Any = None):
        self.connect, self.account, self.way, self.cafile = connect, account, way, cafile
        self.client: imapkit.IMAP4 | None = None
        self.told: list[str] = []
        self.callbacks = 0

    def run(self) -> None:
        """All of it. Raises ``abort`` where the connection ends."""
        client = self.client = self.connect()
        if self.way == "starttls":
            client.starttls(ca_certs=self.cafile)
        client.login(*self.account)
        if self.way == "compress":
            assert client.enable_compression()[0] == "OK"
        if self.way == "plain":
            # So that each literal waits for its "+".
            client.capabilities = [name for name in client.capabilities if name != "LITERAL+"]
        assert client.select("Archive")[0] == "OK"
        with self.crowd(client):
            typ, data = client.fetch("1", "BODY.PEEK[]")
            assert (typ, data[0][1]) == ("OK", letter(COMES))
            assert client.append("Archive", None, None, letter(GOES))[0] == "OK"
        self.idle(client)
        typ, data = client.logout()
        if typ != "BYE":
            raise imapkit.IMAP4.abort(f"logout: {data[0]!r}")

    @contextmanager
    def crowd(self, client: imapkit.IMAP4) -> Iterator[None]:
        """Other threads issue commands all the time, one of them with callbacks."""
        over = threading.Event()

        def ask(**options: Any) -> None:
            while not over.is_set():
                try:
                    client.noop(**options)
                except imapkit.IMAP4.abort as exc:
                    self.told.append(str(exc))
                    return

        threads = [threading.Thread(target=ask, name=f"crowd {at}") for at in range(CROWD)]
        for thread in threads:
            thread.start()
        for _ in range(CROWD):
            self._with_callback(client.noop)
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join(PATIENCE)

    def _with_callback(self, command: Callable[..., Any]) -> threading.Event:
        """Send a command by callback, which is called exactly once whatever happens."""
        called = threading.Event()

        def callback(answer: tuple[Any, Any, Any]) -> None:
            assert not called.is_set()
            self.callbacks -= 1
            if answer[2] is not None:
                self.told.append(answer[2][1])
            called.set()

        self.callbacks += 1
        try:
            command(callback=callback)
        except imapkit.IMAP4.abort as exc:
            self.callbacks -= 1
            self.told.append(str(exc))
            called.set()
        return called

    def idle(self, client: imapkit.IMAP4) -> None:
        """IDLE, until another thread issues a command."""
        called = self._with_callback(client.idle)
        with self.crowd(client):
            assert client.noop()[0] == "OK"
        assert called.wait(PATIENCE)

    def leave(self) -> None:
        """Hang up, twice; that never raises."""
        if self.client is not None:
            for _ in range(2):
                assert self.client.logout()[0] == "NO"
            assert self.client.state == "LOGOUT"
