"""The standard library's imaplib."""

from __future__ import annotations

import imaplib
import ssl
from typing import Any

from bench.clients.common import Sync
from bench.worker import Run


class Client(Sync):
    """One command after another."""

    module = "imaplib"

    def open(self, run: Run) -> Any:
        """A client."""
        if run.cafile is not None:
            return imaplib.IMAP4_SSL(run.host, run.port, ssl_context=ssl.create_default_context(cafile=run.cafile))
        return imaplib.IMAP4(run.host, run.port)
