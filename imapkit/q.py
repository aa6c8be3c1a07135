"""The search keys of the builtin families as values: ``from imapkit import q``, then ``q.unseen & q.subject("invoice")``.

They are those of the family ``rev1``, which is imported at the first use of one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imapkit.ext.rev1.keys import (
        all_,
        answered,
        bcc,
        before,
        body,
        cc,
        deleted,
        draft,
        flagged,
        from_,
        header,
        keyword,
        larger,
        new,
        not_,
        old,
        on,
        or_,
        recent,
        seen,
        sent_before,
        sent_on,
        sent_since,
        since,
        smaller,
        subject,
        text,
        to,
        uid,
        unanswered,
        undeleted,
        undraft,
        unflagged,
        unkeyword,
        unseen,
    )
else:

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        key = globals()[name] = getattr(import_module("imapkit.ext.rev1.keys"), name)
        return key


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
