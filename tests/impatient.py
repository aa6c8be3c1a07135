"""A shorter wait for progress, once a connection is open: its greeting may take longer than its commands are to."""

from __future__ import annotations

import imapkit
from imapkit import Timeouts

__all__ = ["shorten"]


def shorten(client: imapkit.IMAP4, seconds: float) -> None:
    """Let no command of this client go on without progress for longer than ``seconds`` from now on."""
    live = client._live
    live.timeouts = Timeouts(progress=seconds)
    live.engine.flight.window = seconds
