"""For plugin authors' tests: a registry with the families that a test names, whichever others are installed."""

from __future__ import annotations

from typing import Any

from imapkit.core.plugins.loader import discover
from imapkit.core.plugins.registry import Registry
from imapkit.core.raw.facade import Client

__all__ = ["load_only"]


def load_only(*families: Any) -> Registry:
    """Return a registry of exactly these families.

    Raises ``PluginLoadError``, ``PluginConflictError`` or ``PluginError``, as a client would. Each is the name of an installed
    family ("rev1"), a module or object with the hook ``imapkit_family``, or a ``Family``. Also name the families that a family
    requires: none is added. Environment variables have no effect.
    """
    found = discover(explicit=families, environ={})
    return Registry.build(found.plugins, found.absent, Client)
