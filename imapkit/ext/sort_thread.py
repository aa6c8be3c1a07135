"""The family ``sort_thread``: SORT and THREAD: RFC 5256, and SORT=DISPLAY, RFC 5957."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["SortThreadCommands", "imapkit_family"]


class SortThreadCommands(Commands):
    """Commands of SORT and THREAD: RFC 5256, and SORT=DISPLAY, RFC 5957."""


@hookimpl
def imapkit_family() -> Family:
    """The family of SORT and THREAD: RFC 5256, and SORT=DISPLAY, RFC 5957."""
    return Family(name="sort_thread", mixin=SortThreadCommands, capabilities=("SORT",), requires=("rev1",))
