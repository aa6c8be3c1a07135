"""All bounds on what a server may send, and on how long it may take."""

from __future__ import annotations

import math
from dataclasses import fields

from imapkit.core.support.lean import lean_dataclass, warn_renamed

__all__ = ["Limits", "Timeouts"]

KiB, MiB = 1 << 10, 1 << 20
_MAY_BE_NONE = frozenset(("stored", "stored_bytes", "defects"))


@lean_dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds on what a server may send; beyond one of them the connection ends with ``LimitExceeded``.

    ``line``, ``literal`` and ``response`` are in bytes as they are sent, ``literals`` counts the literals of one response,
    ``nesting`` its open parentheses. ``answers`` counts the untagged responses that one command may collect, ``answers_bytes``
    the bytes of memory that they take up: their content, and some 200 bytes for the object of each.

    ``inflation``: how many bytes compressed data (RFC 4978) may inflate to, beyond a hundred times its size. Each line counts as
    200 bytes more, since it takes that much more work than a byte. Text inflates to ten or twenty times its size, a message of
    zeros to a thousand times.

    ``stored`` counts the untagged responses kept for ``response()`` and ``pop_untagged_responses()``, ``stored_bytes`` the
    bytes of memory that they take up, ``defects`` the entries of ``imap.defects``: beyond these the oldest are dropped, and the
    connection goes on.

    ``challenges`` counts the continuation requests that one exchange (AUTHENTICATE) may have; ``strays`` the lines in a row
    that are no response.

    ``command`` bounds what the client sends: the bytes of one command without its literals. A longer one raises
    ``ArgumentError``, and nothing is sent. Dovecot refuses a line of more than 64 KiB, and Cyrus ends the connection at a word
    of more than 128 KiB, such as the numbers of 20,000 messages that do not follow one another.

    Raises ``ValueError`` for a value that is not a whole number, or is too small: ``stored``, ``stored_bytes`` and ``defects``
    may be 0, the others must be at least 1.
    """

    line: int = 16 * MiB
    literal: int = 1024 * MiB
    response: int = 2048 * MiB
    literals: int = 100_000
    nesting: int = 1000
    answers: int = 10_000_000
    answers_bytes: int = 16 * 1024 * MiB
    inflation: int = 1024 * MiB
    challenges: int = 100
    strays: int = 100
    command: int = 128 * KiB
    stored: int = 100_000
    stored_bytes: int = 32 * MiB
    defects: int = 1000
    _RENAMED = (("answers_octets", "answers_bytes"), ("stored_octets", "stored_bytes"))

    @property
    def answers_octets(self) -> int:
        """The old name of ``answers_bytes``: deprecated."""
        warn_renamed("Limits", "answers_octets", "answers_bytes")
        return self.answers_bytes

    @property
    def stored_octets(self) -> int:
        """The old name of ``stored_bytes``: deprecated."""
        warn_renamed("Limits", "stored_octets", "stored_bytes")
        return self.stored_bytes

    def __post_init__(self) -> None:
        for limit in fields(self):
            value, least = getattr(self, limit.name), 0 if limit.name in _MAY_BE_NONE else 1
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"Limits.{limit.name} must be a whole number, at least {least}, not {value!r}")


@lean_dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds; ``math.inf`` waits for ever.

    ``connect`` is for the TCP connection and then for the TLS handshake, ``greeting`` for the server's first line.
    ``progress`` is the longest that a command may go on without any progress of its own: bytes sent,
    responses that belong to it, or a literal that is arriving. Responses that belong to other commands or to none do
    not count. ``logout`` bounds the whole of logout.
    """

    connect: float = 30.0
    greeting: float = 30.0
    progress: float = 300.0
    logout: float = 10.0

    @classmethod
    def within(cls, seconds: float | None) -> Timeouts:
        """The defaults; with ``seconds`` every wait takes that long at most. Raises ``ValueError``."""
        if seconds is None:
            return cls()
        if not seconds > 0 or math.isnan(seconds):
            raise ValueError(f"timeout must be a positive number of seconds, not {seconds!r}")
        return cls(seconds, seconds, seconds, min(seconds, cls().logout) if seconds < math.inf else seconds)
