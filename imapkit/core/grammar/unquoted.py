"""Mailbox names that a server sends without the quotes that they need: what follows a name tells where it ends.

Only names that break the grammar are read here; each finder gets the rest of the response as text and runs in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import TypeAlias

from imapkit.core.grammar.reader import Mark, Reader, surplus
from imapkit.core.wire.quoting import BARE_QUOTE
from imapkit.errors import ParseError

__all__ = ["NameWords", "before_list", "is_astring", "mailbox", "mailbox_before"]

NameWords: TypeAlias = "Callable[[list[bytes]], int]"
"""Says how many of a response's words, from the first on, are the mailbox name."""

_INNER = rb'[^()"]++|"[^"\\]*+"'
#   Text after a name that follows the grammar: a list to the end, with lists in it perhaps.
_BEFORE_LIST = re.compile(rb"(?= ++\((?:%b|\((?:%b)*+\))*+\) *+\Z)" % (_INNER, _INNER))
_LIST_OPENS = re.compile(rb"(?= ++\()")
_WORDS = re.compile(rb' *+("[^"\\]*+(?:\\.[^"\\]*+)*+"(?![^ ])|[^ ]++)', re.DOTALL)
_ASTRING = re.compile(rb'[^\x00-\x20\x7f(){%*"\\]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
#   A string that does not end reaches to the end, so that each byte is looked at once.
_STRINGS_AND_PARENTHESES = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[()]', re.DOTALL)
_PARENTHESES = re.compile(rb"[()]")


def is_astring(word: bytes) -> bool:
    """Whether a word, as it was sent, is ``astring``."""
    return _ASTRING.fullmatch(word) is not None


def mailbox_before(cursor: Reader, name_words: NameWords, plain: re.Pattern[bytes] | None = None) -> bytes:
    """``mailbox``, where words follow: ``name_words`` finds the end of an unquoted name with spaces, which is noted.

    ``plain`` matches what follows a name, to the end, where all follows the grammar, and saves the look at each word.
    """
    start = cursor.mark()
    if plain is not None and (whole := _plain_name(cursor, plain)) is not None:
        return whole
    text = cursor.ahead()
    words = _WORDS.findall(text)
    if not words:
        raise cursor.error("mailbox")
    first = words[0]
    count = 1 if first[:1] == b'"' and is_astring(first) else name_words(words)
    length = next(islice(_WORDS.finditer(text), count - 1, None)).end()
    try:
        name = cursor.astring()
        index, at = cursor.mark()
        if index != start[0] or at - start[1] == length:
            return name
    except ParseError:
        pass
    cursor.reset(start)
    if first[:1] == b'"' and not words[count - 1].endswith(b'"'):
        raise cursor.error("mailbox")
    return cursor.unquoted_mailbox(length)


def _plain_name(cursor: Reader, plain: re.Pattern[bytes]) -> bytes | None:
    start = cursor.mark()
    try:
        name = cursor.astring()
    except ParseError:
        cursor.reset(start)
        return None
    after = cursor.mark()
    is_plain = cursor.match(plain) is not None and cursor.at_end()
    cursor.reset(after if is_plain else start)
    return name if is_plain else None


def mailbox(cursor: Reader) -> bytes:
    """``mailbox = "INBOX" / astring``, as it was sent, at the end of a response or before a list.

    Where words follow it, ``mailbox_before`` reads it. Exchange leaves names with TABs without quotes, greenmail leaves quotes in
    names without a backslash: what cannot be read as an astring is taken as it stands, and noted.
    """
    start, noted = cursor.mark(), len(cursor.defects)
    try:
        name = cursor.astring()
        if any(defect.what == BARE_QUOTE for defect in cursor.defects[noted:]):
            del cursor.defects[noted:]
        elif cursor.at_end() or cursor.match(_BEFORE_LIST) or (cursor.match(_LIST_OPENS) and not _goes_on(cursor, start)):
            return name
    except ParseError:
        pass
    cursor.reset(start)
    return cursor.unquoted_mailbox(before_list(cursor.ahead()))


def _goes_on(cursor: Reader, start: Mark) -> bool:
    """Whether a name that began at ``start`` goes on behind what seems to be a list: to the last list, in paired parentheses."""
    stop = cursor.mark()
    if stop[0] != start[0]:
        return False
    cursor.reset(start)
    text = cursor.ahead()
    cursor.reset(stop)
    end = before_list(text)
    return stop[1] - start[1] < end < len(text.rstrip(b" ")) and not surplus(text[:end])


def before_list(text: bytes) -> int:
    """Where a name ends that a list follows, or nothing: before the list that is closed by the last parenthesis."""
    text = text.rstrip(b" ")
    if not text.endswith(b")"):
        return len(text)
    for marks in (_STRINGS_AND_PARENTHESES, _PARENTHESES):
        at = _last_list(text, marks)
        if at > 0 and text[at - 1 : at] == b" ":
            return len(text[:at].rstrip(b" "))
    # A parenthesis in the list is one too many.
    at = text.rfind(b" (")
    return len(text) if at < 0 else len(text[:at].rstrip(b" "))


def _last_list(text: bytes, marks: re.Pattern[bytes]) -> int:
    """Where the list begins that the last byte closes; -1 if there is none."""
    opened: list[int] = []
    last = -1
    for mark in marks.finditer(text):
        if mark.group() == b"(":
            opened.append(mark.start())
        elif mark.group() == b")":
            last = opened.pop() if opened else -1
        else:
            last = -1
    return last
