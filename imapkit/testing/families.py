"""For plugin authors' tests: a client of exactly the families that a test is about, whatever else is installed."""

from __future__ import annotations

from typing import Any

from imapkit.core.plugins.loader import discover
from imapkit.core.plugins.registry import Registry
from imapkit.core.raw.facade import Client

__all__ = ["load_only"]


def load_only(*families: Any) -> Registry:
    """Return a registry of exactly these families.

    Each is the name of an installed one ("rev1"), a module or object with the hook ``imapkit_family``, or a ``Family``.
    The environment does not count. Nothing is added: name what a family requires as well. Raises ``PluginLoadError``,
    ``PluginConflictError`` or ``PluginError``, as a client would.
    """
    found = discover(explicit=families, environ={})
    return Registry.build(found.plugins, found.absent, Client)
