"""The family ``acl``: ACL: RFC 4314."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["AclCommands", "imapkit_family"]


class AclCommands(Commands):
    """Commands of ACL: RFC 4314."""


@hookimpl
def imapkit_family() -> Family:
    """The family of ACL: RFC 4314."""
    return Family(name="acl", mixin=AclCommands, capabilities=("ACL",), requires=("rev1",))
