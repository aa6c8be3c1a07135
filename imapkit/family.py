"""The old name of a part of ``imapkit.plugin``, with the same objects. New plugins import ``imapkit.plugin``."""

from __future__ import annotations

from imapkit.plugin import (
    CONTRACT,
    Code,
    Command,
    Done,
    Family,
    Item,
    Kind,
    Layer,
    LayerSpec,
    Operands,
    Response,
    Specs,
    State,
    hookimpl,
    hookspec,
)

__all__ = [
    "CONTRACT",
    "Code",
    "Command",
    "Done",
    "Family",
    "Item",
    "Kind",
    "Layer",
    "LayerSpec",
    "Operands",
    "Response",
    "Specs",
    "State",
    "hookimpl",
    "hookspec",
]
