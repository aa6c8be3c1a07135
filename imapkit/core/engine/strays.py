"""Lines that are no response: borne, counted, and shown if the connection ends after them."""

from __future__ import annotations

from imapkit.core.support.limits import Limits
from imapkit.core.support.secrets import Hidden
from imapkit.core.wire.response import Stray
from imapkit.errors import LimitExceeded, error

__all__ = ["Strays"]

_SHOWN = 200


class Strays:
    """The lines in a row, up to now, that are no response; a server that sends nothing else is none."""

    def __init__(self, limits: Limits, secrets: Hidden) -> None:
        self._limits, self._secrets = limits, secrets
        self.count = 0
        self._last = b""

    def add(self, stray: Stray) -> None:
        """Count one. Raises ``LimitExceeded``."""
        # A secret is hidden as a whole: a piece of it must not be left.
        self._last = self._secrets.hide(stray.text)[:_SHOWN]
        self.count += 1
        if self.count > self._limits.strays:
            most = self._limits.strays
            raise LimitExceeded(f"the server sent more than {most} lines in a row that are no IMAP response (Limits.strays)")

    def told_with(self, exc: error) -> error:
        """The reason for the end of the connection; with the last of these lines, if nothing came after it: it may say why."""
        if self.count and len(exc.args) == 1:
            last = self._last.decode("utf-8", "backslashreplace")
            exc.args = (f"{exc}; the last line that it sent is no IMAP response: {last!r}",)
        return exc
