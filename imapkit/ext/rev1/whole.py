"""Patterns of whole rules, for well-formed values: RFC 3501 section 9.

Most values that servers send are well-formed, and one match reads them. A malformed value, or one with a literal in it, does not
match and is read word by word; a test holds the results of both ways equal. The patterns never backtrack: each byte decides the
next step. They are compiled on first use (``late_pattern``), since that takes milliseconds.
"""

from __future__ import annotations

import re

from imapkit.plugin import unescape

__all__ = ["ADDRESS", "NSTRING", "NUMBER", "PLAIN", "PLAIN_NSTRING", "STRING", "unescaped", "ungrouped"]

STRING = rb'"([^"\\\r\n\0]*+(?:\\[^\r\n\0][^"\\\r\n\0]*+)*+)"'
"""``quoted``; its group is the text between the quotes, as in all that follow."""
NSTRING = rb"(?:NIL|%b)" % STRING
"""``nstring = quoted / nil``."""
PLAIN = rb'"([^"\\\r\n\0]*+)"'
"""``quoted`` without escapes."""
PLAIN_NSTRING = rb"(?:NIL|%b)" % PLAIN
"""``nstring`` without escapes."""
NUMBER = rb"(\d{1,20}+)"
ADDRESS = rb"\(%b %b %b %b\)" % ((NSTRING,) * 4)
"""``address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"``."""

_GROUP = re.compile(rb"(?<!\\)\((?!\?)")


def ungrouped(rule: bytes) -> bytes:
    """The rule, without the groups in it."""
    return _GROUP.sub(b"(?:", rule)


def unescaped(inside: bytes | None) -> bytes | None:
    """The value of a quoted string without its quotes; None is NIL."""
    return None if inside is None else unescape(inside)
