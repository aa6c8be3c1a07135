"""Views for programs that look rather than send: ``Commands`` as imaplib2 has it, and the opt-out of TLS verification."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING

from imapkit.core.plugins import registry
from imapkit.family import State

if TYPE_CHECKING:
    import ssl

__all__ = ["Commands", "unverified_context"]

_STATES = (State.NONAUTH, State.AUTH, State.SELECTED, State.LOGOUT)


_Entry = tuple[tuple[str, ...], bool]


class _Commands(MutableMapping[str, _Entry]):
    """The commands of all families: ``{name: ((state, ...), parallel)}``.

    Programs written for imaplib add to it what they send with ``xatom`` or ``uid``, which need no entry here: it is kept, and
    changes nothing.
    """

    def __init__(self) -> None:
        self._added: dict[str, _Entry] = {}

    def __setitem__(self, name: str, entry: _Entry) -> None:
        self._added[name] = entry

    def __delitem__(self, name: str) -> None:
        del self._added[name]

    def __getitem__(self, name: str) -> _Entry:
        if name in self._added:
            return self._added[name]
        command = registry().commands[name]
        return tuple(str(state.name) for state in _STATES if state & command.states), not command.exclusive

    def __iter__(self) -> Iterator[str]:
        return iter({**registry().commands, **self._added})

    def __len__(self) -> int:
        return len({**registry().commands, **self._added})


Commands: MutableMapping[str, _Entry] = _Commands()
"""The commands of all families, as in imaplib2: ``{name: ((state, ...), parallel)}``. An entry that is added changes nothing."""


def unverified_context() -> ssl.SSLContext:
    """An ``ssl_context=`` that verifies neither certificate nor host name: whoever is on the way can read everything."""
    from imapkit.core.tls import client_context

    return client_context(verify=False)
