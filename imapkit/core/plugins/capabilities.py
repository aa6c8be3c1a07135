"""Which of a server's capabilities are served, and by whom: what the families say (``Family.capabilities``), and the core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imapkit.core.plugins.claims import Plugin

__all__ = ["CORE", "partly", "serves", "serving"]

CORE: Mapping[str, str] = {
    "LITERAL+": "literals are sent without waiting, RFC 7888",
    "LITERAL-": "literals of up to 4096 bytes are sent without waiting, RFC 7888",
}
"""The capabilities that the core serves, and how."""


def serves(declared: str, capability: str) -> bool:
    """Whether a capability is what a family declares: by its name, in any case, or by what comes before the ``*``."""
    declared, capability = declared.upper(), capability.upper()
    return capability.startswith(declared[:-1]) if declared.endswith("*") else capability == declared


def serving(capability: str, plugins: Iterable[Plugin]) -> tuple[str, ...]:
    """The names of the families that serve a capability, in the order of ``plugins``; "core" stands for the core."""
    found = ["core"] if capability.upper() in CORE else []
    return *found, *(p.name for p in plugins if any(serves(one, capability) for one in p.family.capabilities))


def partly(capability: str, plugins: Iterable[Plugin]) -> Mapping[str, str]:
    """What families serve of a capability that they do not serve as a whole (``Family.partly``), by the family's name."""
    found: dict[str, str] = {}
    for plugin in plugins:
        for declared, said in plugin.family.partly.items():
            if serves(declared, capability):
                found.setdefault(plugin.name, said)
    return found
