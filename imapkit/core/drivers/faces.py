"""The three faces. The modules of futures and of asyncio are loaded by the first call that needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imapkit.core.drivers.blocking import BLOCKING

if TYPE_CHECKING:
    from imapkit.core.contract.typed import Face, TypedCommands

__all__ = ["ASYNC", "BLOCKING", "NOWAIT"]


class _Nowait:
    """See ``Face``."""

    def one(self, obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        from imapkit.core.drivers import pending

        return pending.one(obj, function, *args, **options)

    def several(self, obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        from imapkit.core.drivers import pending

        return pending.several(obj, function, *args, **options)

    def stream(self, obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        from imapkit.core.drivers import pending

        return pending.stream(obj, function, *args, **options)


class _Async:
    """See ``Face``."""

    def one(self, obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        from imapkit.core.drivers import on_asyncio

        return on_asyncio.one(obj, function, *args, **options)

    def several(self, obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        from imapkit.core.drivers import on_asyncio

        return on_asyncio.several(obj, function, *args, **options)

    def stream(self, obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        from imapkit.core.drivers import on_asyncio

        return on_asyncio.iterate(obj, function, *args, **options)


NOWAIT: Face = _Nowait()
ASYNC: Face = _Async()
