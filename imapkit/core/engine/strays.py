"""Lines that are no response: counted, limited, and quoted in the error if the connection ends behind them."""

from __future__ import annotations

from imapkit.core.support.limits import Limits
from imapkit.core.support.secrets import Hidden
from imapkit.core.wire.response import Stray
from imapkit.errors import LimitExceeded, error

__all__ = ["Strays"]

_SHOWN = 200


class Strays:
    """Counts the stray lines since the last response. Too many in a row end the connection: the peer is no IMAP server."""

    def __init__(self, limits: Limits, secrets: Hidden) -> None:
        self._limits, self._secrets = limits, secrets
        self.count = 0
        self._last = b""

    def add(self, stray: Stray) -> None:
        """Count a stray line. Raises ``LimitExceeded``."""
        # Secrets are hidden before the text is cut, so that no part of one is left.
        self._last = self._secrets.hide(stray.text)[:_SHOWN]
        self.count += 1
        if self.count > self._limits.strays:
            most = self._limits.strays
            raise LimitExceeded(f"the server sent more than {most} lines in a row that are no IMAP response (Limits.strays)")

    def with_last_line(self, exc: error) -> error:
        """``exc``, with the last stray line in its text if no response came behind it: the line may be the reason."""
        if self.count and len(exc.args) == 1:
            last = self._last.decode("utf-8", "backslashreplace")
            exc.args = (f"{exc}; the last line that it sent is no IMAP response: {last!r}",)
        return exc
