"""The family ``annotation``: ANNOTATEMORE: draft-daboo-imap-annotatemore."""

from __future__ import annotations

from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

__all__ = ["AnnotationCommands", "imapkit_family"]


class AnnotationCommands(Commands):
    """Commands of ANNOTATEMORE: draft-daboo-imap-annotatemore."""


@hookimpl
def imapkit_family() -> Family:
    """The family of ANNOTATEMORE: draft-daboo-imap-annotatemore."""
    return Family(name="annotation", mixin=AnnotationCommands, capabilities=("ANNOTATEMORE",), requires=("rev1",))
