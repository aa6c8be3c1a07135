"""Mailbox names as arguments: modified UTF-7 where they need it, RFC 3501 section 5.1.3, or UTF-8, RFC 6855 section 3."""

from __future__ import annotations

import re
from typing import Any

from imapkit.core.grammar.strings import ASTRING, LONGEST_QUOTED, text_of, unquote
from imapkit.core.support.patterns import late_pattern
from imapkit.core.wire import mutf7
from imapkit.core.wire.pieces import Late, Literal, MailboxName, Token, UTF8MailboxName, check, exact_bytes
from imapkit.core.wire.response import quoted
from imapkit.errors import ArgumentError

__all__ = ["list_pattern", "mailbox", "mailbox_name"]

_PATTERN = late_pattern(r"[!#-'*-\[\]-z|-~]+\Z")


def mailbox(value: Any) -> Token:
    """``mailbox = "INBOX" / astring``, RFC 3501 section 5.1: text in modified UTF-7 where it needs that."""
    return _mailbox(value, ASTRING)


def list_pattern(value: Any) -> Token:
    """``list-mailbox = 1*list-char / string``: a mailbox name with the wildcards "*" and "%"."""
    return _mailbox(value, _PATTERN)


def mailbox_name(value: Any) -> bytes:
    """The name that a mailbox argument, or a mailbox in a response, stands for: in modified UTF-7, without quotes."""
    data = exact_bytes(value)
    if data is not None and isinstance(value, MailboxName):
        return data
    text = data.decode("latin-1") if data is not None else text_of(value, "a mailbox name")
    inner = unquote(text)
    name = text if inner is None else inner
    return name.encode("latin-1") if data is not None else _encoded(name)


def _mailbox(value: Any, plain: re.Pattern[str]) -> Token:
    data = exact_bytes(value)
    if data is not None:
        if isinstance(value, MailboxName):
            return _server_name(data, utf8=isinstance(value, UTF8MailboxName))
        return check(data, "mailbox name")
    text = text_of(value, "a mailbox name")
    inner = unquote(text)
    bare = inner is None and plain.match(text) is not None and text.upper() != "NIL"
    name = text if inner is None else inner
    check(name.encode("utf-8", "surrogatepass") + b" ", "mailbox name")
    encoded = _encoded(name)
    data = name.encode("utf-8")
    if encoded == data:
        return encoded if bare else _quoted_or_literal(encoded)
    return Late((_quoted_or_literal(encoded),), (_quoted_or_literal(data),))


def _server_name(data: bytes, *, utf8: bool) -> Token:
    check(data + b" ", "mailbox name")
    came = _as_it_came(data)
    try:
        # It may have come before UTF8=ACCEPT was on, or from another connection.
        other = mutf7.encode(UTF8MailboxName(data).text) if utf8 else mutf7.decode(data).encode("utf-8")
    except ValueError:
        return came
    if other == data:
        return came
    again = (_quoted_or_literal(other),)
    return Late(again, (came,)) if utf8 else Late((came,), again)


def _as_it_came(data: bytes) -> bytes | Literal:
    if not data.isascii() or len(data) > LONGEST_QUOTED:
        return Literal(data)
    return data if ASTRING.match(data.decode("ascii")) and data.upper() != b"NIL" else quoted(data)


def _quoted_or_literal(data: bytes) -> bytes | Literal:
    return Literal(data) if len(data) > LONGEST_QUOTED else quoted(data)


def _encoded(name: str) -> bytes:
    """A mailbox name in modified UTF-7, RFC 3501 section 5.1.3; one that already is passes unchanged."""
    if name.isascii() and name.isprintable() and mutf7.is_valid(name.encode("ascii")):
        return name.encode("ascii")
    try:
        return mutf7.encode(name)
    except ValueError as exc:
        raise ArgumentError(f"bad mailbox name: {exc}") from None
