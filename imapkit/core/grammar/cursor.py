"""Stage 2, parsing: a reader over one response, from left to right; RFC 3501 section 9.

It runs late, on the thread of the caller that asks for values. Nothing here recurses, and every regular expression is linear:
what an alternative has taken is never given back. Deviations of real servers are read where they can be, by code that names the
server, and noted in ``Cursor.defects`` unless nothing is lost.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from imapkit.core.grammar.flags import FLAG, flag_list
from imapkit.core.grammar.reader import QUOTED, Mark, Reader, reached
from imapkit.core.grammar.unquoted import mailbox
from imapkit.core.wire.pieces import MailboxName, UTF8MailboxName
from imapkit.core.wire.quoting import ANY_WORD, FIELD, IN_A_LIST, VALUE

__all__ = ["Atom", "Cursor", "Mark", "Value"]

Value: TypeAlias = "int | bytes | list[Value] | None"

_WORD = re.compile(ANY_WORD)
_PLAIN, _OPENS, _CLOSES, _NOTHING, _DIGITS, _WORDS, _STRINGS = range(1, 8)


class Atom(bytes):
    """A value sent as an atom; a string is plain ``bytes``."""

    __slots__ = ()


class Cursor(Reader):
    """Reads one response, text and literals, by methods named after the grammar's rules.

    ``parts`` is text, or text, literal, text, ..., text as in ``Untagged.parts``. ``number`` is the number before
    the response's name, kept as ``leading``. ``items`` holds the grammar of single items: ``items["FETCH", "UID"]``.
    ``nesting`` bounds open parentheses. ``utf8``: mailbox names are plain UTF-8 (RFC 6855). Every method raises
    ``ParseError`` where the grammar is not followed.
    """

    __slots__ = ()

    # Mailbox names

    def mailbox(self) -> bytes:
        """``mailbox = "INBOX" / astring`` as it was sent, at the end or before a list; one that lacks its quotes is noted."""
        return mailbox(self)

    def name(self, data: bytes) -> MailboxName:
        """A mailbox name that has been read, or a string encoded like one: it can be passed back, and keeps its encoding."""
        return UTF8MailboxName(data) if self.utf8 else MailboxName(data)

    # Flags

    def flag(self) -> bytes:
        r"""``flag-perm = flag / "\*"``, or any flag; a ``]`` may be in a keyword, since Gmail has such."""
        return self._must(FLAG, "flag").group()

    def flag_list(self) -> tuple[bytes, ...]:
        """``flag-list = "(" [flag *(SP flag)] ")"``; a member that is no flag is noted, and left out where it cannot be one."""
        return flag_list(self)

    # Anything

    def value(self) -> Value:
        """Read the next value: None for NIL, an ``int``, ``bytes`` for a string, an ``Atom``, a list for ``(...)``.

        Spaces between the members of a list may be missing or too many.
        """
        return self._value(VALUE)

    def fields(self) -> Value:
        """``value``, where a string, a list, NIL or a number follows each string in a list: that shows its closing quote."""
        return self._value(FIELD)

    def _value(self, pattern: re.Pattern[bytes]) -> Value:
        open_lists: list[list[Value]] = []
        inner: list[Value] | None = None
        text, at, end = self._text, self._at, self._end
        while True:
            found: Value = None
            token = pattern.match(text, at, end)
            if token is None:
                self._at = at
                found = self._literal_value()
                text, at, end = self._text, self._at, self._end
            else:
                at, kind = token.end(), token.lastindex
                if kind == _PLAIN:
                    found = token[_PLAIN]
                elif kind == _OPENS:
                    inner = self._open(open_lists, at)
                    continue
                elif kind == _CLOSES:
                    if inner is None:
                        self._at = token.start(_CLOSES)
                        raise self.error("value")
                    found = open_lists.pop()
                    inner = open_lists[-1] if open_lists else None
                elif kind == _DIGITS:
                    found = int(token[_DIGITS])
                elif kind == _WORDS:
                    found = Atom(token[_WORDS])
                elif kind == _STRINGS:
                    found = self._unquote(token[_STRINGS][1:-1])
            if inner is None:
                self._at = at
                return found
            inner.append(found)

    def skip_value(self) -> None:
        """Pass over what ``value`` would read, without building it."""
        if self._literal_is_next():
            self.literal()
        elif self.try_(b"("):
            self._skip_list()
        elif self.match(_WORD) is None:
            self._must(QUOTED, "quoted string" if self.peek() == b'"' else "value")

    # Inside

    def _open(self, open_lists: list[list[Value]], at: int) -> list[Value]:
        if len(open_lists) >= self.nesting:
            self._at = at
            raise self.error(f"at most {self.nesting} open parentheses")
        opened: list[Value] = []
        open_lists.append(opened)
        return opened

    def _literal_value(self) -> bytes:
        if not self._literal_is_next():
            raise self.error("value")
        return self.literal()

    def _skip_list(self) -> None:
        depth = 1
        while depth:
            self._at = reached(IN_A_LIST, self._text, self._at, self._end)
            if self.try_(b"("):
                depth += 1
            elif self.try_(b")"):
                depth -= 1
            elif self._literal_is_next():
                self.literal()
            else:
                raise self.error(")")
            if depth > self.nesting:
                raise self.error(f"at most {self.nesting} open parentheses")
