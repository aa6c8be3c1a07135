"""imaplib2."""

from __future__ import annotations

from typing import Any

import imaplib2  # type: ignore[import-not-found,import-untyped,unused-ignore]

from bench.clients.common import Threaded
from bench.worker import Run


class Client(Threaded):
    """As imapkit, without records."""

    module = "imaplib2"

    def open(self, run: Run) -> Any:
        """A client."""
        if run.cafile is not None:
            return imaplib2.IMAP4_SSL(run.host, run.port, ca_certs=run.cafile)
        return imaplib2.IMAP4(run.host, run.port)
