"""The families of this process: the program's configuration, and one registry for each set of families.

It uses ``Loader`` for imapkit's client classes, with whose methods a family's methods must not collide.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imapkit.core.contract.result import read_copies_by
from imapkit.core.plugins.loader import Loader
from imapkit.core.plugins.registry import Registry
from imapkit.core.raw.facade import Client

__all__ = ["configure", "registry"]

_loader = Loader(Client)
configure = _loader.configure


def registry(families: Iterable[Any] | None = None) -> Registry:
    """The registry of all enabled families, or of ``families`` only; see ``Loader.registry``."""
    return _loader.registry(families)


read_copies_by(registry)
