"""A server sees one command or none, whatever a program passes as an argument to any command of any family."""

from __future__ import annotations

import inspect
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest

import imapkit
from imapkit.core.contract.command import Command
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.core.wire.pieces import Late, Literal
from imapkit.errors import ArgumentError, PluginError, StateError
from imapkit.plugin import MailboxName, ServerString
from imapkit.testing import Conversation, ScriptedServer, load_only
from tests.core.rig import connect, serving
from tests.security.commands import (
    COMMANDS,
    FAMILIES,
    REGISTRY,
    arguments,
    as_naive_servers_read,
    as_strict_servers_read,
    encoded,
    samples,
    valid,
    written,
)

pytestmark = pytest.mark.heavy

LINE_ENDS = ["\r", "\n", "\r\n", "\r\nX1 DELETE inbox", "\nX1 DELETE inbox\r\n", "\0", "{3}\r\n"]
SPECIALS = [
    "{3}",
    "{3+}",
    "~{3}",
    "{3-}",
    "{}",
    "{0}",
    '"',
    "\\",
    '\\"',
    ")",
    "(",
    "\xff",
    "\u20ac",
    "\udc80",
    "\t",
    "\x7f",
    "*",
    "%",
    "'",
]
SPICES = LINE_ENDS + SPECIALS
WRONG = [object(), print, 1j]

each_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


KINDS: list[Callable[[str], Any]] = [
    lambda text: text.encode("utf-8", "surrogatepass"),
    lambda text: bytearray(text, "utf-8", "surrogatepass"),
    lambda text: memoryview(text.encode("utf-8", "surrogatepass")),
    lambda text: MailboxName(text.encode("utf-8", "surrogatepass")),
    lambda text: ServerString(text.encode("utf-8", "surrogatepass")),
    lambda text: [text],
    lambda text: [text.encode("utf-8", "surrogatepass"), text],
]
"""What a text may be given as, beside text."""


def spiced(value: Any, spice: str) -> list[str]:
    """An otherwise legal value with ``spice`` before, in and behind it."""
    text = str(value)
    found = (spice, spice + text, text[:1] + spice + text[1:], text + spice, f'"{text}{spice}"', f"({text}{spice})")
    return list(dict.fromkeys(found))


def usual_values(command: Command, at: int) -> list[Any]:
    if at < len(command.args):
        return samples(command.args[at])[:2]
    return [*valid(command)[at : at + 1], "x"][:1]


def attack(command: Command, args: tuple[Any, ...]) -> bool:
    """Whether it would be sent; then it is one command, however a server reads."""
    refused, pieces = "", []
    try:
        pieces = encoded(command, args)
    except ArgumentError as error:
        refused = str(error)
    if refused:
        assert command.name in refused
        return False
    for stream in written(pieces):
        for read in (as_naive_servers_read, as_strict_servers_read):
            commands = read(stream)
            assert len(commands) == 1, (read.__name__, stream, commands)
            assert commands[0].startswith(b"T1 " + command.name.encode())
    return True


@each_command
def test_a_server_sees_one_command_or_none(command: Command) -> None:
    kinds, outcomes = itertools.cycle(KINDS), Counter[bool]()
    for at in range(len(valid(command)) + 1):
        for spice in SPICES:
            for text in spiced(usual_values(command, at)[0], spice):
                outcomes[attack(command, arguments(command, at, text))] += 1
                outcomes[attack(command, arguments(command, at, next(kinds)(text)))] += 1
    assert outcomes[False] > 100
    assert outcomes.total() > 250


WORDS = [(command, word) for command in COMMANDS for where, word in REGISTRY.operands if where == command.words]


@pytest.mark.parametrize(("command", "word"), WORDS, ids=lambda value: value if isinstance(value, str) else value.name)
def test_words_that_families_add_stay_one_command(command: Command, word: str) -> None:
    kinds, outcomes = itertools.cycle(KINDS), Counter[bool]()
    operands = [samples(kind)[0] for kind in REGISTRY.operands[str(command.words), word]]
    # It stands behind what the command takes anyway (SORT), or instead of it (STORE).
    first = [valid(command), tuple(samples(kind)[0] for kind in command.args)]
    before = next(args for args in first if attack(command, (*args, word, *operands)))
    for at, usual in enumerate([word, *operands]):
        for spice in SPICES:
            for text in spiced(usual, spice):
                for value in (text, next(kinds)(text)):
                    args = [word, *operands]
                    args[at] = value
                    outcomes[attack(command, (*before, *args))] += 1
    assert outcomes[False] > 50


def test_families_that_add_words_are_there() -> None:
    assert {("SEARCH", "X-GM-RAW"), ("SORT", "X-GM-RAW")} <= {(command.name, word) for command, word in WORDS}


@pytest.mark.heavy
@each_command
def test_a_server_sees_one_command_or_none_whatever_its_type(command: Command) -> None:
    for at in range(len(valid(command)) + 1):
        for value in usual_values(command, at):
            for spice in SPICES:
                for text in spiced(value, spice):
                    for kind in KINDS:
                        attack(command, arguments(command, at, kind(text)))


@each_command
def test_the_wrong_type_is_an_argument_error(command: Command) -> None:
    if command.name in ("XCARELESS", "XREST", "XPIECES", "XLATE"):
        return
    for at in range(len(valid(command)) + 1):
        for value in WRONG:
            with pytest.raises(ArgumentError):
                encoded(command, arguments(command, at, value))


# the same over a socket


@pytest.fixture(scope="module")
def idle_client() -> Iterator[tuple[imapkit.IMAP4, ScriptedServer]]:
    """A client in the selected state, and a list of the lines that reach its server."""
    with ScriptedServer(patience=60) as server, connect(server, families=FAMILIES) as client:
        client.login("me", "secret")
        client.select()
        yield client, server


@each_command
def test_a_refused_command_is_not_sent(command: Command, idle_client: tuple[imapkit.IMAP4, ScriptedServer]) -> None:
    client, server = idle_client
    before, refused = server.names, 0
    for at in range(len(valid(command)) + 1):
        for value in ["a\r\nX1 DELETE inbox", b"a\nb", bytearray(b"a\0b"), "a{5}", b"a{5+}"]:
            args = arguments(command, at, value)
            try:
                encoded(command, args)
            except ArgumentError:
                refused += 1
                with pytest.raises(ArgumentError, match=command.name):
                    client._call(command.name, *args)
    assert refused
    assert client.noop()[0] == "OK"
    assert server.names == [*before, "NOOP"], "nothing was sent"


@each_command
def test_too_many_arguments(command: Command, idle_client: tuple[imapkit.IMAP4, ScriptedServer]) -> None:
    client, server = idle_client
    before, args = server.names, (*valid(command), *["x"] * 9)
    if takes_any_number(command):
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
    assert endless <= {"ENABLE", "SEARCH", "SETANNOTATION", "SORT", "THREAD", "XGENERAL", "XREST"}
    assert "SEARCH" in endless


@each_command
def test_the_wrong_state_sends_nothing(command: Command) -> None:
    greetings = {State.NONAUTH: b"* OK [CAPABILITY IMAP4rev1] hi\r\n", State.AUTH: b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"}
    for state, greeting in greetings.items():
        if state & command.states:
            continue
        with serving(greeting=greeting) as server:
            with (
                connect(server, families=FAMILIES) as client,
                pytest.raises(StateError, match=f"{command.name} illegal in state {state.name}"),
            ):
                client._call(command.name, *valid(command))
            assert server.names == ["LOGOUT"]


def public(name: str) -> Callable[..., Any]:
    """A public method of the families."""
    found: Callable[..., Any] = next(getattr(mixin, name) for mixin in REGISTRY.mixins if hasattr(mixin, name))
    return found


METHODS = sorted(name for name in REGISTRY.methods if callable(public(name)))
NO_COMMAND = {"response", "pop_untagged_responses"}
THROWN: list[Any] = [
    *("a\r\nX1 DELETE inbox", "a\rb", "a\nb", "a\0b", "\r\n", b"a\r\nb", b"\0", bytearray(b"a\nb"), memoryview(b"a\rb")),
    *(
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
    ),
]
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
    for name, parameter in inspect.signature(public(method)).parameters.items():
        if name != "self" and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL):
            names.append(name)
    return names


def usual(name: str, method: str) -> Any:
    if method == "fetch_to" and name in ("message", "to"):
        return "1" if name == "message" else BytesIO()
    return "NOOP" if (method, name) == ("xatom", "name") else "COPY" if method == "uid" else METHOD_SAMPLES.get(name, "x")


@pytest.mark.parametrize(
    ("method", "at"), [(method, at) for method in METHODS if method not in NO_COMMAND for at in range(len(parameters(method)))]
)
def test_no_public_method_can_be_made_to_inject(method: str, at: int) -> None:
    """Any value for any parameter gives an error and nothing sent, or exactly the one command."""
    names = parameters(method)
    if names[at] in ("authobject", "readonly"):
        return
    nonauth = method in ("login", "authenticate", "login_cram_md5")
    greeting = b"* OK [CAPABILITY IMAP4rev1] hi\r\n" if nonauth else b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"
    with ScriptedServer(lambda conversation: everything_is_refused(conversation, nonauth), greeting=greeting) as server:
        client = connect(server, families=FAMILIES)
        if not nonauth:
            client.select()
        for value in THROWN:
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
    for command in server.commands:
        assert len(as_strict_servers_read(command.raw)) == len(as_naive_servers_read(command.raw)) == 1


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


def test_an_answer_to_a_challenge_is_one_line() -> None:
    def script(conversation: Conversation) -> None:
        command = conversation.read_command()
        conversation.send(b"+ \r\n")
        assert conversation.read_line() == b"*"
        conversation.bad(command)
        conversation.serve()

    with ScriptedServer(script) as server, connect(server, families=FAMILIES) as client:
        with pytest.raises(ValueError, match="CR or LF"):
            client._call_with({}, "AUTHENTICATE", "X", reply=lambda challenge: b"x\r\nX1 DELETE inbox")
        assert client.noop()[0] == "OK"
    assert server.names == ["AUTHENTICATE", "NOOP", "LOGOUT"]


# families that check nothing


class Liar(bytes):
    """Bytes whose methods say that they are others."""

    def __add__(self, other: Any) -> bytes:
        return b"x"

    def __getitem__(self, index: Any) -> Any:
        return b"x"

    def __len__(self) -> int:
        return 1

    def __bytes__(self) -> bytes:
        return b"x"

    def isascii(self) -> bool:
        return True

    def decode(self, *args: Any, **named: Any) -> str:
        return "x"

    def upper(self) -> bytes:
        return b"X"


class LyingName(Liar, MailboxName):
    """A mailbox name of that kind."""

    __slots__ = ()

    @property
    def text(self) -> str:
        return "x"


class LyingString(Liar, ServerString):
    """A string of that kind."""

    __slots__ = ()


class LyingLate(Late):
    """One whose forms are others each time."""

    __slots__ = ()

    @property
    def off(self) -> Any:
        return (b"x",)


class LyingLiteral(Literal):
    """One whose data are others each time."""

    @property
    def data(self) -> Any:
        return b"x"

    @data.setter
    def data(self, value: Any) -> None:
        """It keeps none."""


LIES = ["a\r\nX1 DELETE inbox", "a\nb", "a\0b", "a{5}", "a b) (c", '"', "gr\u00fcn\r\n", "&-\r\n"]


@pytest.mark.parametrize("lie", LIES, ids=ascii)
@pytest.mark.parametrize("kind", [Liar, LyingName, LyingString], ids=lambda kind: kind.__name__)
@each_command
def test_bytes_that_lie_are_written_as_what_they_are(command: Command, kind: Any, lie: str) -> None:
    for at in range(len(valid(command)) + 1):
        attack(command, arguments(command, at, kind(lie.encode())))


class Another(bytes):
    """It says that it is another one."""

    def __bytes__(self) -> bytes:
        return b"9"


def test_it_is_the_buffer_that_is_sent() -> None:
    commands = REGISTRY.commands
    sent = [
        encoded(commands["ID"], ({"name": Another(b"7")},)),
        encoded(commands["SETANNOTATION"], ("INBOX", "/comment", ("value.priv", Another(b"7")))),
        encoded(commands["FETCH"], (Another(b"7"), "FLAGS")),
    ]
    for pieces in sent:
        line = b"".join(piece for piece in pieces if isinstance(piece, bytes))
        assert (b"7" in line, b"9" in line) == (True, False)


@pytest.mark.parametrize(
    "command",
    [
        Command("X Y\r\nX1", State.ANY),
        Command("", State.ANY),
        Command("X(", State.ANY),
        Command("XSTAY", State.ANY, exclusive=True, interrupt=b"DONE\r\nX1 DELETE inbox"),
    ],
    ids=lambda command: ascii(command.name),
)
def test_a_family_cannot_register_what_is_no_command(command: Command) -> None:
    with pytest.raises(PluginError):
        load_only("rev1", Family("evil", commands=(command,)))


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (b"a\r\nX1 DELETE inbox", "CR at byte"),
        ((b"a", b"\n"), "LF at byte"),
        (bytearray(b"x"), "bytearray"),
        ("x", "str"),
        (Literal(bytearray(b"x")), "bytearray"),  # type: ignore[arg-type]
        (b"a {3}", "start of a literal"),
        (Late((b"a\0",), (b"a",)), "NUL at byte"),
        (Late((Liar(b"a\r\nX1 DELETE inbox"),), (b"a",)), "Liar"),
        (Late((b"a",), (LyingName(b"a\r\nX1 DELETE inbox"),)), "LyingName"),
        (Late((b"a",), (Late((b"a",), (b"a",)),)), "Late"),  # type: ignore[arg-type]
        (Late((b"a",), [b"a"]), "list"),  # type: ignore[arg-type]
        (LyingLate((b"a\r\n",), (b"a",)), "LyingLate"),
        (LyingLiteral(b"a"), "LyingLiteral"),
        (Literal(Liar(b"a")), "Liar"),
        (Liar(b"a\r\nX1 DELETE inbox"), "CR at byte"),
        (LyingName(b"a {3}"), "start of a literal"),
        (Late((b"a",), (b"a{3+}",)), "start of a literal"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_the_result_of_a_kind_is_checked(token: Any, why: str) -> None:
    with pytest.raises(ArgumentError, match=rf"X:? .*{why}|{why}.*X"):
        encoded(Command("X", State.ANY, args=(lambda value: token,)), ("x",))
