"""A list of flags in which one is no flag: that one is noted, and the others, and what follows the list, are read.

A stray parenthesis is told from the end of the list: ``(\\Seen foo(bar \\Flagged)`` and ``(\\Seen foo)bar \\Flagged)``. All
parentheses of the response say which kind is too many.
"""

from __future__ import annotations

import re

from imapkit.core.grammar.reader import Reader

__all__ = ["FLAG", "flag_list"]

FLAG = re.compile(rb"\\\*|\\?[^\x00-\x20\x7f(){%*\"\\]++")
#   Behind its ")" stands no flag, no end of a word, and no single word before another ")".
_END_OF_LIST = rb"\)(?! *+\\|[^ )]| ++[^ ()\"]++\))"
_FLAG_LIST = re.compile(rb"\(([^()\"]*+)%b" % _END_OF_LIST)
_WORD = re.compile(rb'[^ ()"]++(?![^ )])')
_QUOTED = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"(?![^ )\]])', re.DOTALL)
_RUN = re.compile(rb"[^ ()]++")
_SPACES = re.compile(rb" ++")
_OPEN = re.compile(rb"\(")
_CLOSE = re.compile(rb"\)")
#   Where a ")" is too many: it ends the list if another item, or nothing, follows, and no flag.
_WORD_BEFORE_LAST = re.compile(rb'[^ ()"]++(?![^ )]|\)[^ )\]])')
_LAST = re.compile(rb"\)(?! *+\\|[^ )\]]| ++[^ ()\"]++\))")


def flag_list(cursor: Reader) -> tuple[bytes, ...]:
    r"""``flag-list = "(" [flag *(SP flag)] ")"``.

    What is no flag is noted; home.pl's bare ``\`` is left out, and so is what could not be one: ``"To Do"``, ``foo(bar``.
    """
    found = cursor.match(_FLAG_LIST)
    flags = _odd_flag_list(cursor) if found is None else found.group(1).split(b" ")
    for flag in flags:
        if flag and not FLAG.fullmatch(flag):
            cursor.tolerate("no flag", flag)
    return tuple(flag for flag in flags if flag not in (b"", b"\\"))


def _odd_flag_list(cursor: Reader) -> list[bytes]:
    """``"(" [flag *(SP flag)] ")"`` with words in it that are no flags; raises ``ParseError`` if the list has no end."""
    start = cursor.mark()
    if not cursor.try_(b"("):
        raise cursor.error("flag-list")
    open_in_excess = cursor.surplus
    last, flag = (_LAST, _WORD_BEFORE_LAST) if open_in_excess < 0 else (_CLOSE, _WORD)
    found: list[bytes] = []
    while True:
        cursor.spaces()
        if cursor.match(last):
            return found
        word = cursor.match(flag)
        if word is not None:
            found.append(word.group())
            continue
        before = cursor.mark()
        if not cursor.peek():
            cursor.reset(start)
            raise cursor.error("flag-list")
        _pass_over_word(cursor, last, is_paired=open_in_excess <= 0)
        cursor.tolerate("no flag", cursor.since(before).strip(b" "))


def _pass_over_word(cursor: Reader, last: re.Pattern[bytes], *, is_paired: bool) -> None:
    """Pass over a literal, a quoted string, or a word with parentheses in it, which belong together if ``is_paired``."""
    if cursor.match(_QUOTED):
        return
    depth = 0
    while True:
        if cursor.match(_OPEN):
            depth += is_paired
        elif depth and cursor.match(_CLOSE):
            depth -= 1
        elif not depth and cursor.peek() == b")":
            before = cursor.mark()
            if cursor.match(last):
                cursor.reset(before)
                return
            cursor.match(_CLOSE)
        elif not cursor.match(_RUN) and not (depth and cursor.match(_SPACES)):
            # No text of a word is left: what looks like a brace announces a literal.
            if cursor.peek() != b"{":
                return
            cursor.literal()
