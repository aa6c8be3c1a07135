"""The family ``proxyauth``: PROXYAUTH, as Sun and Netscape servers have it."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["ProxyauthCommands", "imapkit_family"]


class ProxyauthCommands(Commands):
    """Commands of PROXYAUTH, as Sun and Netscape servers have it."""


@hookimpl
def imapkit_family() -> Family:
    """The family of PROXYAUTH, as Sun and Netscape servers have it."""
    return Family(name="proxyauth", mixin=ProxyauthCommands, capabilities=("PROXYAUTH",), requires=("rev1",))
