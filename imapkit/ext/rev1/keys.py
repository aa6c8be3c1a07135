"""The search keys of RFC 3501 section 6.4.4. Combine them by ``&``, ``|`` and ``~``: ``unseen & (from_("ada") | to("ada"))``.

Text that is searched for may be of any script; a message matches if it holds the text somewhere, and case does not matter.
Functions raise ``ArgumentError`` for what cannot be sent. A ``Day`` is a ``datetime.date``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from imapkit.plugin import Day, SearchKey, Text, UIDSet, atom, day, number, term

__all__ = [
    "all_",
    "answered",
    "bcc",
    "before",
    "body",
    "cc",
    "deleted",
    "draft",
    "flagged",
    "from_",
    "header",
    "keyword",
    "larger",
    "new",
    "not_",
    "old",
    "on",
    "or_",
    "recent",
    "seen",
    "sent_before",
    "sent_on",
    "sent_since",
    "since",
    "smaller",
    "subject",
    "text",
    "to",
    "uid",
    "unanswered",
    "undeleted",
    "undraft",
    "unflagged",
    "unkeyword",
    "unseen",
]

all_: SearchKey = term("ALL")
"""Every message of the mailbox."""
answered: SearchKey = term("ANSWERED", opposite="UNANSWERED")
r"""Messages with the flag "\Answered"."""
unanswered: SearchKey = ~answered
r"""Messages without the flag "\Answered"."""
deleted: SearchKey = term("DELETED", opposite="UNDELETED")
r"""Messages with the flag "\Deleted"."""
undeleted: SearchKey = ~deleted
r"""Messages without the flag "\Deleted"."""
draft: SearchKey = term("DRAFT", opposite="UNDRAFT")
r"""Messages with the flag "\Draft"."""
undraft: SearchKey = ~draft
r"""Messages without the flag "\Draft"."""
flagged: SearchKey = term("FLAGGED", opposite="UNFLAGGED")
r"""Messages with the flag "\Flagged"."""
unflagged: SearchKey = ~flagged
r"""Messages without the flag "\Flagged"."""
seen: SearchKey = term("SEEN", opposite="UNSEEN")
r"""Messages with the flag "\Seen"."""
unseen: SearchKey = ~seen
r"""Messages without the flag "\Seen"."""
recent: SearchKey = term("RECENT", opposite="OLD")
r"""Messages with the flag "\Recent", which IMAP4rev2 does not have."""
old: SearchKey = ~recent
r"""Messages without the flag "\Recent"."""
new: SearchKey = term("NEW")
r"""Messages with the flag "\Recent" and without "\Seen"."""


def from_(words: str) -> SearchKey:
    """Messages with this text in the From field."""
    return term("FROM", Text(words))


def to(words: str) -> SearchKey:
    """Messages with this text in the To field."""
    return term("TO", Text(words))


def cc(words: str) -> SearchKey:
    """Messages with this text in the Cc field."""
    return term("CC", Text(words))


def bcc(words: str) -> SearchKey:
    """Messages with this text in the Bcc field."""
    return term("BCC", Text(words))


def subject(words: str) -> SearchKey:
    """Messages with this text in the Subject field."""
    return term("SUBJECT", Text(words))


def body(words: str) -> SearchKey:
    """Messages with this text in the body."""
    return term("BODY", Text(words))


def text(words: str) -> SearchKey:
    """Messages with this text in the header or in the body."""
    return term("TEXT", Text(words))


def header(name: str, words: str = "") -> SearchKey:
    """Messages that have a header field of this name, with this text in it."""
    return term("HEADER", name if re.fullmatch(r"[A-Za-z0-9-]+", name) else Text(name), Text(words))


def since(date: Day) -> SearchKey:
    """Messages that arrived on that ``datetime.date`` or later, without hour and zone. Raises ``TypeError`` for a datetime."""
    return term("SINCE", day(date))


def before(date: Day) -> SearchKey:
    """Messages that arrived before that day. Raises ``TypeError`` for a datetime."""
    return term("BEFORE", day(date))


def on(date: Day) -> SearchKey:
    """Messages that arrived on that day. Raises ``TypeError`` for a datetime."""
    return term("ON", day(date))


def sent_since(date: Day) -> SearchKey:
    """Messages whose Date field names that day or a later one. Raises ``TypeError`` for a datetime."""
    return term("SENTSINCE", day(date))


def sent_before(date: Day) -> SearchKey:
    """Messages whose Date field names a day before that one. Raises ``TypeError`` for a datetime."""
    return term("SENTBEFORE", day(date))


def sent_on(date: Day) -> SearchKey:
    """Messages whose Date field names that day. Raises ``TypeError`` for a datetime."""
    return term("SENTON", day(date))


def larger(size: int) -> SearchKey:
    """Messages of more than ``size`` bytes."""
    return term("LARGER", number(size))


def smaller(size: int) -> SearchKey:
    """Messages of fewer than ``size`` bytes."""
    return term("SMALLER", number(size))


def keyword(flag: str) -> SearchKey:
    r"""Messages with this keyword: a flag without "\", such as "$Forwarded"."""
    return term("KEYWORD", atom(flag), opposite="UNKEYWORD")


def unkeyword(flag: str) -> SearchKey:
    """Messages without this keyword."""
    return ~keyword(flag)


def uid(uids: UIDSet | Iterable[int]) -> SearchKey:
    """The messages with these UIDs; without any UID, no message. Raises ``ValueError`` for numbers that are no UIDs."""
    chosen = UIDSet(uids)
    return term("UID", str(chosen)) if chosen else not_(all_)


def not_(key: SearchKey) -> SearchKey:
    """All other messages than those of ``key``; the same as ``~key``."""
    return ~key


def or_(key: SearchKey, *others: SearchKey) -> SearchKey:
    """The messages of at least one of these keys; the same as ``key | other | ...``."""
    for other in others:
        key |= other
    return key
