"""The family ``idle``: IDLE: RFC 2177."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["IdleCommands", "imapkit_family"]


class IdleCommands(Commands):
    """Commands of IDLE: RFC 2177."""


@hookimpl
def imapkit_family() -> Family:
    """The family of IDLE: RFC 2177."""
    return Family(name="idle", mixin=IdleCommands, capabilities=("IDLE",), requires=("rev1",))
