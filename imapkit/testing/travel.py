"""Vectors over a real connection: through sockets and threads, TLS and compression, to whoever asked."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Any

from imapkit.core.contract.command import Command
from imapkit.core.contract.commands import Commands
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
    """Asks for a vector."""

    def ask_for_vector(self) -> tuple[Done, list[bytes]]:
        """What the command came to, and the challenges that were met on the way."""
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
def _probe(name: str) -> Family:
    """A family whose one command is answered by responses called ``name``."""
    return Family("vector", _Probe, commands=(Command(_PROBE, State.ANY, exclusive=True, result=(name,)),))


def check_vector_on_wire(
    vector: Vector, *families: Any, tls: Tls | None = None, compress: bool = False, chunks: Chunks = None
) -> None:
    """Check that a response means what its vector says when it comes from a server, between good responses.

    The client has ``families`` (names or modules, as ``load_only`` takes them); "rev1" must be among them. ``tls``: from the
    start, with ``LOCALHOST``. ``compress``: with COMPRESS=DEFLATE. ``chunks``: in pieces, as ``Conversation.send`` has it.
    Raises ``AssertionError`` as ``check_vector`` does.
    """
    if compress and not any(isinstance(family, str) and family == "compress" for family in families):
        families = (*families, "compress")
    parts = frame([vector.octets])[0]
    listed = (*families, _probe(_name(parts)))
    known = registry(listed)  # as the client has it, and made once
    expected = meaning(parts, known)

    def script(conversation: Conversation) -> None:
        if compress:
            conversation.ok(conversation.wait_for("COMPRESS"))
            conversation.start_compression()
        _tell(conversation, vector, expected, chunks)
        conversation.serve()

    with ScriptedServer(script, greeting=_GREETING, tls=tls) as server, connect(server, families=listed) as client:
        if compress:
            client.enable_compression()
        try:
            found = _ask(client.family(_Probe), expected, known)
            with suppress(readonly):  # which a vector may have said
                client.noop()
        except (RemoteProtocolError, ServerBye) as error:
            found = {"error": type(error).__name__}
        else:
            good = [b"3", b"4"] if expected.get("name") != "EXISTS" else [b"4"]
            assert client.response("EXISTS")[1] == good, f"{vector}: the good responses beside it are not there"
    if expected.get("typ") == "BYE":
        assert found == {"error": "ServerBye"}, f"{vector}: the connection should be over, but {found}"
    else:
        compare(vector, found)


def _name(parts: list[bytes] | str) -> str:
    """The name of an untagged response, "" for all others."""
    response = None if isinstance(parts, str) else classify(parts)
    return response.name if isinstance(response, Untagged) else ""


def _tell(conversation: Conversation, vector: Vector, expected: Meaning, chunks: Chunks) -> None:
    """What the server does once it is asked for the vector."""
    command = conversation.wait_for(_PROBE)
    octets = vector.octets
    if expected.get("kind") == "tagged":
        octets = command.tag + octets.removeprefix(expected["tag"])
    conversation.send(BEFORE + octets, chunks=chunks)
    if expected.get("kind") == "continuation":
        conversation.read_line()
    if expected.get("kind") != "tagged":
        conversation.ok(command)
    conversation.send(AFTER, chunks=chunks)


def _ask(probe: _Probe, expected: Meaning, known: Registry) -> Meaning:
    """What comes back."""
    request, challenges = probe.ask_for_vector()
    if expected.get("kind") == "tagged":
        return {"kind": "tagged", "tag": expected["tag"], "typ": request.typ} | of_text(request.text, known)
    if challenges:
        return {"kind": "continuation", "text": challenges[0]}
    responses = request.untagged[1:] if expected.get("name") == "EXISTS" else request.untagged
    assert len(responses) == 1, f"expected one response, got {responses}"
    return of_untagged(responses[0], known)
