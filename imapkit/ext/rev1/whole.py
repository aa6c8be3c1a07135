"""Patterns of whole rules, for what is exactly as the grammar has it: RFC 3501 section 9.

Most of what servers send is, and is then read by one match where it would take a hundred words. What is not, or what has a
literal in it, does not match and is read word by word, with the same result for whatever both can read; a test holds them
equal. Each octet tells which way to go on, and what has been taken is not given back. They are compiled when they are first
needed (``late_pattern``), since that takes milliseconds.
"""

from __future__ import annotations

import re

from imapkit.plugin import unescape

__all__ = ["ADDRESS", "NSTRING", "NUMBER", "PLAIN", "PLAIN_NSTRING", "STRING", "unescaped", "ungrouped"]

STRING = rb'"([^"\\\r\n\0]*+(?:\\[^\r\n\0][^"\\\r\n\0]*+)*+)"'
"""``quoted``; its group is what stands between the quotes, as in all that follow."""
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
    """What the inside of a quoted string stands for; None is NIL."""
    return None if inside is None else unescape(inside)
