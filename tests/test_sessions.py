"""What servers send in the middle of sessions, end to end: over every layer, in any segments, between good responses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import imapkit
from imapkit.core.wire.response import Untagged, classify
from imapkit.errors import ConnectionClosed, RemoteProtocolError
from imapkit.testing import Vector, load_vectors
from imapkit.testing.meaning import frame, plain
from tests.core.rig import MARGIN, within
from tests.streams import AFTER, BEFORE, PREAUTH, SESSIONS, WAYS, Script, Session, Way, run, serving_session

pytestmark = pytest.mark.heavy

UNREAD = {
    "N03": "XLIST is no family's: its line stays as it came",
    "N21": "ESEARCH is no family's yet: its line stays as it came",
}
"""Sessions whose malformed part no family parses: nothing is misread, and nothing is noted."""


def read_all(client: imapkit.IMAP4, typ: str, data: object) -> Iterator[object]:
    """All that came, read."""
    yield from client.parse(typ, data)
    for name, more in client.pop_untagged_responses():
        yield from client.parse(name, more)


def goes_on(client: imapkit.IMAP4, session: Session) -> None:
    """The command is answered, or fails by itself; the connection is as good as ever, and nothing is lost beside it."""
    kept: list[object] = []
    noted = len(client.defects)
    if session.expect == "no":
        with contextlib.suppress(imapkit.errors.NoResponse, imapkit.errors.BadResponse):
            typ, data = run(client, session)
            assert typ == "NO"
            kept += read_all(client, typ, data)
    else:
        typ, data = run(client, session)
        assert typ == "OK"
        assert client.noop()[0] == "OK"
        kept += read_all(client, typ, data)
    assert client.noop()[0] == "OK"
    kept += read_all(client, "OK", [])
    if session.during != "select":
        assert 3 in kept
    assert 4 in kept, "good responses around it are read"
    if session.expect == "warn" and session.id not in UNREAD:
        assert len(client.defects) > noted


def ends(client: imapkit.IMAP4, session: Session) -> None:
    kind = {"bye": ConnectionClosed, "fatal": RemoteProtocolError}[session.expect]
    with within(MARGIN):
        with pytest.raises(kind):
            run(client, session)
        with pytest.raises(imapkit.IMAP4.abort):
            client.noop()
    client.logout()


def greets(way: Way, session: Session) -> None:
    with serving_session(way, session.wire) as (_, connect):
        if session.expect == "bye":
            with pytest.raises(imapkit.errors.ServerBye, match="too many connections"):
                connect()
            return
        with connect() as client:
            assert client.welcome == session.wire.rstrip()
            assert client.noop()[0] == "OK"


def meets(way: Way, sessions: list[Session]) -> None:
    """One client meets them all; another one takes its place where the connection has to end."""
    for session in sessions:
        if session.during == "greeting" and way.layer != "COMPRESS":
            greets(way, session)
    left = [session for session in sessions if session.during not in ("greeting", "auth")]
    with serving_session(way) as (script, connect):
        meet_all(script, connect, [session for session in left if session.expect not in ("bye", "fatal")])
        for session in left:
            if session.expect in ("bye", "fatal"):
                script.session = session
                ends(connect(), session)
    with serving_session(way, PREAUTH.replace(b"PREAUTH", b"OK")) as (script, connect), contextlib.ExitStack() as stack:
        for session in sessions:
            if session.during == "auth":
                client = stack.enter_context(connect())
                script.session = session
                goes_on(client, session)


def meet_all(script: Script, connect: Callable[[], imapkit.IMAP4], sessions: list[Session]) -> None:
    with connect() as client:
        for session in sessions:
            if client.state != "SELECTED":
                client.select()
            script.session = session
            try:
                goes_on(client, session)
            except (Exception, pytest.fail.Exception) as exc:
                raise AssertionError(f"{session}: {session.wire[:200]!r}") from exc


@pytest.mark.parametrize("session", SESSIONS, ids=str)
def test_a_session(session: Session) -> None:
    meets(WAYS[0], [session])


@pytest.mark.parametrize("way", WAYS[1:], ids=str)
def test_all_of_them_over_every_layer(way: Way) -> None:
    meets(way, SESSIONS)


@pytest.mark.parametrize("session", SESSIONS, ids=str)
def test_a_session_cut_anywhere_is_the_same(session: Session) -> None:
    stream = BEFORE + session.wire + AFTER
    whole = frame([stream])
    # A line of 20,000 parentheses is the same wherever it is cut.
    for cut in range(1, len(stream), max(1, len(stream) // 500)):
        assert frame((stream[:cut], stream[cut:])) == whole
    assert frame(stream[at : at + 1] for at in range(len(stream))) == whole


def test_all_that_are_known_are_there() -> None:
    assert len(SESSIONS) == 106
    assert len({session.id for session in SESSIONS}) == 106
    assert {session.expect for session in SESSIONS} == {"ok", "warn", "msg", "no", "bye", "fatal"}
    assert {session.id for session in SESSIONS if session.id in UNREAD} == UNREAD.keys()


# every wire vector, end to end


def survives(vector: Vector) -> bool:
    """Whether the connection goes on after it."""
    expected = vector.expected
    return expected.get("error") in (None, "ParseError") and "BYE" not in (expected.get("name"), expected.get("typ"))


@cache
def surviving() -> list[Vector]:
    return [vector for vector in load_vectors(Path(__file__).parent / "vectors") if survives(vector)]


def answered(way: Way, vector: Vector, client: imapkit.IMAP4, script: Script) -> None:
    """A command is answered by the vector, between good responses: what comes of it is what comes of it without any socket."""
    kind = vector.expected.get("kind", "untagged")
    tag = bytes(vector.expected.get("tag", b""))
    wire = vector.wire if kind != "tagged" else b"%TAG%" + vector.wire.removeprefix(tag)
    script.session = Session(vector.id, "any", vector.server, wire, "ok")
    if kind == "tagged" and vector.expected["typ"] == "BAD":
        with pytest.raises(imapkit.errors.BadResponse) as caught:
            client.noop()
        assert caught.value.text == vector.expected.get("text", caught.value.text)
    else:
        typ, data = client.noop()
        assert typ == vector.expected.get("typ", "OK")
        assert kind != "tagged" or data == [vector.expected.get("text", data[0])]
    client.noop()
    kept = list(client.pop_untagged_responses())
    assert [pair for pair in kept if pair[0] == "EXISTS"], "good responses around it"
    [parts] = frame([vector.wire])
    assert not isinstance(parts, str)
    response = classify(parts)
    if not isinstance(response, Untagged) or response.name == "EXISTS":
        return
    assert (response.name, response.data()) in kept
    # imaplib's shape does not show where a response ends if its literal is shorter than announced.
    told = all(text[:1] in (b" ", b")", b"]", b"") for text in response.parts[2::2])
    if told and "value" in vector.expected and "code" not in vector.expected:
        assert [plain(value) for value in client.parse(response.name, response.data())] == [vector.expected["value"]]


@pytest.mark.parametrize("way", [way for way in WAYS if not way.single], ids=str)
def test_every_vector_over_every_layer(way: Way) -> None:
    with serving_session(way, PREAUTH, select=False) as (script, connect), connect() as client:
        for vector in surviving():
            try:
                answered(way, vector, client, script)
            except (Exception, pytest.fail.Exception) as exc:
                raise AssertionError(f"{vector}: {vector.wire[:200]!r}") from exc
    assert len(surviving()) > 600


@pytest.mark.heavy
@pytest.mark.parametrize("way", [way for way in WAYS if way.single], ids=str)
def test_every_vector_byte_by_byte_over_every_layer(way: Way) -> None:
    test_every_vector_over_every_layer(way)
