"""IMAPClient, which parses what it fetches."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import imapclient

from bench.clients.common import STATUS, Blocking, Importable
from bench.payloads import APPENDED, BODY_SIZE, MESSAGE
from bench.worker import Run


def _lists(envelope: Any) -> Iterator[Any]:
    yield from (envelope.from_, envelope.sender, envelope.reply_to, envelope.to, envelope.cc, envelope.bcc)


def _look(message: dict[bytes, Any]) -> int:
    """Look at every field that it has parsed; returns how many parts there are."""
    _look_at_envelope(message)
    return _parts(message[b"BODYSTRUCTURE"])


def _look_at_envelope(message: dict[bytes, Any]) -> int:
    envelope = message[b"ENVELOPE"]
    _ = envelope.date, envelope.subject, envelope.in_reply_to, envelope.message_id
    for address in (address for addresses in _lists(envelope) for address in addresses or ()):
        _ = address.name, address.route, address.mailbox, address.host
    return 1


def _parts(body: Any) -> int:
    fields = tuple(body)
    return 1 + sum(map(_parts, fields[0])) if body.is_multipart else 1


class Client(Blocking, Importable):
    """One command after another, parsed."""

    module = "imapclient"

    def connect(self, run: Run) -> Any:
        """A client, logged in, with the mailbox selected."""
        context = ssl.create_default_context(cafile=run.cafile) if run.cafile is not None else None
        client = imapclient.IMAPClient(run.host, run.port, use_uid=False, ssl=context is not None, ssl_context=context)
        client.login(run.user, run.password)
        client.select_folder(run.mailbox)
        return client

    def _fetch(self, run: Run, rows: int, item: str, look: Callable[[dict[bytes, Any]], int], least: int) -> None:
        """Fetch this, and look at every message's; what ``look`` returns is ``least`` at least."""
        client = self.connect(run)
        with run.timed():
            found = client.fetch(range(1, rows + 1), item.split())  # it takes no "1:5"
            seen = [look(message) for message in found.values()]
        run.check(len(seen) == rows and min(seen) >= least)
        client.logout()

    def flags_parsed(self, run: Run) -> None:
        """FETCH of flags."""
        self._fetch(run, run.size, "FLAGS", lambda message: len(message[b"FLAGS"]), 0)

    def structures_parsed(self, run: Run) -> None:
        """FETCH of envelopes and structures, every field looked at."""
        self._fetch(run, run.size, "ENVELOPE BODYSTRUCTURE", _look, 1)

    def rows_flags(self, run: Run) -> None:
        """FETCH of UIDs and flags."""
        self._fetch(run, run.size, "UID FLAGS", lambda message: len(message[b"FLAGS"]), 0)

    def rows_envelope(self, run: Run) -> None:
        """FETCH of UIDs and envelopes, every field looked at."""
        self._fetch(run, run.size, "UID ENVELOPE", _look_at_envelope, 1)

    def rows_body(self, run: Run) -> None:
        """FETCH of UIDs and structures, every field looked at."""
        self._fetch(run, run.size, "UID BODYSTRUCTURE", lambda message: _parts(message[b"BODYSTRUCTURE"]), 1)

    def rows(self, run: Run) -> None:
        """FETCH of all these."""
        self._fetch(run, run.size, "UID FLAGS ENVELOPE BODYSTRUCTURE", lambda message: len(message[b"FLAGS"]) + _look(message), 1)

    def status_far(self, run: Run) -> None:
        """One after another."""
        client = self.connect(run)
        with run.timed():
            found = [client.folder_status(f"Lists/Box {i}", STATUS[1:-1].split()) for i in range(run.size)]
        run.check(len(found) == run.size and all(status[b"MESSAGES"] for status in found))
        client.logout()

    def bodies(self, run: Run) -> None:
        """FETCH of messages."""
        self._fetch(run, run.size, "BODY.PEEK[]", lambda message: len(message[b"BODY[]"]), BODY_SIZE)

    def big(self, run: Run) -> None:
        """FETCH of one large message."""
        self._fetch(run, 1, "BODY.PEEK[]", lambda message: len(message[b"BODY[]"]), run.size)

    def _noop(self, client: Any) -> object:
        return client.noop()  # raises unless it is OK

    def _append(self, client: Any) -> object:
        return client.append(APPENDED, MESSAGE)
