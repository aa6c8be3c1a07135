r"""Where quoted strings begin and end, malformed ones as well: the framer and the cursor both use this definition.

A quote opens a string only where a string can begin: at the start of a text, or after SP, ``(``, ``[`` or a list's ``)``. It
closes the string only where a string can end: before SP, ``)``, ``]`` or the end of the line. Any other quote is a character. A
backslash takes the next byte with it. So neither a line end nor a quote between other characters, which the author of a mail
may write, ends a string.

In a list of fields (ENVELOPE, BODYSTRUCTURE) another string, a list, NIL or a number follows a string and SP.
"""

from __future__ import annotations

import re

from imapkit.core.support.patterns import late_pattern

__all__ = [
    "ANY_WORD",
    "BARE_QUOTE",
    "FIELD",
    "FIELD_STRING",
    "INSIDE",
    "IN_A_LIST",
    "OPENS",
    "STRING",
    "VALUE",
    "has_bare_quote",
    "is_open_after",
    "is_surely_closed",
    "unescape",
]

OPENS = rb'(?:(?<![^ (\[])"|(?<=\))"(?=[^ )\]]))'
"""A quote that opens a string. Right behind a ``)`` it does so only if it could not close one."""
CLOSES = rb'"(?![^ )\]])'
"""A quote that closes the string that is open."""
INSIDE = rb'(?:[^"\\]++|\\.|(?!%b)")*+' % CLOSES
"""The text between the quotes of a string; with ``re.DOTALL``."""
STRING = rb'"%b"' % INSIDE
"""A whole string, where one begins."""

_NEXT_FIELD = rb"(?:\((?=[\"()\d]|NIL)|(?:NIL|\d++)(?![^ ()]))"
FIELD_CLOSES = rb'"(?=[)\]]|\Z| ++%b| [^"]*+(?:\Z|%b))' % (_NEXT_FIELD, OPENS)
"""A quote that closes a field: another field follows, or the next quote in the text can open a string."""
FIELD_STRING = rb'"(?:[^"\\]++|\\.|(?!%b)")*+"' % FIELD_CLOSES
"""A string in a list of fields."""

ANY_WORD = rb"(?!%b)[^\x00-\x20\x7f()]++" % OPENS
"""A word, which is neither a list nor a string; a quote that opens no string is a character of it."""
_TOKEN = (
    rb' *+(?:(?=%b)"([^"\\\r\n\0]*+)%b|(\()|(\))|([Nn][Ii][Ll](?![^\x00-\x20\x7f()]))|(\d{1,20}+(?![^\x00-\x20\x7f()]))'
    rb"|(%b)|(%b))"
)
VALUE = re.compile(_TOKEN % (OPENS, CLOSES, ANY_WORD, STRING), re.DOTALL)
"""A plain string, "(", ")", NIL, a number, a word, or any string: one group each."""
FIELD = late_pattern(_TOKEN % (OPENS, FIELD_CLOSES, ANY_WORD, b"%b|%b" % (FIELD_STRING, STRING)), re.DOTALL)
"""The same in a list of fields."""

IN_A_LIST = re.compile(rb'(?:[^()"]++|(?!%b)"|%b)*+' % (OPENS, STRING), re.DOTALL)
"""The text of a list up to the next parenthesis."""
BARE_QUOTE = "a quote without a backslash in a quoted string"
"""The defect."""

_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_ESCAPE = re.compile(rb'\\(["\\])')
_OUTSIDE = re.compile(rb'(?:[^"]++|(?!%b)"|%b)*+' % (OPENS, STRING), re.DOTALL)
_ENDS = re.compile(rb'%b"' % INSIDE, re.DOTALL)

_CLOSING = frozenset((b"", b" ", b")", b"]"))
_DOUBTFUL = frozenset((b"", b" ", b"(", b")", b"[", b"\\"))


def is_open_after(line: bytes, is_open: bool) -> bool:
    """Whether a string is open at the end of ``line``, if one was (or was not) at its beginning; takes linear time."""
    at = 0
    if is_open:
        ended = _ENDS.match(line)
        if ended is None:
            return True
        at = ended.end()
    passed = _OUTSIDE.match(line, at)
    assert passed is not None
    return passed.end() < len(line)


def is_surely_closed(line: bytes) -> bool:
    """Whether no string can be open at the end of ``line``: judged by its last quote alone, for any text before it.

    Where a string was open, that quote closes it; where none was, it opens none. False where only the whole line shows it.
    """
    at = line.rfind(b'"')
    return at < 0 or (line[at + 1 : at + 2] in _CLOSING and line[at - 1 : at] not in _DOUBTFUL)


def has_bare_quote(inside: bytes) -> bool:
    """Whether a quote in a string has no backslash before it."""
    return b'"' in inside and b'"' in _ESCAPED.sub(b"", inside)


def unescape(inside: bytes) -> bytes:
    r"""The value of the inside of a quoted string; a backslash before anything but ``"`` and ``\`` stays."""
    return _ESCAPE.sub(rb"\1", inside) if b"\\" in inside else inside
