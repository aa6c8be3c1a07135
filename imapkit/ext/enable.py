"""The family ``enable``: ENABLE: RFC 5161, and UTF8=ACCEPT, RFC 6855."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["EnableCommands", "imapkit_family"]


class EnableCommands(Commands):
    """Commands of ENABLE: RFC 5161, and UTF8=ACCEPT, RFC 6855."""


@hookimpl
def imapkit_family() -> Family:
    """The family of ENABLE: RFC 5161, and UTF8=ACCEPT, RFC 6855."""
    return Family(name="enable", mixin=EnableCommands, capabilities=("ENABLE",), requires=("rev1",))
