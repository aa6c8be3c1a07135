"""Which of a server's capabilities are served, and by whom: what the families say (``Family.capabilities``), and the core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imapkit.core.claims import Plugin

__all__ = ["CORE", "serves", "serving"]

CORE: Mapping[str, str] = {
    "LITERAL+": "literals are sent without waiting, RFC 7888",
    "LITERAL-": "literals of up to 4096 octets are sent without waiting, RFC 7888",
}
"""What the core does by itself where a server announces it."""


def serves(declared: str, capability: str) -> bool:
    """Whether a capability is what a family declares: by its name, in any case, or by what comes before the ``*``."""
    declared, capability = declared.upper(), capability.upper()
    return capability.startswith(declared[:-1]) if declared.endswith("*") else capability == declared


def serving(capability: str, plugins: Iterable[Plugin]) -> tuple[str, ...]:
    """The names of the families that serve a capability, in the order of ``plugins``; "core" stands for the core."""
    found = ["core"] if capability.upper() in CORE else []
    return *found, *(p.name for p in plugins if any(serves(one, capability) for one in p.family.capabilities))
