"""imapkit."""

from __future__ import annotations

from typing import Any

import imapkit
from bench.clients.common import Threaded
from bench.worker import Run


class Client(Threaded):
    """Adds what is parsed."""

    module = "imapkit"

    def open(self, run: Run) -> Any:
        """A client."""
        if run.cafile is not None:
            return imapkit.IMAP4_SSL(run.host, run.port, ca_certs=run.cafile)
        return imapkit.IMAP4(run.host, run.port)

    def flags_parsed(self, run: Run) -> None:
        """FETCH of flags, as records, each looked at."""
        client = self.connect(run)
        with run.timed():
            _, data = client.fetch("1:*", "(FLAGS)")
            total = sum(len(message.flags) for message in data.parsed())
        run.check(total >= run.size)
        client.logout()

    def structures_parsed(self, run: Run) -> None:
        """FETCH of envelopes and structures, as records, each looked at."""
        client = self.connect(run)
        with run.timed():
            _, data = client.fetch("1:*", "(ENVELOPE BODYSTRUCTURE)")
            rows = [(m.envelope.subject, m.envelope.sender, m.structure.content_type) for m in data.parsed()]
        run.check(len(rows) == run.size)
        client.logout()
