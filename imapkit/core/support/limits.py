"""What a server may send, and how long it may take: every bound in one place."""

from __future__ import annotations

import math
from dataclasses import fields

from imapkit.core.support.lean import lean_dataclass

__all__ = ["Limits", "Timeouts"]

KiB, MiB = 1 << 10, 1 << 20
_MAY_BE_NONE = frozenset(("stored", "stored_octets", "defects"))


@lean_dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds on what a server may send; beyond one of them the connection ends with ``LimitExceeded``. And ``command``.

    ``line``, ``literal`` and ``response`` are in bytes as they are sent, ``literals`` counts the literals of one response,
    ``nesting`` its open parentheses. ``answers`` counts the untagged responses that one command may collect, ``answers_octets``
    the bytes of memory that they take up: what is in them, and some 200 for each, since an empty response is an object, too.

    ``inflation``: to how much compressed data (RFC 4978) may come beyond a hundred times its size, in bytes; each line counts
    as 512 more, since a line takes that much more work than a byte does. Text comes to ten or twenty times its size, a message of
    nothing but zeros to a thousand.

    ``stored`` counts the untagged responses kept for ``response()`` and ``pop_untagged_responses()``, ``stored_octets`` the
    bytes of memory that they take up, ``defects`` what is kept of what was odd: beyond those the oldest are dropped, and the
    connection goes on.

    ``challenges`` counts the continuation requests that one exchange (AUTHENTICATE) may bring; ``strays`` the lines in a row
    that are no response.

    ``command`` is for what the client sends: the bytes of one command without its literals. A longer one raises
    ``ArgumentError``, and nothing is sent. Dovecot refuses a line of more than 64 KiB, and Cyrus ends the connection at a word
    of more than 128 KiB, such as the numbers of 20,000 messages that do not follow one another.

    Raises ``ValueError`` for what is no whole number, or none that can be kept: ``stored``, ``stored_octets`` and ``defects``
    may be 0, the others not.
    """

    line: int = 16 * MiB
    literal: int = 1024 * MiB
    response: int = 2048 * MiB
    literals: int = 100_000
    nesting: int = 1000
    answers: int = 10_000_000
    answers_octets: int = 16 * 1024 * MiB
    inflation: int = 1024 * MiB
    challenges: int = 100
    strays: int = 100
    command: int = 128 * KiB
    stored: int = 100_000
    stored_octets: int = 32 * MiB
    defects: int = 1000

    def __post_init__(self) -> None:
        for limit in fields(self):
            value, least = getattr(self, limit.name), 0 if limit.name in _MAY_BE_NONE else 1
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"Limits.{limit.name} must be a whole number, at least {least}, not {value!r}")


@lean_dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds; ``math.inf`` waits for ever.

    ``connect`` is for the TCP connection and then for the TLS handshake, ``greeting`` for the server's first line.
    ``progress`` is the longest a command may go on without any progress of its own: octets sent,
    responses that belong to it, or a literal that is arriving. What other commands or idle chatter receive does
    not count. ``logout`` bounds the whole of logout.
    """

    connect: float = 30.0
    greeting: float = 30.0
    progress: float = 300.0
    logout: float = 10.0

    @classmethod
    def within(cls, seconds: float | None) -> Timeouts:
        """The defaults, or with ``seconds`` no wait longer than that."""
        if seconds is None:
            return cls()
        if not seconds > 0 or math.isnan(seconds):
            raise ValueError(f"timeout must be a positive number of seconds, not {seconds!r}")
        return cls(seconds, seconds, seconds, min(seconds, cls().logout) if seconds < math.inf else seconds)
