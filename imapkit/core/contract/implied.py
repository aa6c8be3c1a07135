"""Which capabilities come with others: what a server that announces one has, without saying so (``Family.implies``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TypeAlias

__all__ = ["NOTHING_IMPLIED", "Implied", "has"]

Implied: TypeAlias = Mapping[str, frozenset[str]]
"""The capabilities that imply another, by that; all in upper case."""
NOTHING_IMPLIED: Implied = MappingProxyType({})
_REV1, _REV2 = "IMAP4REV1", "IMAP4REV2"


def has(name: str, announced: Collection[str], enabled: Collection[str], implied: Implied) -> bool:
    """Whether a server has a capability; all names are in upper case."""
    if name in announced or name in enabled:
        return True
    return any(_counts(other, announced, enabled) for other in implied.get(name, ()))


def _counts(other: str, announced: Collection[str], enabled: Collection[str]) -> bool:
    """Whether a capability brings others: IMAP4rev2 while it is the protocol, since it was switched on or is the only one.

    RFC 9051 section 6.3.1.
    """
    return other in enabled or (other in announced and not (other == _REV2 and _REV1 in announced))
