"""IMAPClient, which parses what it fetches."""

from __future__ import annotations

import ssl
from typing import Any

import imapclient

from bench.clients.common import Blocking
from bench.payloads import MESSAGE
from bench.worker import Run


class Client(Blocking):
    """One command after another, parsed."""

    module = "imapclient"

    def connect(self, run: Run) -> Any:
        """A client, logged in, with the mailbox selected."""
        context = ssl.create_default_context(cafile=run.cafile) if run.cafile is not None else None
        client = imapclient.IMAPClient(run.host, run.port, use_uid=False, ssl=context is not None, ssl_context=context)
        client.login(run.user, run.password)
        client.select_folder(run.mailbox)
        return client

    def _fetch(self, run: Run, items: list[str], rows: int) -> None:
        client = self.connect(run)
        with run.timed():
            found = client.fetch(range(1, rows + 1), items)  # it takes no "1:*"
        run.check(len(found) == rows)
        client.logout()

    def flags_parsed(self, run: Run) -> None:
        """FETCH of flags."""
        self._fetch(run, ["FLAGS"], run.size)

    def structures_parsed(self, run: Run) -> None:
        """FETCH of envelopes and structures."""
        self._fetch(run, ["ENVELOPE", "BODYSTRUCTURE"], run.size)

    def bodies(self, run: Run) -> None:
        """FETCH of messages."""
        self._fetch(run, ["BODY.PEEK[]"], run.size)

    def big(self, run: Run) -> None:
        """FETCH of one large message."""
        self._fetch(run, ["BODY.PEEK[]"], 1)

    def _append(self, client: Any) -> object:
        return client.append("Bench", MESSAGE)
