"""Check vectors over a real connection: through sockets, threads, TLS and compression, to the caller."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from imapkit.core.contract.command import Command
from imapkit.core.contract.commands import Commands
from imapkit.core.contract.extension import Response
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.core.plugins.registry import Registry
from imapkit.core.raw.families import registry
from imapkit.core.wire.response import classify
from imapkit.errors import RemoteProtocolError, ServerBye, readonly
from imapkit.plugin import Done, Untagged
from imapkit.testing.certificate import Tls
from imapkit.testing.clients import connect
from imapkit.testing.conversation import Conversation
from imapkit.testing.meaning import Meaning, frame, meaning, of_text, of_untagged
from imapkit.testing.peer import Chunks
from imapkit.testing.scripted import ScriptedServer
from imapkit.testing.vectors import AFTER, BEFORE, Vector, compare

__all__ = ["check_vector_on_wire"]

_GREETING = b"* PREAUTH [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] ready\r\n"
_PROBE = "X-VECTOR"


class _Probe(Commands):
    """The command that asks the server for a vector."""

    def ask_for_vector(self) -> tuple[Done, list[bytes]]:
        """The completed command, and the challenges received before."""
        requests: list[Done] = []
        challenges: list[bytes] = []

        def finish(request: Done) -> Any:
            requests.append(request)
            return request.typ, []

        def reply(challenge: bytes) -> bytes:
            challenges.append(challenge)
            return b""

        self._call_with({}, _PROBE, finish=finish, reply=reply)
        return requests[0], challenges


@cache
def _probe(name: str, read: Response | None) -> Family:
    """A family with one command, whose answer is the responses called ``name``, whatever tag these name."""
    command = Command(_PROBE, State.ANY, exclusive=True, result=(name,))
    if read is None or read.tag is None:
        return Family("vector", _Probe, commands=(command,))
    responses, replaces = {name: replace(read, tag=None)}, (f"response:{name}",)
    return Family("vector", _Probe, commands=(command,), responses=responses, replaces=replaces)


def check_vector_on_wire(
    vector: Vector, *families: Any, tls: Tls | None = None, compress: bool = False, chunks: Chunks = None
) -> None:
    """Check that a client reads a vector's response as the vector expects, between good responses from a real server.

    Raises ``AssertionError`` as ``check_vector`` does. The client has ``families`` (names or modules, as ``load_only`` takes
    them); "rev1" must be among them. ``tls``: from the start, with ``LOCALHOST``. ``compress``: with COMPRESS=DEFLATE.
    ``chunks``: as for ``Conversation.send``.
    """
    if compress and not any(isinstance(family, str) and family == "compress" for family in families):
        families = (*families, "compress")
    parts = frame([vector.wire])[0]
    name = _name(parts)
    listed = (*families, _probe(name, registry(families).responses.get(name)))
    known = registry(listed)  # the client's own, made once
    expected = meaning(parts, known)

    def script(conversation: Conversation) -> None:
        if compress:
            conversation.ok(conversation.wait_for("COMPRESS"))
            conversation.start_compression()
        _send_vector(conversation, vector, expected, chunks)
        conversation.serve()

    with ScriptedServer(script, greeting=_GREETING, tls=tls) as server, connect(server, families=listed) as client:
        if compress:
            client.enable_compression()
        try:
            found = _ask(client.family(_Probe), expected, known)
            with suppress(readonly):  # a vector may have made the mailbox READ-ONLY
                client.noop()
        except (RemoteProtocolError, ServerBye) as error:
            found = {"error": type(error).__name__}
        else:
            good = [b"3", b"4"] if expected.get("name") != "EXISTS" else [b"4"]
            assert client.response("EXISTS")[1] == good, f"{vector}: the good responses before and after it are missing"
    if expected.get("typ") == "BYE":
        assert found == {"error": "ServerBye"}, f"{vector}: the connection should be over, but the client read {found}"
    else:
        compare(vector, found)


def _name(parts: list[bytes] | str) -> str:
    """The name of an untagged response, "" for all others."""
    response = None if isinstance(parts, str) else classify(parts)
    return response.name if isinstance(response, Untagged) else ""


def _send_vector(conversation: Conversation, vector: Vector, expected: Meaning, chunks: Chunks) -> None:
    """Wait for the probe's command, and send the vector between the good responses."""
    command = conversation.wait_for(_PROBE)
    wire = vector.wire
    if expected.get("kind") == "tagged":
        wire = command.tag + wire.removeprefix(expected["tag"])
    conversation.send(BEFORE + wire, chunks=chunks)
    if expected.get("kind") == "continuation":
        conversation.read_line()
    if expected.get("kind") != "tagged":
        conversation.ok(command)
    conversation.send(AFTER, chunks=chunks)


def _ask(probe: _Probe, expected: Meaning, known: Registry) -> Meaning:
    """The meaning of what the client received."""
    request, challenges = probe.ask_for_vector()
    if expected.get("kind") == "tagged":
        return {"kind": "tagged", "tag": expected["tag"], "typ": request.typ} | of_text(request.text, known)
    if challenges:
        return {"kind": "continuation", "text": challenges[0]}
    responses = request.untagged[1:] if expected.get("name") == "EXISTS" else request.untagged
    assert len(responses) == 1, f"expected one response, got {responses}"
    return of_untagged(responses[0], known)
