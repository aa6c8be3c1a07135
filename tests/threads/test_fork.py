"""The parent's connection goes on, whatever a child of ``fork`` does with its copy of the client."""

from __future__ import annotations

import gc
import os
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

import imapkit
from imapkit import ConnectionClosed
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer, answering
from imapkit.testing.certificate import LOCALHOST
from tests.core.rig import connect, selected, until, within
from tests.threads.rig import GREETING

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


class Shutting(imapkit.IMAP4):
    """A subclass that shuts the connection down itself."""

    def shutdown(self) -> None:
        self.sock.shutdown(2)
        super().shutdown()


def in_a_child(act: Callable[[], object]) -> str:
    """What ``act`` does in a child of this process: "ok", or what it raised."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns that there are threads, which is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                act()
            said = b"ok"
        except BaseException as exc:
            said = repr(exc).encode()
        os.write(writer, said)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as told, within(10):
        said = told.read()
    os.waitpid(child, 0)
    return said.decode()


def drop(clients: list[imapkit.IMAP4]) -> None:
    """Let the client be collected."""
    clients.clear()
    gc.collect()


def log_out(clients: list[imapkit.IMAP4]) -> None:
    clients[0].logout()


def leave(clients: list[imapkit.IMAP4]) -> None:
    """The end of a ``with`` block."""
    with clients[0]:
        pass


def command(clients: list[imapkit.IMAP4]) -> None:
    with pytest.raises(ConnectionClosed, match="the process that opened it"):
        clients[0].noop()


def command_with_a_callback(clients: list[imapkit.IMAP4]) -> None:
    with pytest.raises(ConnectionClosed, match="the process that opened it"):
        clients[0].noop(callback=print)


def command_as_a_future(clients: list[imapkit.IMAP4]) -> None:
    with pytest.raises(ConnectionClosed, match="the process that opened it"):
        clients[0].submit("NOOP")


ACTS = [drop, log_out, leave, command, command_with_a_callback, command_as_a_future]


@pytest.mark.parametrize("kind", ["plain", "tls", "subclass"])
def test_the_parents_connections_go_on(kind: str) -> None:
    """One for each thing that the child may do."""
    tls = LOCALHOST if kind == "tls" else None
    options: dict[str, Any] = {"ssl_context": LOCALHOST.client_context()} if tls else {}
    cls = {"plain": imapkit.IMAP4, "tls": imapkit.IMAP4_SSL, "subclass": Shutting}[kind]
    with ExitStack() as stack:
        servers = [stack.enter_context(ScriptedServer(greeting=GREETING, tls=tls)) for _ in ACTS]
        held = [[connect(server, cls, **options)] for server in servers]
        for [client] in held:
            assert client.noop()[0] == "OK"
        del client

        def act_on_each() -> None:
            for act, clients in zip(ACTS, held, strict=True):
                try:
                    act(clients)
                except BaseException as exc:
                    raise AssertionError(f"{act.__name__}: {exc!r}") from exc

        assert in_a_child(act_on_each) == "ok"
        for server, [client], act in zip(servers, held, ACTS, strict=True):
            assert client.noop()[0] == "OK", act.__name__
            assert server.names == ["NOOP", "NOOP"], act.__name__
            client.logout()


def test_a_child_may_open_a_connection_of_its_own() -> None:
    with ScriptedServer(greeting=GREETING) as server:
        client = connect(server)
        client.noop(callback=lambda answer: None)

        def own() -> None:
            with connect(server) as mine:
                assert mine.noop()[0] == "OK"
                mine.noop(callback=lambda answer: None)

        assert in_a_child(own) == "ok"
        assert client.noop()[0] == "OK"
        client.logout()


def test_a_future_that_a_child_cancels_is_the_parents_still() -> None:
    """One of each phase: listening, in flight, queued."""
    go = threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        assert go.wait(10)
        conversation.ok(command)

    def idle(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        assert conversation.read_line() == b"DONE"
        conversation.ok(command)

    handlers = {"SEARCH": slow, "EXAMINE": answering(), "IDLE": idle}
    with selected(handlers, families=["rev1", "idle"]) as (client, server), within(20):
        idles = client.submit("IDLE")
        until(lambda: client._live.engine.listens, "the server has accepted no IDLE")
        assert in_a_child(idles.cancel) == "ok"
        assert client._live.engine.listens
        futures = [client.submit("SEARCH", "ALL"), client.submit("EXAMINE", "other")]
        assert idles.result(10)[0] == "OK"
        until(lambda: "SEARCH" in server.names, "no SEARCH has come")
        for future in futures:
            assert in_a_child(future.cancel) == "ok"
        go.set()
        assert [future.result(10)[0] for future in futures] == ["OK", "OK"]
        assert client.noop()[0] == "OK"
