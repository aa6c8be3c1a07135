"""The family ``namespace``: NAMESPACE: RFC 2342."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["NamespaceCommands", "imapkit_family"]


class NamespaceCommands(Commands):
    """Commands of NAMESPACE: RFC 2342."""


@hookimpl
def imapkit_family() -> Family:
    """The family of NAMESPACE: RFC 2342."""
    return Family(name="namespace", mixin=NamespaceCommands, capabilities=("NAMESPACE",), requires=("rev1",))
