"""ENABLE, RFC 5161, and what UTF8=ACCEPT (RFC 6855) changes."""

from __future__ import annotations

from typing import Any

import pytest

import imapkit
from imapkit.errors import ArgumentError, FamilyDisabledError, StateError
from imapkit.plugin import Family
from imapkit.testing import Answers, Conversation, ReceivedCommand, ScriptedServer, answering, connect, within

CAPABILITIES = b"IMAP4rev1 ENABLE UTF8=ACCEPT CONDSTORE LITERAL+"
FAMILIES: list[Any] = ["rev1", "enable"]
PREAUTH = b"* PREAUTH [CAPABILITY " + CAPABILITIES + b"] hi\r\n"


def comply(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, b"Enabled", untagged=b"* ENABLED " + command.args + b"\r\n")


def enabling(**handlers: Any) -> Any:
    """A server that enables everything it is asked for."""
    return ScriptedServer(handlers={"ENABLE": comply, **handlers}, greeting=PREAUTH)


def test_extensions_that_the_server_enabled() -> None:
    with enabling() as server, connect(server, families=FAMILIES, login=False) as client:
        assert client.enable("UTF8=ACCEPT") == ("OK", [b"Enabled"])
        assert client._session.enabled == {"UTF8=ACCEPT"}
        assert client.response("ENABLED") == ("ENABLED", [b"UTF8=ACCEPT"])


def test_it_does_not_lock_the_connection() -> None:
    """After ENABLE, imaplib2 completed no other command."""
    with enabling() as server, connect(server, families=FAMILIES, login=False) as client, within():
        answers = Answers()
        client.enable("utf8=accept", callback=answers)
        assert answers.next()[0] == ("OK", [b"Enabled"])
        assert client.noop()[0] == "OK"
        client.select()
        assert client.noop()[0] == "OK"


@pytest.mark.parametrize("untagged", [b"", b"* ENABLED\r\n", b"* ENABLED \r\n"])
def test_a_server_that_enables_nothing(untagged: bytes) -> None:
    """iCloud sends OK without ENABLED."""

    def nothing(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=untagged)

    with enabling(ENABLE=nothing, CREATE=answering()) as server, connect(server, families=FAMILIES, login=False) as client:
        assert client.enable(["UTF8=ACCEPT"])[0] == "OK"
        assert client._session.enabled == frozenset()
        client.create("\u00fc")
        assert server.commands[-1].args == b'"&APw-"'


def test_an_unasked_enabled_is_ignored() -> None:
    handlers = {"NOOP": answering(b"* ENABLED UTF8=ACCEPT\r\n"), "CREATE": answering()}
    with enabling(**handlers) as server, connect(server, families=FAMILIES, login=False) as client:
        client.noop()
        assert client._session.enabled == frozenset()
        assert client.response("ENABLED") == ("ENABLED", [b"UTF8=ACCEPT"])
        client.create("\u00fc")
        assert server.commands[-1].args == b'"&APw-"'


def test_an_enabled_before_or_after_the_answer_is_ignored() -> None:
    def late(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        conversation.send(b"* ENABLED UTF8=ACCEPT\r\n")

    greeting = PREAUTH + b"* ENABLED UTF8=ACCEPT\r\n"
    with (
        ScriptedServer(handlers={"ENABLE": late, "NOOP": answering()}, greeting=greeting) as server,
        connect(server, families=FAMILIES, login=False) as client,
    ):
        client.enable("UTF8=ACCEPT")
        client.noop()
        assert client._session.enabled == frozenset()


@pytest.mark.parametrize("asked", ["CONDSTORE", "UTF8=ACCEPT"])
def test_only_requested_extensions_are_enabled(asked: str) -> None:
    def all_of_it(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* ENABLED CONDSTORE UTF8=ACCEPT\r\n")

    more = Family("more", enables=("CONDSTORE",))
    with enabling(ENABLE=all_of_it) as server, connect(server, families=[*FAMILIES, more], login=False) as client:
        client.enable(asked)
        assert client._session.enabled == {asked}
        client.xatom("ENABLE", "CONDSTORE", "UTF8=ACCEPT")
        assert client._session.enabled == {"CONDSTORE", "UTF8=ACCEPT"}


@pytest.mark.parametrize("names", ["CONDSTORE", "UTF8=ACCEPT QRESYNC", ["IMAP4rev2"]])
def test_only_supported_extensions_may_be_enabled(names: Any) -> None:
    with enabling() as server, connect(server, families=FAMILIES, login=False) as client:
        with pytest.raises(ArgumentError, match=r"(CONDSTORE|QRESYNC|IMAP4REV2) cannot be enabled.*supported: UTF8=ACCEPT"):
            client.enable(names)
        assert "ENABLE" not in server.names


@pytest.mark.parametrize("names", [("CONDSTORE",), ("utf8=accept", "qresync"), ("'IMAP4rev2'",)])
def test_xatom_has_the_same_guard(names: tuple[str, ...]) -> None:
    with enabling() as server, connect(server, families=FAMILIES, login=False) as client:
        with pytest.raises(ArgumentError, match=r"cannot be enabled.*supported: UTF8=ACCEPT.*force=True"):
            client.xatom("enable", *names)
        assert "ENABLE" not in server.names
        assert client.xatom("ENABLE", "UTF8=ACCEPT")[0] == "OK"
        assert client._session.enabled == {"UTF8=ACCEPT"}


def test_force_enables_an_unsupported_extension() -> None:
    with enabling() as server, connect(server, families=FAMILIES, login=False) as client:
        assert client.xatom("ENABLE", "CONDSTORE", force=True)[0] == "OK"
        assert client.enable("QRESYNC", force=True)[0] == "OK"
        assert [command.args for command in server.commands if command.name == "ENABLE"] == [b"CONDSTORE", b"QRESYNC"]
        assert client._session.enabled == frozenset(), "an unsupported extension is not recorded"
        with pytest.raises(TypeError, match="force"):
            client.noop(force=True)  # type: ignore[call-arg]


def test_single_quotes_of_a_capability() -> None:
    with enabling() as server, connect(server, families=FAMILIES, login=False) as client:
        assert client.enable("'UTF8=ACCEPT'")[0] == "OK"
        assert server.commands[-1].args == b"UTF8=ACCEPT"


def test_another_family_may_support_more() -> None:
    more = Family("more", enables=("CONDSTORE",))
    with enabling() as server, connect(server, families=[*FAMILIES, more], login=False) as client:
        assert client.enable("CONDSTORE UTF8=ACCEPT")[0] == "OK"
        assert client._session.enabled == {"CONDSTORE", "UTF8=ACCEPT"}


@pytest.mark.parametrize("names", ["", [], "UTF8=ACCEPT\r\nX", "(UTF8=ACCEPT)", [b"UTF8=ACCEPT}"], None, 5])
def test_invalid_names_are_refused(names: Any) -> None:
    with enabling() as server, connect(server, families=FAMILIES, login=False) as client:
        with pytest.raises(ArgumentError):
            client.enable(names)
        assert "ENABLE" not in server.names


def test_a_server_without_it() -> None:
    with (
        ScriptedServer(greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server,
        connect(server, families=FAMILIES, login=False) as client,
    ):
        with pytest.raises(client.error, match="does not announce ENABLE"):
            client.enable("UTF8=ACCEPT")
        assert "ENABLE" not in server.names


def test_only_before_a_mailbox_is_selected() -> None:
    with enabling() as server, connect(server, families=FAMILIES, login=False) as client:
        client.select()
        with pytest.raises(StateError):
            client.enable("UTF8=ACCEPT")
        assert "ENABLE" not in server.names


# names and messages in UTF-8


def test_names_and_messages() -> None:
    """RFC 6855 sections 3 and 4."""
    message = "Subject: gr\u00fcn\r\n\r\nx\r\n".encode()
    with enabling(CREATE=answering(), APPEND=answering()) as server, connect(server, families=FAMILIES, login=False) as client:
        client.create("Entw\u00fcrfe")
        client.create("A & B")
        client.append("Entw\u00fcrfe", None, None, message)
        client.enable("UTF8=ACCEPT")
        client.create("Entw\u00fcrfe")
        client.create("A & B")
        client.append("Entw\u00fcrfe", None, None, message)
        client.append("x", r"\Seen", None, b"Subject: plain\r\n\r\n")
        sent = [command.raw.split(b" ", 1)[1] for command in server.commands if command.name in ("CREATE", "APPEND")]
    name, size = "Entw\u00fcrfe".encode(), len(message)
    assert sent == [
        b'CREATE "Entw&APw-rfe"\r\n',
        b'CREATE "A &- B"\r\n',
        b'APPEND "Entw&APw-rfe" {%d+}\r\n%b\r\n' % (size, message),
        b'CREATE "%b"\r\n' % name,
        b'CREATE "A & B"\r\n',
        b'APPEND "%b" UTF8 (~{%d}\r\n%b)\r\n' % (name, size, message),
        b"APPEND x (\\Seen) {18+}\r\nSubject: plain\r\n\r\n\r\n",
    ]


@pytest.mark.parametrize(
    ("capabilities", "announcement"),
    [
        (b"LITERAL+", b"~{%d}"),
        (b"LITERAL-", b"~{%d}"),
        (b"IMAP4rev2", b"~{%d}"),
        (b"BINARY", b"~{%d}"),
        (b"LITERAL+ BINARY", b"~{%d+}"),
        (b"LITERAL- BINARY", b"~{%d+}"),
    ],
)
def test_a_message_with_8_bit_text_is_a_binary_literal_where_announced(capabilities: bytes, announcement: bytes) -> None:
    """RFC 7888 section 6, RFC 4466 section 3, RFC 6855 section 4."""
    message = "Subject: gr\u00fcn\r\n\r\nx\r\n".encode()
    greeting = b"* PREAUTH [CAPABILITY IMAP4rev1 ENABLE UTF8=ACCEPT %b] hi\r\n" % capabilities
    with (
        ScriptedServer(handlers={"ENABLE": comply, "APPEND": answering()}, greeting=greeting) as server,
        connect(server, families=FAMILIES, login=False) as client,
    ):
        client.enable("UTF8=ACCEPT")
        assert client.append("INBOX", None, None, message)[0] == "OK"
        assert announcement % len(message) in server.commands[-1].raw


def test_no_line_of_a_refused_message_runs_as_a_command() -> None:
    message = "A1 DELETE gr\u00fcn\r\nA2 DELETE inbox\r\n".encode()
    received: list[bytes] = []

    def script(conversation: Conversation) -> None:
        command = conversation.read_command()
        conversation.ok(command, untagged=b"* ENABLED UTF8=ACCEPT\r\n")
        line = conversation.read_line()
        conversation.send(line.split(b" ", 1)[0] + b" NO [TRYCREATE] not here\r\n")
        received.append(line)
        conversation.serve()

    with ScriptedServer(script, greeting=PREAUTH) as server, connect(server, families=FAMILIES, login=False) as client:
        client.enable("UTF8=ACCEPT")
        assert client.append("nowhere", None, None, message)[0] == "NO"
        assert client.noop()[0] == "OK"
        client.logout()
        assert server.names == ["ENABLE", "NOOP", "LOGOUT"]
    [line] = received
    assert line.endswith(b" APPEND nowhere UTF8 (~{%d}" % len(message))


def test_a_name_received_before_names_the_same_mailbox_after() -> None:
    def listing(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b'* LIST () "/" "Entw&APw-rfe &- so"\r\n')

    with enabling(LIST=listing, CREATE=answering()) as server, connect(server, families=FAMILIES, login=False) as client:
        [found] = client.parse(*client.list())
        client.create(found.name)
        client.enable("UTF8=ACCEPT")
        client.create(found.name)
        sent = [command.args for command in server.commands if command.name == "CREATE"]
    assert sent == [b'"Entw&APw-rfe &- so"', '"Entw\u00fcrfe & so"'.encode()]


def test_a_search_names_no_charset() -> None:
    def search(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* SEARCH 1\r\n")

    with enabling(SEARCH=search) as server, connect(server, families=FAMILIES, login=False) as client:
        client.enable("UTF8=ACCEPT")
        client.select()
        assert client.search(None, "SUBJECT", "gr\u00fcn") == ("OK", [b"1"])
        assert b"CHARSET" not in server.commands[-1].raw
        with pytest.raises(ArgumentError):
            client.search("UTF-8", "ALL")


def test_status_of_a_name_in_utf8() -> None:
    def status(conversation: Conversation, command: ReceivedCommand) -> None:
        name = command.raw.split(b" ", 2)[2].rpartition(b" (")[0]
        conversation.ok(command, untagged=b"* STATUS %b (MESSAGES 3)\r\n* STATUS INBOX (MESSAGES 9)\r\n" % name)

    with enabling(STATUS=status) as server, connect(server, families=FAMILIES, login=False) as client:
        client.enable("UTF8=ACCEPT")
        typ, data = client.status("Entw\u00fcrfe", "(MESSAGES)")
        assert (typ, data) == ("OK", ['"Entw\u00fcrfe" (MESSAGES 3)'.encode()])
        assert data.parsed()[0].mailbox == "Entw\u00fcrfe"
        assert client.response("STATUS")[1] == [b"INBOX (MESSAGES 9)"]


def test_without_the_family() -> None:
    with enabling() as server, connect(server, families=["rev1"], login=False) as client:
        assert not hasattr(client, "enable")
        with pytest.raises(FamilyDisabledError, match="'enable'"):
            client.enable("UTF8=ACCEPT")


def test_injection_stays_impossible() -> None:
    with enabling() as server, connect(server, families=FAMILIES, login=False) as client:
        client.enable("UTF8=ACCEPT")
        for name in ("a\r\nX1 DELETE inbox", "\u00fc\n", "\0"):
            with pytest.raises(imapkit.ArgumentError):
                client.create(name)
        assert server.names[-1] == "ENABLE"
