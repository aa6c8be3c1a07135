"""Bad input from the program, and bad servers: an error at once, bounded cost, and no call that hangs."""

from __future__ import annotations

import pytest

import imapkit
from imapkit.errors import LimitExceeded, RemoteProtocolError, ServerBye, StateError
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer
from tests.core.rig import MARGIN, connect, selected, serving, within
from tests.stress.scripted import Hooked

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
def test_a_server_that_is_not_imap_is_refused_at_once(greeting: bytes, kind: str) -> None:
    with ScriptedServer(lambda c: c.wait_closed(), greeting=greeting) as server, within(MARGIN):
        with pytest.raises(RemoteProtocolError, match="unrecognised server welcome") as caught:
            connect(server)
        assert kind in str(caught.value)
    assert server.received == [], "and nothing was sent to it"


def test_bye_as_a_greeting_is_the_reason() -> None:
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
    (b"what is this\r\n" * 101, LimitExceeded),
]


@pytest.mark.parametrize(("stream", "kind"), FATAL, ids=[stream[:30].decode() for stream, _ in FATAL])
def test_a_response_that_cannot_be_trusted_ends_the_connection(stream: bytes, kind: type[Exception]) -> None:
    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(stream)
        conversation.wait_closed()

    with selected({"FETCH": fetch}) as (client, _), within(MARGIN):
        with pytest.raises(kind):
            client.fetch("1", "BODY[]")
        with pytest.raises(imapkit.IMAP4.abort):
            client.noop()


@pytest.mark.heavy
def test_a_flood_of_untagged_lines_is_bounded() -> None:
    flood = {"NOOP": lambda c, command: c.ok(command, untagged=b"* 1 EXPUNGE\r\n" * 150_000)}
    with selected(flood, patience=60) as (client, _):
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


@pytest.mark.parametrize("end", [b"\n", b"\r\r\n", b"\r\n \0"])
def test_a_server_that_ends_its_lines_in_another_way(end: bytes) -> None:
    def script(conversation: Conversation) -> None:
        for _ in range(2):
            command = conversation.read_command()
            conversation.send(b"* 3 EXISTS\r\n%b OK done\r\n".replace(b"\r\n", end) % command.tag)
        conversation.wait_closed()

    greeting = b"* PREAUTH [CAPABILITY IMAP4rev1] hi" + end
    with ScriptedServer(script, greeting=greeting) as server, within(MARGIN), connect(server) as client:
        assert client.welcome == b"* PREAUTH [CAPABILITY IMAP4rev1] hi"
        assert client.noop() == ("OK", [b"done"])
        assert client.response("EXISTS")[1] == [b"3"]
        assert client.noop() == ("OK", [b"done"])
        assert client.defects
        client.shutdown()


def test_a_subject_with_lines_in_it_forges_nothing() -> None:
    subject = b"x\r\n* 2 FETCH (FLAGS (\\Deleted))\r\n* 1 EXPUNGE\r\n* BYE\r\n+ go\r\nA1 OK\r\n price {50}"
    row = b'* 1 FETCH (UID 5 ENVELOPE (NIL "%b y" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n' % subject
    with selected({"FETCH": lambda c, command: c.ok(command, untagged=row)}) as (client, _), within(MARGIN):
        typ, data = client.fetch("1", "(UID ENVELOPE)")
        [found] = client.parse(typ, data)
        assert (found.number, found.uid, found.envelope.raw_subject) == (1, 5, subject + b" y")
        assert [defect.what for defect in client.defects] == ["CR, LF or NUL in a quoted string"]
        assert client.response("EXPUNGE")[1] == [None]
        assert client.noop()[0] == "OK"


def test_a_subject_without_an_end_costs_one_field() -> None:
    rows = b'* 1 FETCH (UID 5 ENVELOPE (NIL "x\r\n* 1 EXPUNGE\r\n* 2 FETCH (UID 6)\r\n'
    with selected({"FETCH": lambda c, command: c.ok(command, untagged=rows)}) as (client, _), within(MARGIN):
        typ, data = client.fetch("1:2", "(UID ENVELOPE)")
        [found] = client.parse(typ, data)
        assert (found.number, found.uid, found.envelope) == (1, 5, None)
        assert client.defects[0].what == "a response that does not end before the tagged response"
        assert client.response("EXPUNGE")[1] == [None]
        assert client.noop()[0] == "OK"


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


@pytest.mark.parametrize("cls", [imapkit.IMAP4, Hooked])
@pytest.mark.parametrize("answered", [False, True])
def test_the_reason_of_a_server_that_leaves_during_an_append_is_raised(cls: type[imapkit.IMAP4], answered: bool) -> None:
    """The system refuses to send more before the last words have been read."""

    def script(conversation: Conversation) -> None:
        tag = conversation.read_line().split()[0]
        conversation.send(b"%b NO too large\r\n" % tag * answered + b"* BYE I give up\r\n")
        conversation.reset()

    greeting = b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n"
    with ScriptedServer(script, greeting=greeting) as server, within(MARGIN), connect(server, cls) as client:
        if answered:
            assert client.append("INBOX", None, None, bytes(4_000_000)) == ("NO", [b"too large"])
        with pytest.raises(ServerBye, match="I give up"):
            client.append("INBOX", None, None, bytes(4_000_000))
