"""The three faces. The modules of futures and of asyncio are loaded by the first call that needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imapkit.core.drivers.blocking import BLOCKING

if TYPE_CHECKING:
    from imapkit.core.contract.typed import Face

__all__ = ["ASYNC", "BLOCKING", "NOWAIT"]


class _Loaded:
    """A face whose functions are those of a module, from the first call on."""

    one: Callable[..., Any]
    several: Callable[..., Any]
    stream: Callable[..., Any]

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load

    def __getattr__(self, name: str) -> Any:
        if name not in ("one", "several", "stream"):
            raise AttributeError(name)
        face = self._load()
        self.one, self.several, self.stream = face.one, face.several, face.stream
        return getattr(face, name)


def _pending() -> Any:
    from imapkit.core.drivers import pending

    return pending


def _on_asyncio() -> Any:
    from imapkit.core.drivers import on_asyncio

    return on_asyncio


NOWAIT: Face = _Loaded(_pending)
ASYNC: Face = _Loaded(_on_asyncio)
