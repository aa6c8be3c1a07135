"""Which capabilities come with others: what a server that announces one has, without saying so."""

from __future__ import annotations

from collections.abc import Collection, Mapping

__all__ = ["REV2", "has"]

REV2 = "IMAP4REV2"
_IMPLIED_BY: Mapping[str, tuple[str, ...]] = {
    "CONDSTORE": ("QRESYNC",),  # RFC 7162 section 3.2.3
    "UTF8=ACCEPT": ("UTF8=ONLY",),  # RFC 6855 section 6
    "METADATA-SERVER": ("METADATA",),  # RFC 5464 section 1
    "LITERAL-": ("LITERAL+",),  # RFC 7888 section 5
}
_IN_REV2 = frozenset(
    (
        "ENABLE",
        "ESEARCH",
        "IDLE",
        "LIST-EXTENDED",
        "LIST-STATUS",
        "LITERAL-",
        "MOVE",
        "NAMESPACE",
        "SASL-IR",
        "SEARCHRES",
        "STATUS=SIZE",
        "UIDPLUS",
        "UNSELECT",
    )
)
"""RFC 9051 appendix E, of what is there as a whole: of BINARY and SPECIAL-USE it takes a part only."""


def has(name: str, announced: Collection[str], enabled: Collection[str]) -> bool:
    """Whether a server has a capability; all names are in upper case."""
    known = (*announced, *enabled)
    if name in known or any(other in known for other in _IMPLIED_BY.get(name, ())):
        return True
    return name in _IN_REV2 and _speaks_rev2(announced, enabled)


def _speaks_rev2(announced: Collection[str], enabled: Collection[str]) -> bool:
    """Whether IMAP4rev2 is the protocol now: it was switched on, or the server knows no other (RFC 9051 section 6.3.1)."""
    return REV2 in enabled or (REV2 in announced and "IMAP4REV1" not in announced)
