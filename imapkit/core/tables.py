"""Views for programs that look rather than send: ``Commands`` as imaplib2 has it, and the opt-out of TLS verification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from imapkit.core.plugins import registry
from imapkit.family import State

if TYPE_CHECKING:
    import ssl

__all__ = ["Commands", "unverified_context"]

_STATES = (State.NONAUTH, State.AUTH, State.SELECTED, State.LOGOUT)


class _Commands(Mapping[str, tuple[tuple[str, ...], bool]]):
    """The commands of all families: ``{name: ((state, ...), parallel)}``; a view, not to be written."""

    def __getitem__(self, name: str) -> tuple[tuple[str, ...], bool]:
        command = registry().commands[name]
        return tuple(str(state.name) for state in _STATES if state & command.states), not command.exclusive

    def __iter__(self) -> Iterator[str]:
        return iter(registry().commands)

    def __len__(self) -> int:
        return len(registry().commands)


Commands: Mapping[str, tuple[tuple[str, ...], bool]] = _Commands()


def unverified_context() -> ssl.SSLContext:
    """An ``ssl_context=`` that verifies neither certificate nor host name: whoever is on the way can read everything."""
    from imapkit.core.tls import client_context

    return client_context(verify=False)
