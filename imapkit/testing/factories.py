"""Servers and clients that are closed together at the end of a test: the values of the fixtures, usable without pytest."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any, Self, TypeVar, Unpack, overload

from imapkit import IMAP4
from imapkit.testing.clients import Listening, connect
from imapkit.testing.conversation import Script
from imapkit.testing.scripted import ScriptedServer, ServerArguments

__all__ = ["ClientFactory", "ServerFactory"]

PATIENCE = 2.0
"""Seconds that a server has to answer the LOGOUT at the end; then the connection is closed without it."""

Client = TypeVar("Client", bound=IMAP4)


class _Factory:
    """A ``with`` block that closes at its end all that was made in it, the last one first."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._stack.__exit__(*exc_info)


class ServerFactory(_Factory):
    """Starts servers: ``servers(script, **arguments of ScriptedServer)``. The fixture ``imap_server`` is one.

    The end of its ``with`` block closes them, and raises the first exception of a script.
    """

    def __call__(self, script: Script | None = None, **arguments: Unpack[ServerArguments]) -> ScriptedServer:
        return self._stack.enter_context(ScriptedServer(script, **arguments))


class ClientFactory(_Factory):
    """Connects clients: ``clients(server, **arguments of connect)``. The fixture ``imap_client`` is one.

    The end of its ``with`` block logs them out, if the server answers, and closes them.
    """

    @overload
    def __call__(
        self,
        server: Listening,
        *,
        cls: type[Client],
        families: Iterable[Any] | None = None,
        login: bool = True,
        select: str | None = None,
        **arguments: Any,
    ) -> Client: ...
    @overload
    def __call__(
        self,
        server: Listening,
        *,
        families: Iterable[Any] | None = None,
        login: bool = True,
        select: str | None = None,
        **arguments: Any,
    ) -> IMAP4: ...
    def __call__(self, server: Listening, **arguments: Any) -> IMAP4:
        client: IMAP4 = connect(server, **arguments)
        self._stack.callback(_end, client)
        return client


def _end(client: IMAP4) -> None:
    if hasattr(client, "logout"):  # it is in the base family, which a client may lack
        client.logout(timeout=PATIENCE)
    client.__exit__()
