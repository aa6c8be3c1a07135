"""The family ``starttls``: STARTTLS: RFC 3501 section 6.2.1, RFC 2595."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["StartTLSCommands", "imapkit_family"]


class StartTLSCommands(Commands):
    """Commands of STARTTLS: RFC 3501 section 6.2.1, RFC 2595."""


@hookimpl
def imapkit_family() -> Family:
    """The family of STARTTLS: RFC 3501 section 6.2.1, RFC 2595."""
    return Family(name="starttls", mixin=StartTLSCommands, capabilities=("STARTTLS",), requires=("rev1",))
