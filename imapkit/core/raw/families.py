"""The families of this process: what the program configured, and the registry of each set of families, which is made once.

What ``Loader`` does is done here for the clients of imapkit: a family's methods must fit beside theirs.
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
    """The registry of all families that may be there, or of ``families`` only; see ``Loader.registry``."""
    return _loader.registry(families)


read_copies_by(registry)
