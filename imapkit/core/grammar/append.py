"""A message as an argument: RFC 3501 section 6.3.11, RFC 6855 section 4."""

from __future__ import annotations

from typing import Any

from imapkit.core.grammar.kinds import verbatim
from imapkit.core.grammar.strings import text_of, with_crlf
from imapkit.core.wire.pieces import Late, Literal, exact_bytes
from imapkit.core.wire.source import Progress, Source, is_file
from imapkit.errors import ArgumentError

__all__ = ["message", "message_source"]


@verbatim
def message(value: Any) -> Literal | Late | Source:
    """A message to append, RFC 3501 section 6.3.11: bytes (or ASCII text), every line end made CRLF; a file, or its path.

    A ``Source`` is sent as it is. With 8-bit bytes, ``append-data =/ "UTF8" SP "(" literal8 ")"`` once UTF8=ACCEPT is on:
    RFC 6855 section 4.
    """
    if isinstance(value, Source) or is_file(value):
        source = _source(value)
        return source if source.ascii else Late((source,), (b"UTF8 (", source.as_literal8(), b")"))
    data = _message_bytes(value)
    plain = Literal(data)
    return plain if data.isascii() else Late((plain,), (b"UTF8 (", Literal(data, binary=True), b")"))


def message_source(value: Any, progress: Progress | None = None) -> Source:
    """A message to append as a source that reports its progress; ``value`` as ``message`` takes it.

    Raises ``ArgumentError``, also for a ``Source``, which has a ``progress`` of its own.
    """
    if isinstance(value, Source):
        raise ArgumentError("a Source has a progress function of its own")
    if is_file(value):
        return _source(value, progress)
    data = _message_bytes(value)
    return Source(len(data), (data,), progress, ascii=data.isascii())


def _source(value: Any, progress: Progress | None = None) -> Source:
    if isinstance(value, Source):
        return value
    from imapkit.core.grammar.files import file_source

    return file_source(value, progress)


def _message_bytes(value: Any) -> bytes:
    """The bytes of a message that is in memory, with every line end CRLF."""
    data = exact_bytes(value)
    if data is None:
        if not isinstance(value, str):
            raise ArgumentError(f"a message must be bytes or text, not {type(value).__name__}")
        try:
            data = text_of(value, "a message").encode("ascii")
        except UnicodeEncodeError as exc:
            raise ArgumentError(
                f"a message given as text must be ASCII ({exc.object[exc.start]!r} at {exc.start}): give bytes"
            ) from None
    ends = data.count(b"\r\n")
    if data.count(b"\n") != ends or data.count(b"\r") != ends:
        data = with_crlf(data)
    return data
