"""Search keys and sort keys as values, ``unseen & since(day)``: written when they are sent; RFC 3501 section 6.4.4, RFC 5256.

``search-key = ... / "NOT" SP search-key / "OR" SP search-key SP search-key / "(" search-key *(SP search-key) ")"``
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import NoReturn, Protocol

from imapkit.core.grammar.names import mailbox
from imapkit.core.grammar.strings import LONGEST_QUOTED, ascii_bytes, encode_text
from imapkit.core.support.lean import record
from imapkit.core.support.patterns import late_pattern
from imapkit.core.wire.dates import MonthNames
from imapkit.core.wire.pieces import Late, Literal, MailboxName, Piece, check, exact_bytes, joined
from imapkit.core.wire.response import quoted
from imapkit.errors import ArgumentError

__all__ = ["UTF8_CHARSET", "Day", "Name", "SearchKey", "SortKey", "Text", "day", "has_foreign_text", "key_pieces", "term"]

UTF8_CHARSET = Late((b"CHARSET UTF-8 ",), ())
"""Names the charset of a search, unless UTF8=ACCEPT is on: RFC 6855 section 3 forbids it then."""
#   One word: an atom, perhaps with wildcards, "\" or "]"; a quoted string; a list in parentheses, whose balance is counted.
_WORD = late_pattern(r'[^\s()"{\x00-\x1f\x7f]+\Z|"(?:[^"\\]|\\["\\])*+"\Z|\((?:[^"{]|"(?:[^"\\]|\\["\\])*+")*+\Z')
_STRING = late_pattern(r'"(?:[^"\\]|\\["\\])*+"')


class Text(str):
    """Text to search for, in any script: a server gets it quoted, or as a literal.

    Raises ``ArgumentError`` for CR, LF, NUL and lone surrogates, ``TypeError`` for what is no text.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Text:
        """The same text."""
        if not isinstance(text, str):
            raise TypeError(f"what to search for is text, not {type(text).__name__}")
        check(encode_text(text, "utf-8") + b" ", "search text")
        return super().__new__(cls, text)


class Name(str):
    """The name of a mailbox, or what is encoded as one, in a search key: a server gets it in modified UTF-7, or in UTF-8 once
    UTF8=ACCEPT is on.

    It is text, or a name that came from the server. Raises ``ArgumentError`` for what cannot be sent as a name.
    """

    __slots__ = ()

    def __new__(cls, name: str | MailboxName) -> Name:
        """The same name, as text."""
        text = name.text if isinstance(name, MailboxName) else name
        if not isinstance(text, str):
            raise TypeError(f"a name is text, or came from the server, not {type(name).__name__}")
        mailbox(text)
        return super().__new__(cls, text)


class SearchKey:
    """What messages are searched for; a value that does not change. The keys of RFC 3501 are in ``imapkit.q``.

    ``one & other`` finds the messages that both find, ``one | other`` those that one of them finds, ``~one`` all others. ``and``,
    ``or`` and ``not`` raise ``TypeError``: Python would ask whether a key is true. Keys that are written alike are equal.
    """

    __slots__ = ()

    def __and__(self, other: SearchKey) -> SearchKey:
        return _All((*_members(self, _All), *_members(other, _All))) if isinstance(other, SearchKey) else NotImplemented

    def __or__(self, other: SearchKey) -> SearchKey:
        return _Either((*_members(self, _Either), *_members(other, _Either))) if isinstance(other, SearchKey) else NotImplemented

    def __invert__(self) -> SearchKey:
        return _Not(self)

    def __bool__(self) -> NoReturn:
        raise TypeError("a search key is neither true nor false: write & for and, | for or, ~ for not")

    def __eq__(self, other: object) -> bool:
        return self._shape() == other._shape() if isinstance(other, SearchKey) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._shape())

    def __repr__(self) -> str:
        return f"<SearchKey {_shown(self._bare())}>"

    def _words(self) -> Iterator[str]:
        """It as one search key: words as they are sent, but for each ``Text`` and ``Name``."""
        raise NotImplementedError

    def _bare(self) -> Iterator[str]:
        """It as a whole program, which needs no parentheses."""
        return self._words()

    def _shape(self) -> tuple[tuple[type[str], str], ...]:
        return tuple([(_kind_of(word), word) for word in self._words()])


class _Term(SearchKey):
    """A key with its operands."""

    __slots__ = ("_given", "_opposite")

    def __init__(self, given: tuple[str | SearchKey, ...], opposite: str | None) -> None:
        self._given, self._opposite = given, opposite

    def _words(self) -> Iterator[str]:
        for word in self._given:
            if isinstance(word, SearchKey):
                yield from word._words()
            else:
                yield word

    def __invert__(self) -> SearchKey:
        name, *operands = self._given
        if self._opposite is None or not isinstance(name, str):
            return _Not(self)
        return _Term((self._opposite, *operands), name)


class _Several(SearchKey):
    __slots__ = ("keys",)

    def __init__(self, keys: tuple[SearchKey, ...]) -> None:
        self.keys = keys


class _All(_Several):
    """What all of several keys find."""

    __slots__ = ()

    def _members(self) -> list[SearchKey]:
        """Each once; the key that finds every message adds nothing to others."""
        return [key for key in dict.fromkeys(self.keys) if key != _EVERY] or [_EVERY]

    def _words(self) -> Iterator[str]:
        keys = self._members()
        if len(keys) > 1:
            yield "("
        for key in keys:
            yield from key._words()
        if len(keys) > 1:
            yield ")"

    def _bare(self) -> Iterator[str]:
        for key in self._members():
            yield from key._words()


class _Either(_Several):
    """What one of several keys finds."""

    __slots__ = ()

    def _words(self) -> Iterator[str]:
        return _either(list(dict.fromkeys(self.keys)))


class _Not(SearchKey):
    """What a key does not find."""

    __slots__ = ("_key",)

    def __init__(self, key: SearchKey) -> None:
        self._key = key

    def _words(self) -> Iterator[str]:
        yield "NOT"
        yield from self._key._words()

    def __invert__(self) -> SearchKey:
        return self._key


def _members(key: SearchKey, kind: type[_Several]) -> tuple[SearchKey, ...]:
    return key.keys if isinstance(key, kind) else (key,)


def _either(keys: Sequence[SearchKey]) -> Iterator[str]:
    """OR takes two keys: of many it makes a tree, which is as flat as can be."""
    if len(keys) == 1:
        yield from keys[0]._words()
        return
    half = len(keys) // 2
    yield "OR"
    yield from _either(keys[:half])
    yield from _either(keys[half:])


def term(*words: str | bytes | Text | Name | SearchKey, opposite: str | None = None) -> SearchKey:
    """A search key by its words as they are sent: ``term("LARGER", "1000")``, ``term("X-GM-RAW", Text("has:attachment"))``.

    Each word is an atom, a number, a set of messages, a quoted string or a list in parentheses; ``Text`` and ``Name`` are quoted
    as needed, and a key stands for itself: ``term("FUZZY", key)``. ``opposite``: the name of the key that finds all other
    messages, which ``~`` then uses. Raises ``ArgumentError`` for what is not one word.
    """
    if not words:
        raise ArgumentError("a search key has a name")
    return _Term(tuple(map(_word, words)), None if opposite is None else _wire_word(opposite))


def _word(word: str | bytes | Text | Name | SearchKey) -> str | SearchKey:
    return word if isinstance(word, (Text, Name, SearchKey)) else _wire_word(word)


def _kind_of(word: str) -> type[str]:
    return Text if isinstance(word, Text) else Name if isinstance(word, Name) else str


def _wire_word(word: str | bytes) -> str:
    data = exact_bytes(word)
    if data is None and not isinstance(word, str):
        raise ArgumentError(f"a word of a search key is text or bytes, not {type(word).__name__}")
    text = word if isinstance(word, str) else (data or b"").decode("latin-1")
    ascii_bytes(text, "search key")
    if not _WORD.match(text) or not _is_balanced(text):
        raise ArgumentError(f"not one word of a search key: {text[:80]!r}")
    return text


def _is_balanced(text: str) -> bool:
    """Whether the first parenthesis, if there is one, is closed by the last character."""
    depth = 0
    outside = _STRING.sub("x", text)
    for i, char in enumerate(outside):
        depth += (char == "(") - (char == ")")
        if depth < 1 and char == ")" and i < len(outside) - 1:
            return False
    return depth == 0


_EVERY = term("ALL")


class Day(Protocol):
    """What type checkers take for a ``datetime.date``, and not for a ``datetime``: the difference of two of those is a duration.

    ``q.since(datetime.now())`` is an error to them, as it is when the program runs.
    """

    def __sub__(self, value: dt.datetime, /) -> NoReturn:
        """As ``date`` has it."""
        ...


def day(value: Day) -> str:
    """``date = 1*2DIGIT "-" date-month "-" 4DIGIT``, RFC 3501 section 9: a day, which a server takes without hour and zone.

    Raises ``TypeError`` for a datetime, and for what is no date.
    """
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise TypeError(f"a search takes a day, not a moment: give a datetime.date, not {type(value).__name__}")
    return f"{value.day}-{MonthNames[value.month]}-{value.year:04}"


# As it is sent


def has_foreign_text(key: SearchKey) -> bool:
    """Whether a key has text that is not ASCII, so that the search must name a charset."""
    return any(not word.isascii() for word in key._words() if not isinstance(word, Name))


def key_pieces(key: SearchKey, charset: str = "utf-8", *, is_alone: bool = False) -> tuple[Piece, ...]:
    """A key as one argument, in parentheses where it needs them; if it ``is_alone``, as the whole program, it needs none.

    Raises ``ArgumentError`` for text that the charset lacks.
    """
    pieces: list[Piece] = []
    before = "("
    for word in key._bare() if is_alone else key._words():
        kind = _kind_of(word)
        if before != "(" and (kind is not str or word != ")"):
            pieces.append(b" ")
        if kind is Name:
            pieces += joined([mailbox(word)])
        else:
            pieces.append(_string(word, charset) if kind is Text else word.encode("ascii"))
        before = word if kind is str else ""
    return tuple(pieces)


def _string(text: str, charset: str) -> Piece:
    data = encode_text(text, charset)
    if len(data) > LONGEST_QUOTED or data != text.encode("utf-8"):
        return Literal(data)
    # RFC 6855 section 3: once UTF8=ACCEPT is on, a quoted string may be UTF-8.
    return quoted(data) if data.isascii() else Late((Literal(data),), (quoted(data),))


def _shown(words: Iterator[str]) -> str:
    shown = " ".join([word if _kind_of(word) is str else quoted(word.encode()).decode() for word in words])
    return re.sub(r"\( | \)", lambda found: found[0].strip(), shown)


@record
class SortKey:
    """What a server sorts messages by, RFC 5256 section 3; ``-key`` is the other way round. The keys are in ``imapkit.sort``.

    ``name`` is the key's name, with its operands if an extension's key has some.
    """

    name: str
    reverse: bool = False

    def __neg__(self) -> SortKey:
        return SortKey(self.name, not self.reverse)

    def __str__(self) -> str:
        return f"REVERSE {self.name}" if self.reverse else self.name
