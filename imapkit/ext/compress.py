"""The family ``compress``: COMPRESS: RFC 4978."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["CompressCommands", "imapkit_family"]


class CompressCommands(Commands):
    """Commands of COMPRESS: RFC 4978."""


@hookimpl
def imapkit_family() -> Family:
    """The family of COMPRESS: RFC 4978."""
    return Family(name="compress", mixin=CompressCommands, capabilities=("COMPRESS=DEFLATE",), requires=("rev1",))
