"""The family ``quota``: QUOTA: RFC 2087 and RFC 9208."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["QuotaCommands", "imapkit_family"]


class QuotaCommands(Commands):
    """Commands of QUOTA: RFC 2087 and RFC 9208."""


@hookimpl
def imapkit_family() -> Family:
    """The family of QUOTA: RFC 2087 and RFC 9208."""
    return Family(name="quota", mixin=QuotaCommands, capabilities=("QUOTA",), requires=("rev1",))
