"""imapkit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any

import imapkit
from bench.clients.common import Threaded
from bench.clients.looks import decode, look
from bench.payloads import APPENDED
from bench.worker import Run
from imapkit.ext.rev1 import FetchData, MailboxListing

__all__ = ["Client", "filled"]


@contextmanager
def filled(size: int, end: bytes) -> Iterator[IO[bytes]]:
    """A file of so many bytes, in lines with such ends."""
    line = b"x" * 70 + end
    with TemporaryFile() as file:
        for _ in range(size // len(line)):
            file.write(line)
        file.write(b"x" * (size - file.tell()))
        file.seek(0)
        yield file


class Client(Threaded):
    """Adds the parsed records, and the typed calls."""

    module = "imapkit"

    def __getattr__(self, name: str) -> Any:
        # (Only those who ask for it pay for it: asyncio takes megabytes.)
        from bench.clients.typed import Typed

        return partial(getattr(Typed, name), self)

    def open(self, run: Run) -> Any:
        """A client."""
        if run.cafile is not None:
            return imapkit.IMAP4_SSL(run.host, run.port, ca_certs=run.cafile)
        return imapkit.IMAP4(run.host, run.port)

    def flags_parsed(self, run: Run) -> None:
        """FETCH of flags, as records, each looked at."""
        client = self.connect(run)
        with run.timed():
            typ, data = client.fetch(f"1:{run.size}", "(FLAGS)")
            seen = [len(message.raw_flags) for message in data.parsed()]
        run.check(typ == "OK" and len(seen) == run.size)
        client.logout()

    def listing_parsed(self, run: Run) -> None:
        """LIST of many mailboxes, as records, each looked at."""
        client = self.connect(run)
        with run.timed():
            typ, data = client.list()
            seen = [(listing.name.text, len(listing.raw_attributes)) for listing in data.parsed(MailboxListing)]
        run.check(typ == "OK" and len(seen) == run.size)
        client.logout()

    def structures_parsed(self, run: Run) -> None:
        """FETCH of envelopes and structures, as records, every field looked at, and the date understood as IMAPClient does."""
        self._structures(run, look)

    def structures_decoded(self, run: Run) -> None:
        """The same with all words and parameters decoded, as imapflow does."""
        self._structures(run, decode)

    def _structures(self, run: Run, look: Callable[[FetchData], int]) -> None:
        client = self.connect(run)
        with run.timed():
            typ, data = client.fetch(f"1:{run.size}", "(ENVELOPE BODYSTRUCTURE)")
            parts = [look(message) for message in data.parsed()]
        run.check(typ == "OK" and len(parts) == run.size and min(parts) > 0)
        client.logout()

    # large messages in memory and as streams (``bench.streams``)

    def big_saved(self, run: Run) -> None:
        """FETCH of one large message, and its writing to a file."""
        client = self.connect(run)
        with TemporaryFile() as file:
            with run.timed():
                _, data = client.fetch("1", "(BODY.PEEK[])")
                file.write(data[0][1])
            run.check(file.tell() == run.size)
        client.logout()

    def big_to_file(self, run: Run) -> None:
        """The same, written as it comes."""
        client = self.connect(run)
        with TemporaryFile() as file:
            with run.timed():
                client.fetch_to("1", "(BODY.PEEK[])", file)
            run.check(file.tell() == run.size)
        client.logout()

    def append_big(self, run: Run, end: bytes = b"\r\n") -> None:
        """APPEND of one large message, which is read from a file first."""
        self._append_file(run, end, lambda file: file.read())

    def append_big_file(self, run: Run) -> None:
        """The same, sent as it is read."""
        self._append_file(run, b"\r\n", lambda file: file)

    def append_big_source(self, run: Run) -> None:
        """The same, with its size and line ends known."""
        self._append_file(run, b"\r\n", lambda file: imapkit.Source(run.size, file))

    def append_big_lf(self, run: Run) -> None:
        """APPEND of one large message whose line ends are to be made CRLF."""
        self.append_big(run, b"\n")

    def append_big_lf_file(self, run: Run) -> None:
        """The same, sent as it is read."""
        self._append_file(run, b"\n", lambda file: file)

    def _append_file(self, run: Run, end: bytes, message: Callable[[Any], Any]) -> None:
        client = self.connect(run)
        with filled(run.size, end) as file, run.timed():
            run.check(client.append(APPENDED, None, None, message(file))[0] == "OK")
        client.logout()
