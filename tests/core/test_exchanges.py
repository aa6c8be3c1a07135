"""What a server may answer, and exchanges within a command: literals, SASL."""

from __future__ import annotations

import pickle
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

import imapkit
from imapkit.core.contract.command import Command, Done
from imapkit.core.contract.extension import Response
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.errors import ArgumentError, BadResponse, NestedCommandError, NoResponse, RemoteProtocolError
from imapkit.plugin import Session, Untagged
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer
from tests.core.rig import connect, selected, serving, within


def test_no_and_bad() -> None:
    handlers = {"CREATE": lambda c, command: c.no(command, b"exists"), "DELETE": lambda c, command: c.bad(command, b"what?")}
    with selected(handlers) as (client, _):
        assert client.create("a") == ("NO", [b"exists"])
        with pytest.raises(BadResponse, match=r"what\?") as caught:
            client.delete("a")
        assert (caught.value.typ, caught.value.text) == ("BAD", b"what?")
        assert not isinstance(caught.value, imapkit.IMAP4.abort)
        assert client.noop()[0] == "OK"


def test_a_login_that_is_refused() -> None:
    with serving({"LOGIN": lambda c, command: c.no(command, b"[AUTHENTICATIONFAILED] no")}) as server, connect(server) as client:
        with pytest.raises(NoResponse, match="AUTHENTICATIONFAILED"):
            client.login("me", "wrong")
        assert client.state == "NONAUTH"
        assert client.response("AUTHENTICATIONFAILED")[1] == [b""]


def test_untagged_lines_before_the_plus_are_nothing_special() -> None:
    def append(conversation: Conversation) -> None:
        command = conversation.read_command(auto_continue=False)
        assert command.awaiting == 5
        conversation.send(b"* 5 EXISTS\r\n* OK still here\r\n* BAD not you\r\n+ go\r\n")
        assert conversation.read_literal(5) == b"hello"
        assert conversation.read_line() == b""
        conversation.ok(command)
        conversation.serve()

    with ScriptedServer(append, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server, connect(server) as client:
        assert client.append("box", None, None, b"hello") == ("OK", [b"done"])
        assert client.response("EXISTS")[1] == [b"5"]


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_a_literal_that_is_refused_is_not_sent(typ: str) -> None:
    def append(conversation: Conversation) -> None:
        command = conversation.read_command(auto_continue=False)
        conversation.send(b"* 1 EXISTS\r\n%b %b too large\r\n" % (command.tag, typ.encode()))
        conversation.serve()

    with ScriptedServer(append, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server, connect(server) as client:
        if typ == "NO":
            assert client.append("box", None, None, b"hello") == ("NO", [b"too large"])
        else:
            with pytest.raises(BadResponse, match="too large"):
                client.append("box", None, None, b"hello")
        assert client.noop()[0] == "OK"
        assert server.names == ["APPEND", "NOOP"]


# SASL


def sasl(*exchange: tuple[bytes, bytes], last: bytes = b"%b OK in\r\n") -> Callable[[Conversation], None]:
    """A script for AUTHENTICATE: send, then expect a line, and so on."""

    def script(conversation: Conversation) -> None:
        command = conversation.read_command()
        assert command.name == "AUTHENTICATE"
        for challenge, answer in exchange:
            conversation.send(challenge)
            assert conversation.read_line() == answer
        conversation.send(last % command.tag)
        conversation.serve()

    return script


GREETING = b"* OK [CAPABILITY IMAP4rev1] hi\r\n"


def test_authenticate_answers_each_challenge() -> None:
    script = sasl((b"* OK wait\r\n+ \r\n", b"bWU="), (b"+ aGk=\r\n", b"aGkh"), (b"+\r\n", b""))
    seen: list[bytes] = []

    def answer(challenge: bytes) -> bytes:
        seen.append(challenge)
        return [b"me", b"hi!", b""][len(seen) - 1]

    with ScriptedServer(script, greeting=GREETING) as server, connect(server) as client:
        assert client.authenticate("x-test", answer)[0] == "OK"
        assert client.state == "AUTH"
    assert seen == [b"", b"hi", b""]
    assert server.commands[0].args == b"X-TEST"


def test_cram_md5_as_rfc_2195_section_2_shows_it() -> None:
    challenge = b"+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n"
    script = sasl((challenge, b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"))
    with ScriptedServer(script, greeting=GREETING) as server, connect(server) as client:
        assert client.login_cram_md5("tim", "tanstaaftanstaaf")[0] == "OK"
    assert server.commands[0].args == b"CRAM-MD5"


def test_an_error_of_the_answerer_cancels_and_reaches_the_caller() -> None:
    def answer(challenge: bytes) -> bytes:
        raise LookupError("no such key")

    script = sasl((b"+ \r\n", b"*"), last=b"%b BAD cancelled\r\n")
    with ScriptedServer(script, greeting=GREETING) as server, connect(server) as client:
        with pytest.raises(LookupError, match="no such key"):
            client.authenticate("X", answer)
        assert client.state == "NONAUTH"
        assert client.noop()[0] == "OK"


@pytest.mark.parametrize("challenge", [b"+ not base64!\r\n", b"+ abc\r\n"])
def test_a_challenge_that_is_not_base64_cancels(challenge: bytes) -> None:
    script = sasl((challenge, b"*"), last=b"%b BAD cancelled\r\n")
    with ScriptedServer(script, greeting=GREETING) as server, connect(server) as client:
        with pytest.raises(imapkit.IMAP4.error, match="the server's challenge is not base64"):
            client.authenticate("X", lambda challenge: b"never asked")
        assert client.noop()[0] == "OK"


@pytest.mark.parametrize("answer", [1.5, "\udc80", ["me"]])
def test_an_answer_that_cannot_be_sent_cancels_and_is_not_shown(answer: Any) -> None:
    script = sasl((b"+ \r\n", b"*"), last=b"%b BAD cancelled\r\n")
    with ScriptedServer(script, greeting=GREETING) as server, connect(server) as client:
        with pytest.raises(ArgumentError, match="AUTHENTICATE: cannot send what authobject returned") as caught:
            client.authenticate("X", lambda challenge: answer)
        assert repr(answer) not in str(caught.value)
        assert client.noop()[0] == "OK"


@pytest.mark.parametrize(("user", "password"), [(None, "secret"), ("me", ["secret"]), ("me", "secret\udc80")])
def test_cram_md5_with_what_is_no_text_sends_nothing(user: Any, password: Any) -> None:
    with ScriptedServer() as server, connect(server) as client:
        with pytest.raises(ArgumentError, match=r"AUTHENTICATE CRAM-MD5: the (name|password) cannot be encoded") as caught:
            client.login_cram_md5(user, password)
        assert "secret" not in str(caught.value)
        assert "AUTHENTICATE" not in server.names


def test_none_cancels() -> None:
    script = sasl((b"+ \r\n", b"*"), last=b"%b BAD cancelled\r\n")
    with ScriptedServer(script, greeting=GREETING) as server, connect(server) as client:
        with pytest.raises(imapkit.IMAP4.error, match="cancelled"):
            client.authenticate("X", lambda challenge: None)
        assert client.noop()[0] == "OK"


def test_no_command_from_inside_of_an_exchange() -> None:
    script = sasl((b"+ \r\n", b"*"), last=b"%b BAD cancelled\r\n")
    with ScriptedServer(script, greeting=GREETING) as server, connect(server) as client:

        def answer(challenge: bytes) -> bytes:
            client.noop()
            return b"never"

        with within(5), pytest.raises(NestedCommandError, match="NOOP was issued from inside the exchange of AUTHENTICATE"):
            client.authenticate("X", answer)


@pytest.mark.parametrize(
    ("method", "why"), [("noop", "NOOP was issued on the thread that reads"), ("logout", "cannot wait for its own end")]
)
def test_no_command_on_the_reader_thread(method: str, why: str) -> None:
    """No thread would read its answer; a plugin's function would wait for a lock that its own thread holds."""
    clients: list[imapkit.IMAP4] = []

    def apply(session: Session, response: Untagged) -> None:
        getattr(clients[0], method)()

    def ask(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* X-NEWS 1\r\n")

    command = Command("X-ASK", State.ANY, result=("X-NEWS",))
    family = Family("nested", commands=(command,), responses={"X-NEWS": Response(apply=apply)})
    greeting = b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"
    with (
        ScriptedServer(handlers={"X-ASK": ask}, greeting=greeting) as server,
        connect(server, families=["rev1", family]) as client,
    ):
        clients.append(client)
        with within(5), pytest.raises(NestedCommandError, match=why):
            client.xatom("X-ASK")
        assert client.noop()[0] == "OK"


def test_no_caller_goes_on_before_done_has_run() -> None:
    """A caller that looks for its answer before it has been woken must not find a state that is out of date."""
    begun, may, go, over = threading.Event(), threading.Event(), threading.Event(), threading.Event()

    def ask(conversation: Conversation, command: ReceivedCommand) -> None:
        # The sending thread needs the state once more after it has sent.
        assert go.wait(10)
        conversation.ok(command)

    def done(session: Session, request: Done) -> None:
        begun.set()
        assert may.wait(10)

    family = Family("slow", commands=(Command("X-ASK", State.ANY, done=done),))
    with (
        ScriptedServer(handlers={"X-ASK": ask}, greeting=GREETING) as server,
        connect(server, families=["rev1", family]) as client,
        within(10),
    ):
        live = client._live
        request = live.callers.submit(client._encode("X-ASK", ()), lambda _: over.set())
        go.set()
        assert begun.wait(10)
        complete = request.complete
        may.set()
        assert not complete
        assert over.wait(10)
        assert request.complete


def test_a_plugin_that_wants_to_exit_is_named_as_the_reason() -> None:
    def apply(session: Session, response: Untagged) -> None:
        raise SystemExit("enough")

    def ask(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* X-NEWS 1\r\n")
        conversation.wait_closed()

    command = Command("X-ASK", State.ANY, result=("X-NEWS",))
    family = Family("exits", commands=(command,), responses={"X-NEWS": Response(apply=apply)})
    with (
        ScriptedServer(handlers={"X-ASK": ask}, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server,
        connect(server, families=["rev1", family]) as client,
        within(5),
        pytest.raises(RemoteProtocolError, match="SystemExit"),
    ):
        client.xatom("X-ASK")


def test_a_plugin_may_shut_the_connection_down() -> None:
    """``shutdown`` waits for no thread; the reader must not wait for the lock that it holds itself."""
    clients: list[imapkit.IMAP4] = []

    def apply(session: Session, response: Untagged) -> None:
        clients[0].shutdown()

    def ask(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* X-NEWS 1\r\n")
        conversation.wait_closed()

    command = Command("X-ASK", State.ANY, result=("X-NEWS",))
    family = Family("nested", commands=(command,), responses={"X-NEWS": Response(apply=apply)})
    with ScriptedServer(handlers={"X-ASK": ask}, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server:
        clients.append(client := connect(server, families=["rev1", family]))
        with within(5):
            with pytest.raises(imapkit.ConnectionClosed, match="shut down"):
                client.xatom("X-ASK")
            client.logout()


def test_a_thread_that_comes_after_the_reader_is_not_taken_for_it() -> None:
    """The system gives the idents of threads that have ended to new ones."""

    def script(conversation: Conversation) -> None:
        conversation.read_command()
        conversation.close()

    with ScriptedServer(script, greeting=GREETING) as server:
        client = connect(server, families=["rev1"])
        client.noop(callback=lambda answer: None)
        client._live._reader.thread.join(5)
        raised: list[BaseException] = []

        def ask() -> None:
            with pytest.raises(imapkit.IMAP4.error) as caught:
                client.noop()
            raised.append(caught.value)

        for _ in range(20):
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
        assert {type(exc) for exc in raised} == {imapkit.ConnectionClosed}
        client.logout()


def test_ok_before_the_secret_was_asked_for_is_fatal() -> None:
    """An attacker on the way must not skip the exchange (net-imap PR 664, 688)."""

    def script(conversation: Conversation) -> None:
        command = conversation.read_command(auto_continue=False)
        assert command.awaiting
        conversation.ok(command)
        conversation.wait_closed()

    with ScriptedServer(script, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server:
        client = connect(server)
        with pytest.raises(RemoteProtocolError, match="before all of it was sent"):
            client.append("box", None, None, b"message")
        client.logout()
    assert b"message" not in b"".join(item if isinstance(item, bytes) else item.raw for item in server.received)


def test_select_returns_the_count_of_the_mailbox_it_selects() -> None:
    """News of the mailbox before may be on its way as SELECT is sent; ``data[0]`` is what programs take."""

    def select(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* 5 EXISTS\r\n* 5 RECENT\r\n* FLAGS ()\r\n* 172 EXISTS\r\n%b OK done\r\n" % command.tag)

    with selected({"EXAMINE": select}) as (client, _):
        assert client.select("other", readonly=True) == ("OK", [b"172"])


# Many responses at once


def _rows(rng: random.Random) -> list[bytes]:
    """What may come while 1:100 is fetched: runs of rows, and responses of other commands between them."""
    others = [
        b"* 3 FETCH (X {4}\r\na\r\n\r UID 3)",
        b"* 200 EXISTS",
        b"* 150 FETCH (UID 150)",
        b"* OK [ALERT] (a {5}",
        b"* 2 FETCH",
    ]
    kinds = [b"* %d FETCH (FLAGS (\\Seen) UID %d)", b"* %d FETCH (UID %d X {4}\r\na\r\n\r)"]
    kind = rng.choice(kinds)
    rows = []
    for number in rng.choices(range(1, 101), k=400):
        kind = rng.choice(kinds) if not rng.randrange(10) else kind
        rows.append(kind % (number, number))
    for _ in range(rng.choice((0, 1, 5, 50))):
        rows.insert(rng.randrange(len(rows)), rng.choice(others))
    return rows


@pytest.mark.parametrize("uid", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_same_however_many_come_at_once(seed: int, uid: bool) -> None:
    rows = _rows(random.Random(seed))

    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        rng, data = random.Random(seed), b"".join(row + b"\r\n" for row in rows)
        while data:
            size = rng.choice((1, 10, 1000, 100_000))
            conversation.send(data[:size])
            data = data[size:]
        conversation.ok(command)

    single: list[bytes | tuple[bytes, bytes]] = []
    for row in rows:
        number, _, text = row[2:].partition(b" FETCH")
        if b"{4}\r\n" in row:
            head, _, rest = text.partition(b"\r\n")
            single += [(number + head, rest[:4]), rest[4:]]
        elif number.isdigit() and int(number) <= 100 and (text or not uid):
            single.append(number + text)
    with selected({"FETCH": fetch, "UID FETCH": fetch}) as (client, _):
        data = client.uid("FETCH", "1:100", "(FLAGS)")[1] if uid else client.fetch("1:100", "(FLAGS)")[1]
        assert list(data) == single
        assert len(client.response("EXISTS")[1]) == max(1, rows.count(b"* 200 EXISTS"))
        foreign = {b"* 150 FETCH (UID 150)": b"150 (UID 150)"} | ({b"* 2 FETCH": b"2"} if uid else {})
        elsewhere: list[bytes | None] = [foreign[row] for row in rows if row in foreign]
        assert client.response("FETCH")[1] == (elsewhere or [None])
        assert [item for response in data.responses for item in response.data()] == single
        assert pickle.loads(pickle.dumps(data)) == data
