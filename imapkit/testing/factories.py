"""Servers and clients that are closed together, when a test is over; what the fixtures give, and usable without pytest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any, Protocol, Self, TypedDict, TypeVar, Unpack, overload

from imapkit import IMAP4
from imapkit.testing.certificate import LOCALHOST
from imapkit.testing.scripted import Handler, Script, ScriptedServer, Tls

__all__ = ["ClientFactory", "ServerFactory"]

PATIENCE = 2.0
"""Seconds that a server gets to answer the LOGOUT at the end; then the connection is just closed."""

Client = TypeVar("Client", bound=IMAP4)


class ServerArguments(TypedDict, total=False):
    """What ``ScriptedServer`` takes beside its script."""

    handlers: Mapping[str, Handler] | None
    greeting: bytes | None
    capabilities: bytes
    messages: int
    tls: Tls | None
    implicit_tls: bool
    patience: float


class Listening(Protocol):
    """What a client connects to: a ``ScriptedServer``, a ``DelayProxy``."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


class _Factory:
    """A ``with`` block at whose end all that was made is closed, the last one first."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._stack.__exit__(*exc_info)


class ServerFactory(_Factory):
    """Starts servers: ``servers(script, **arguments of ScriptedServer)``. The fixture ``imap_server`` is one.

    The end of its ``with`` block closes them, and raises what a script failed with.
    """

    def __call__(self, script: Script | None = None, **arguments: Unpack[ServerArguments]) -> ScriptedServer:
        return self._stack.enter_context(ScriptedServer(script, **arguments))


class ClientFactory(_Factory):
    """Connects clients: ``clients(server, ...)``. The fixture ``imap_client`` is one.

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
    def __call__(
        self,
        server: Listening,
        *,
        cls: type[IMAP4] | None = None,
        families: Iterable[Any] | None = None,
        login: bool = True,
        select: str | None = None,
        **arguments: Any,
    ) -> IMAP4:
        """Connect a client, log it in unless the greeting was PREAUTH, and select a mailbox.

        ``cls``: the class (default: ``IMAP4_SSL`` for a server with TLS from the start, else ``IMAP4``). ``families`` and
        ``arguments``: as that class takes them; the time-out is 20 seconds, and the certificate ``LOCALHOST`` is trusted,
        unless they say otherwise. ``select``: the mailbox. Raises what connecting, LOGIN or SELECT raises.
        """
        given: dict[str, Any] = {"timeout": 20.0, "families": families} | _trust(server, arguments) | arguments
        client = (cls or _class_for(server))(server.host, server.port, **given)
        self._stack.callback(_end, client)
        if login and client.state == "NONAUTH":
            client.login("me", "secret")
        if select is not None:
            client.select(select)
        return client


def _class_for(server: Listening) -> type[IMAP4]:
    if isinstance(server, ScriptedServer) and server.implicit_tls:
        from imapkit import IMAP4_SSL

        return IMAP4_SSL
    return IMAP4


def _trust(server: Listening, arguments: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(server, ScriptedServer) or server.tls is None or {"ca_certs", "cert_verify_cb"} & arguments.keys():
        return {}
    return {"ssl_context": LOCALHOST.client_context()}


def _end(client: IMAP4) -> None:
    if hasattr(client, "logout"):  # it is in the base family, which a client may lack
        client.logout(timeout=PATIENCE)
    client.__exit__(None, None, None)
