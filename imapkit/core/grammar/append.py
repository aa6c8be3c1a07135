"""A message as an argument: RFC 3501 section 6.3.11, RFC 6855 section 4."""

from __future__ import annotations

from typing import Any

from imapkit.core.grammar.kinds import verbatim
from imapkit.core.grammar.strings import LINE_END, text_of
from imapkit.core.wire.pieces import Late, Literal, exact_bytes
from imapkit.errors import ArgumentError

__all__ = ["message"]


@verbatim
def message(value: Any) -> Literal | Late:
    """A message to append, RFC 3501 section 6.3.11: octets (or ASCII text), every line end made CRLF.

    With 8-bit octets, ``append-data =/ "UTF8" SP "(" literal8 ")"`` once UTF8=ACCEPT is on: RFC 6855 section 4.
    """
    octets = exact_bytes(value)
    if octets is None:
        if not isinstance(value, str):
            raise ArgumentError(f"a message must be octets or text, not {type(value).__name__}")
        try:
            octets = text_of(value, "a message").encode("ascii")
        except UnicodeEncodeError as exc:
            raise ArgumentError(
                f"a message given as text must be ASCII ({exc.object[exc.start]!r} at {exc.start}): give octets"
            ) from None
    ends = octets.count(b"\r\n")
    if octets.count(b"\n") != ends or octets.count(b"\r") != ends:
        octets = LINE_END.sub(b"\r\n", octets)
    plain = Literal(octets)
    return plain if octets.isascii() else Late((plain,), (b"UTF8 (", Literal(octets, binary=True), b")"))
