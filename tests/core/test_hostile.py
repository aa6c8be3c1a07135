"""Bad input from the program, and bad servers: nothing is injected, nothing hangs, nothing secret is shown."""

from __future__ import annotations

import base64
import contextlib
import inspect
import io
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

import imapkit
from imapkit import ext
from imapkit.core import wire
from imapkit.core.plugins import builtin, registry
from imapkit.core.wire import Late, Literal
from imapkit.errors import ArgumentError, LimitExceeded, RemoteProtocolError, ServerBye, StateError
from imapkit.family import Command, State
from imapkit.testing.scripted import Conversation, ReceivedCommand, ScriptedServer
from tests.core.rig import LIMIT, MARGIN, Answers, connect, selected, serving, within

COMMANDS = sorted(
    {command.name: command for name in ext.INDEX for command in builtin(name).family.commands}.values(), key=lambda c: c.name
)
SAMPLES: list[Any] = ["1", "INBOX", "FLAGS", "(STORAGE 512)", "(UIDVALIDITY)", "x", "1:2", '"17-Jul-1996 02:44:25 -0700"']
RESTS: list[tuple[Any, ...]] = [(), ("x",), ("", "ALL"), ("1", "FLAGS", "x"), ("x", "x"), ("INBOX", "(x)"), ("x", "UTF-8", "ALL")]
EVIL = ["a\r\nX1 DELETE inbox", "a\rb", "a\nb", "a\0b", "\r\n", b"a\r\nb", b"\0", bytearray(b"a\nb"), memoryview(b"a\rb")]
ODD = [
    "a{5}",
    "a{5+}",
    b"a{5}",
    b"{0}",
    "~{5}",
    '"',
    "\\",
    '"a',
    ")",
    "(",
    "(a",
    "a\udc80",
    "\u20ac",
    "a\tb",
    b"\xff",
    "'",
    "",
    "*",
    "%",
]
WRONG = [object(), print, 1j]
EVERY = sorted(ext.INDEX)


def sample(kind: Callable[[Any], Any]) -> Any:
    """Something that this kind of argument takes."""
    for value in SAMPLES:
        try:
            kind(value)
        except ArgumentError:
            continue
        return value
    raise AssertionError(f"no sample for {kind}")


def valid(command: Command) -> tuple[Any, ...]:
    """Arguments that the command takes."""
    args = tuple(sample(kind) for kind in command.args)
    for rest in RESTS:
        with contextlib.suppress(ArgumentError):
            encoded(command, args + rest)
            return args + rest
    raise AssertionError(f"no arguments for {command.name}")


def arguments(command: Command, at: int, value: Any) -> tuple[Any, ...]:
    """Arguments of which only the one at ``at`` is ``value``; or one more than is usual."""
    args = valid(command)
    return (*args[:at], value, *args[at + 1 :])


def encoded(command: Command, args: tuple[Any, ...]) -> list[wire.Piece]:
    return wire.encode(command.args, command.rest, args, command.name)


positions = [(command, at) for command in COMMANDS for at in range(len(valid(command)) + 1)]
each_position = pytest.mark.parametrize(("command", "at"), positions, ids=[f"{command.name}-{at}" for command, at in positions])
each_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


def octets(pieces: list[wire.Piece]) -> Iterator[bytes]:
    """Each form of what goes over the wire outside of literals."""
    for piece in pieces:
        if isinstance(piece, Late):
            yield from octets([*piece.off, *piece.on])
        elif not isinstance(piece, Literal):
            yield piece


@pytest.fixture(scope="module")
def idle_client() -> Iterator[tuple[imapkit.IMAP4, ScriptedServer]]:
    """A client in the selected state, at which evil is thrown; whatever reaches the server can be seen."""
    with ScriptedServer(patience=60) as server, connect(server, families=EVERY) as client:
        client.login("me", "secret")
        client.select()
        yield client, server


@each_position
def test_no_line_end_and_no_nul_reaches_the_wire(
    command: Command, at: int, idle_client: tuple[imapkit.IMAP4, ScriptedServer]
) -> None:
    client, server = idle_client
    before = server.names
    for value in EVIL:
        args = arguments(command, at, value)
        try:
            pieces = encoded(command, args)
        except ArgumentError:
            with pytest.raises(ArgumentError, match=command.name):
                client._call(command.name, *args)
            continue
        # Only a literal may hold it, and a literal is counted.
        assert any(isinstance(piece, Literal) for piece in pieces)
        assert not any(set(text) & {0, 10, 13} for text in octets(pieces))
    assert client.noop()[0] == "OK"
    assert server.names == [*before, "NOOP"], "nothing was sent"


@each_position
def test_odd_arguments_stay_one_command(command: Command, at: int) -> None:
    for value in ODD:
        try:
            pieces = encoded(command, arguments(command, at, value))
        except ArgumentError:
            continue
        assert not any(set(text) & {0, 10, 13} for text in octets(pieces))
        if not isinstance(pieces[-1], Literal):
            assert not any(text.rstrip().endswith(b"}") for text in octets(pieces[-1:]))


@each_position
def test_the_wrong_type_is_an_argument_error(command: Command, at: int) -> None:
    for value in WRONG:
        with pytest.raises(ArgumentError):
            encoded(command, arguments(command, at, value))


@each_command
def test_too_many_arguments(command: Command, idle_client: tuple[imapkit.IMAP4, ScriptedServer]) -> None:
    client, server = idle_client
    before, args = server.names, (*valid(command), *["x"] * 9)
    if command.rest is not None and takes_any_number(command):
        assert sum(piece.count(b" x") for piece in encoded(command, args) if isinstance(piece, bytes)) >= 8
        return
    with pytest.raises(ArgumentError, match=command.name):
        client._call(command.name, *args)
    assert client.noop()[0] == "OK"
    assert server.names == [*before, "NOOP"]


def takes_any_number(command: Command) -> bool:
    """Whether it goes on for ever, as a search program does."""
    try:
        return bool(encoded(command, (*valid(command), *["SEEN"] * 99)))
    except ArgumentError:
        return False


def test_not_every_command_goes_on_for_ever() -> None:
    endless = {command.name for command in COMMANDS if takes_any_number(command)}
    assert endless <= {"ENABLE", "SEARCH", "SETANNOTATION", "SORT", "THREAD"}
    assert "SEARCH" in endless


@each_command
def test_the_wrong_state_sends_nothing(command: Command) -> None:
    greetings = {State.NONAUTH: b"* OK [CAPABILITY IMAP4rev1] hi\r\n", State.AUTH: b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"}
    for state, greeting in greetings.items():
        if state & command.states:
            continue
        with serving(greeting=greeting) as server:
            with (
                connect(server, families=EVERY) as client,
                pytest.raises(StateError, match=f"{command.name} illegal in state {state.name}"),
            ):
                client._call(command.name, *valid(command))
            assert server.names == ["LOGOUT"]


METHODS = sorted({name for names in ext.INDEX.values() for name in names if callable(getattr(imapkit.IMAP4, name))})
NO_COMMAND = {"response", "pop_untagged_responses"}
METHOD_SAMPLES: dict[str, Any] = {
    "message_set": "1",
    "message_num": "1",
    "start": "1",
    "length": "2",
    "command": "FLAGS",
    "authobject": lambda challenge: None,
    "readonly": False,
    "names": "(MESSAGES)",
    "date_time": None,
    "message": b"x",
    "charset": None,
}


def parameters(method: str) -> list[str]:
    names = []
    for name, parameter in inspect.signature(getattr(imapkit.IMAP4, method)).parameters.items():
        if name != "self" and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL):
            names.append(name)
    return names


def usual(name: str, method: str) -> Any:
    return "NOOP" if (method, name) == ("xatom", "name") else "COPY" if method == "uid" else METHOD_SAMPLES.get(name, "x")


@pytest.mark.parametrize(
    ("method", "at"), [(method, at) for method in METHODS if method not in NO_COMMAND for at in range(len(parameters(method)))]
)
def test_no_public_method_can_be_made_to_inject(method: str, at: int) -> None:
    """Whatever is thrown at any parameter: an error and nothing sent, or exactly the one command."""
    names = parameters(method)
    if names[at] in ("authobject", "readonly"):
        return
    nonauth = method in ("login", "authenticate", "login_cram_md5")
    greeting = b"* OK [CAPABILITY IMAP4rev1] hi\r\n" if nonauth else b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"
    with ScriptedServer(lambda conversation: everything_is_refused(conversation, nonauth), greeting=greeting) as server:
        client = connect(server, families=EVERY)
        if not nonauth:
            client.select()
        for value in [*EVIL, *ODD]:
            before = len(server.names)
            args = [usual(name, method) for name in names]
            args[at] = value
            try:
                getattr(client, method)(*args)
            except imapkit.IMAP4.abort:
                pytest.fail(f"{value!r} ended the connection")
            except imapkit.IMAP4.error:
                pass
            except (TypeError, AttributeError):
                assert isinstance(value, (bytearray, memoryview)), value
                assert method in ("xatom", "uid"), "the name of a command is text"
            client.noop()
            new = server.names[before:]
            assert new[-1:] == ["NOOP"], new
            assert len(new) <= 2, (value, new)
            assert not any("X1" in name for name in new)
        client.logout()


def everything_is_refused(conversation: Conversation, nonauth: bool) -> None:
    while True:
        command = conversation.read_command()
        if command.name == "AUTHENTICATE":
            conversation.no(command)
        elif command.name == "LOGOUT":
            conversation.ok(command, untagged=b"* BYE bye\r\n")
        elif command.name in ("NOOP", "SELECT") and not (command.name == "SELECT" and b"INBOX" not in command.args):
            conversation.ok(command)
        else:
            conversation.send(b"%b BAD no\r\n" % command.tag)


@pytest.mark.parametrize("name", ["NOOP\r\nX1 DELETE inbox", "a b", "", "a{5}", "a\0", "(", "\u00fc"])
def test_a_command_name_is_an_atom(name: str, idle_client: tuple[imapkit.IMAP4, ScriptedServer]) -> None:
    client, server = idle_client
    before = server.names
    for send in (client.xatom, client.uid):
        with pytest.raises(ArgumentError):
            send(name, "x")
    assert server.names == before


# greetings


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (b"+OK POP3 ready\r\n", "POP3"),
        (b"220 mail.example ESMTP\r\n", "SMTP"),
        (b"220 mail.example", "SMTP"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "TLS"),
        (b"\x16\x03\x03\x00\x7a", "TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "SSH-2.0-OpenSSH"),
        (b"\r\n", ""),
        (b"A1 OK hi\r\n", "A1 OK hi"),
        (b"* NO hi\r\n", "hi"),
        (b"* 5 EXISTS\r\n", "EXISTS"),
        (b"*\r\n", ""),
    ],
)
def test_what_is_no_imap_server_is_told_at_once(greeting: bytes, kind: str) -> None:
    with ScriptedServer(lambda c: c.wait_closed(), greeting=greeting) as server, within(MARGIN):
        with pytest.raises(RemoteProtocolError, match="unrecognised server welcome") as caught:
            connect(server)
        assert kind in str(caught.value)
    assert server.received == [], "and nothing was sent to it"


def test_bye_as_a_greeting_tells_why() -> None:
    server = ScriptedServer(lambda c: c.wait_closed(), greeting=b"* BYE [ALERT] too many connections\r\n")
    with server, pytest.raises(ServerBye, match="too many connections"):
        connect(server)
    assert server.received == []


def test_not_an_imap4_server() -> None:
    with serving(capabilities=b"IMAP3") as server, pytest.raises(imapkit.IMAP4.error, match="not IMAP4 compliant"):
        connect(server)


@pytest.mark.parametrize("version", ["IMAP4REV1", "IMAP4REV2", "IMAP4"])
def test_any_imap4_will_do(version: str) -> None:
    with serving(capabilities=version.lower().encode()) as server, connect(server) as client:
        assert version == client.PROTOCOL_VERSION


def test_preauth() -> None:
    with serving(greeting=b"* PREAUTH welcome back\r\n") as server, connect(server) as client:
        assert client.state == "AUTH"
        assert client.welcome == b"* PREAUTH welcome back"
        with pytest.raises(StateError):
            client.login("me", "secret")
    assert "LOGIN" not in server.names


def test_logindisabled_sends_nothing() -> None:
    with serving(capabilities=b"IMAP4rev1 LOGINDISABLED") as server, connect(server) as client:
        with pytest.raises(imapkit.IMAP4.error, match="LOGINDISABLED"):
            client.login("me", "secret")
        assert client.noop()[0] == "OK"
    assert server.names == ["NOOP", "LOGOUT"]


def test_capabilities_change_with_the_state() -> None:
    def login(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.server.capabilities = b"IMAP4rev1 XAFTER"
        conversation.ok(command)

    with serving({"LOGIN": login}, capabilities=b"IMAP4rev1 XBEFORE") as server, connect(server) as client:
        assert client.capabilities == ("IMAP4REV1", "XBEFORE")
        client.login("me", "secret")
        assert client.capabilities == ("IMAP4REV1", "XAFTER")
        assert server.names == ["LOGIN", "CAPABILITY"]


# READ-ONLY


def test_a_mailbox_that_is_read_only() -> None:
    select = {"SELECT": lambda c, command: c.ok(command, b"[READ-ONLY] hm", b"* 3 EXISTS\r\n")}
    with serving(select) as server, connect(server) as client:
        client.login("me", "secret")
        with pytest.raises(imapkit.IMAP4.readonly):
            client.select()
        assert (client.state, client.is_readonly) == ("SELECTED", True)
        assert client.select(readonly=True)[0] == "OK"
        assert client.noop()[0] == "OK"


def test_a_mailbox_that_becomes_read_only_is_news_once() -> None:
    with selected({"NOOP": lambda c, command: c.ok(command, untagged=b"* OK [READ-ONLY] changed\r\n")}) as (client, _):
        assert client.noop()[0] == "OK"
        assert client.is_readonly
        with pytest.raises(imapkit.IMAP4.readonly):
            client.check()
        assert client.noop()[0] == "OK"
        assert client.examine()[0] == "OK"
        assert client.noop()[0] == "OK", "it is what was asked for"


# streams that are against the protocol

FATAL = [
    (b"* 1 FETCH (BODY[] {99999999999}\r\n", LimitExceeded),
    (b"* 1 FETCH (BODY[] {1099511627776}\r\n", LimitExceeded),
    (b"* 1 FETCH (BODY[] {-1}\r\n", RemoteProtocolError),
    (b"* 1 FETCH (BODY[] {}\r\n", RemoteProtocolError),
    (b"* 1 FETCH " + b"(" * 5000 + b"\r\n", LimitExceeded),
    (b"XYZ99 OK done\r\n", RemoteProtocolError),
    (b"what is this\r\n", ServerBye),
]


@pytest.mark.parametrize(("stream", "kind"), FATAL, ids=[stream[:30].decode() for stream, _ in FATAL])
def test_what_cannot_be_trusted_is_the_end(stream: bytes, kind: type[Exception]) -> None:
    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(stream)
        conversation.wait_closed()

    with selected({"FETCH": fetch}) as (client, _), within(MARGIN):
        with pytest.raises(kind):
            client.fetch("1", "BODY[]")
        with pytest.raises(imapkit.IMAP4.abort):
            client.noop()


@pytest.mark.parametrize(
    ("limits", "stream", "what"),
    [
        (imapkit.Limits(line=1000), b"* OK " + b"x" * 2000, "line"),
        (imapkit.Limits(literal=100), b"* 1 FETCH (BODY[] {101}\r\n", "literal"),
        (imapkit.Limits(response=100), b"* 1 FETCH (BODY[] {60}\r\n" + b"x" * 60 + b" BODY[1] {60}\r\n", "response"),
        (imapkit.Limits(literals=10), b"* X " + b"{0}\r\n " * 20, "literals"),
        (imapkit.Limits(nesting=10), b"* X " + b"(" * 20 + b"\r\n", "nesting"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_limit_is_kept(limits: imapkit.Limits, stream: bytes, what: str) -> None:
    def noop(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(stream)
        conversation.wait_closed()

    with serving({"NOOP": noop}) as server, connect(server, limits=limits) as client:
        with pytest.raises(LimitExceeded, match=rf"Limits\.{what}\)"):
            client.noop()
        assert not client._live.open


@pytest.mark.heavy
def test_a_flood_of_untagged_lines_is_bounded() -> None:
    with selected({"NOOP": lambda c, command: c.ok(command, untagged=b"* 1 EXPUNGE\r\n" * 300_000)}) as (client, _):
        assert client.noop()[0] == "OK"
        assert len(client.response("EXPUNGE")[1]) == imapkit.Limits().stored


@pytest.mark.parametrize(
    "text",
    [b"see {5}", b"{5}", b"[ALERT] {3}", b'"{5}', b'"unclosed', b"[", b"[X", b"((((", b"\xff\xfe", b"\0"],
)
def test_text_is_only_text(text: bytes) -> None:
    """``{5}`` at the end of a text is no literal (curl 20320), whatever imaplib and imaplib2 make of it."""
    with selected({"NOOP": lambda c, command: c.ok(command, text, b"* OK %b\r\n* NO %b\r\n" % (text, text))}) as (client, _):
        assert client.noop() == ("OK", [text])
        assert client.noop() == ("OK", [text])


def test_a_forged_line_inside_of_a_literal_is_data() -> None:
    forged = b"* 9 EXPUNGE\r\nXXXXXX1 OK\r\n"
    lines = b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\n" % (len(forged), forged)
    with selected({"FETCH": lambda c, command: c.ok(command, untagged=lines)}) as (client, _):
        assert client.fetch("1", "BODY[]")[1][0][1] == forged
        assert client.response("EXPUNGE")[1] == [None]


def test_a_bye_that_is_repeated_for_ever() -> None:
    """Yandex does that instead of closing."""

    def noop(conversation: Conversation, command: ReceivedCommand) -> None:
        while True:
            conversation.send(b"* BYE Autologout; idle for too long\r\n")

    with selected({"NOOP": noop}) as (client, _), within(MARGIN), pytest.raises(ServerBye, match="Autologout"):
        client.noop()


# secrets

CANARY = "hunter2-Canary"
FORMS = (CANARY, base64.b64encode(CANARY.encode()).decode(), base64.b64encode(b"\0me\0" + CANARY.encode()).decode())


def shown(log: io.StringIO, client: imapkit.IMAP4, errors: Sequence[BaseException]) -> str:
    texts = [log.getvalue(), repr(client), repr(client._live), repr(vars(client))]
    texts += ["".join(traceback.format_exception(exc)) for exc in errors]
    texts += [repr(exc) + repr(vars(exc)) for exc in errors]
    return "\n".join(texts)


@pytest.mark.parametrize(
    ("level", "answer"), [(level, answer) for level in (1, 3, 5) for answer in ("ok", "no", "bad", "bye")] + [(5, "silent")]
)
def test_no_secret_is_ever_shown(answer: str, level: int) -> None:
    def respond(conversation: Conversation, command: ReceivedCommand) -> None:
        if command.name == "AUTHENTICATE":
            conversation.send(b"+ \r\n")
            conversation.read_line()
        if answer in ("ok", "no", "bad"):
            getattr(conversation, answer)(command)
        elif answer == "bye":
            conversation.send(b"* BYE no\r\n")
        conversation.wait_closed() if answer == "silent" else None

    ways: list[Callable[[imapkit.IMAP4], Any]] = [
        lambda client: client.login("me", CANARY),
        lambda client: client.login("me", CANARY + "\u00fc"),
        lambda client: client.login("me", CANARY + "\r\n"),
        lambda client: client.login("me", CANARY.encode() + b"\xff"),
        lambda client: client.authenticate("PLAIN", lambda challenge: f"\0me\0{CANARY}"),
        lambda client: client.login("me", CANARY, callback=answers),
        lambda client: client.xatom("login", "me", CANARY),
        lambda client: client.uid("LOGIN", "me", CANARY),
    ]
    for way in ways:
        log, errors, answers = io.StringIO(), [], Answers()
        handlers = {"LOGIN": respond, "UID LOGIN": respond, "AUTHENTICATE": respond}
        with serving(handlers) as server:
            client = connect(server, timeout=LIMIT / 3 if answer == "silent" else 20, debug=level, debug_file=log)
            try:
                if way(client) == (None, None):
                    log.write(repr(answers.next()[2]))
            except imapkit.IMAP4.error as exc:
                errors.append(exc)
            client._print_log()
            client.logout()
            for form in FORMS:
                assert form not in shown(log, client, errors)


def test_the_registry_that_was_tested_is_the_real_one() -> None:
    assert {command.name for command in COMMANDS} >= {"LOGIN", "FETCH", "APPEND"}
    assert set(registry(("rev1",)).commands) <= {command.name for command in COMMANDS}
