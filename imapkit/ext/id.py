"""The family ``id``: ID: RFC 2971."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["IdCommands", "imapkit_family"]


class IdCommands(Commands):
    """Commands of ID: RFC 2971."""


@hookimpl
def imapkit_family() -> Family:
    """The family of ID: RFC 2971."""
    return Family(name="id", mixin=IdCommands, capabilities=("ID",), requires=("rev1",))
