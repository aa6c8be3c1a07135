"""Connect clients to a test's own server, collect the answers of callbacks, run calls at the same time, measure time."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, overload

from imapkit import IMAP4
from imapkit.testing.certificate import LOCALHOST
from imapkit.testing.conversation import Handler
from imapkit.testing.scripted import ScriptedServer, ServerArguments

__all__ = ["Answers", "Listening", "at_once", "connect", "selected", "within"]

Client = TypeVar("Client", bound=IMAP4)

TIMEOUT = 20.0


class Listening(Protocol):
    """An address to connect to: a ``ScriptedServer``, a ``DelayProxy``."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


@overload
def connect(
    server: Listening,
    *,
    cls: type[Client],
    families: Iterable[Any] | None = None,
    login: bool = True,
    select: str | None = None,
    **arguments: Any,
) -> Client: ...
@overload
def connect(
    server: Listening,
    *,
    families: Iterable[Any] | None = None,
    login: bool = True,
    select: str | None = None,
    **arguments: Any,
) -> IMAP4: ...
def connect(
    server: Listening,
    *,
    cls: type[IMAP4] | None = None,
    families: Iterable[Any] | None = None,
    login: bool = True,
    select: str | None = None,
    **arguments: Any,
) -> IMAP4:
    """Return a client that is connected, logged in unless the greeting was PREAUTH, with the mailbox ``select`` selected.

    Raises what connecting, LOGIN or SELECT raises. The client's ``with`` block logs it out. ``cls``: the class (default:
    ``IMAP4_SSL`` for a server with TLS from the start, else ``IMAP4``). ``families`` and ``arguments``: as that class takes them;
    by default the time-out is 20 seconds, and the certificate ``LOCALHOST`` is trusted.
    """
    given: dict[str, Any] = {"timeout": TIMEOUT, "families": families} | _trust(server, arguments) | arguments
    client = (cls or _class_for(server))(server.host, server.port, **given)
    try:
        if login and client.state == "NONAUTH":
            client.login("me", "secret")
        if select is not None:
            client.select(select)
    except BaseException:
        client.__exit__()
        raise
    return client


@contextmanager
def selected(handlers: Mapping[str, Handler] | None = None, **arguments: Any) -> Iterator[tuple[IMAP4, ScriptedServer]]:
    """A server and its client, logged in, with INBOX selected: ``with selected({...}, families=[...]) as (client, server)``.

    ``handlers`` and the other ``arguments`` of ``ScriptedServer`` go to the server, all others to ``connect``.
    """
    own = {name: arguments.pop(name) for name in ServerArguments.__optional_keys__ & arguments.keys()}
    arguments.setdefault("select", "INBOX")
    with ScriptedServer(handlers=handlers, **own) as server, connect(server, **arguments) as client:
        yield client, server


def _class_for(server: Listening) -> type[IMAP4]:
    if isinstance(server, ScriptedServer) and server.implicit_tls:
        from imapkit import IMAP4_SSL

        return IMAP4_SSL
    return IMAP4


def _trust(server: Listening, arguments: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(server, ScriptedServer) or server.tls is None or "ca_certs" in arguments:
        return {}
    return {"ssl_context": LOCALHOST.client_context()}


class Answers:
    """A ``callback=`` that keeps its arguments, ``(result, cb_arg, error)``, until the test takes them."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[Any, Any, Any]] = queue.Queue()

    def __call__(self, answer: tuple[Any, Any, Any]) -> None:
        self._queue.put(answer)

    def next(self, timeout: float = TIMEOUT) -> tuple[Any, Any, Any]:
        """The next answer. Raises ``TimeoutError`` if there is none within ``timeout`` seconds."""
        try:
            return self._queue.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"no callback for {timeout} s") from None

    def take(self, count: int) -> list[tuple[Any, Any, Any]]:
        """The next ``count`` answers. Raises ``AssertionError`` if there are more by then."""
        answers = [self.next() for _ in range(count)]
        assert self._queue.empty(), f"called back more than {count} times"
        return answers


def at_once(*calls: Callable[[], Any]) -> tuple[Any, ...]:
    """Call all of ``calls`` at the same time, each on its own thread; return their results, in their order."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return tuple(future.result() for future in [pool.submit(call) for call in calls])


@contextmanager
def within(seconds: float = 5.0) -> Iterator[None]:
    """Raise ``AssertionError`` if the body of the ``with`` block takes longer. The default allows for a busy machine."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds, f"took {took:.2f} s instead of {seconds} at most"
