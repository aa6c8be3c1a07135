"""Attacks by servers and on the way that no other module tests: before TLS, by sizes, forged lines and lures."""

from __future__ import annotations

import ast
import base64
import logging
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import imapkit
from imapkit.errors import LimitExceeded, NoResponse, RemoteProtocolError, ServerBye, StateError, abort
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer
from imapkit.testing.certificate import LOCALHOST
from tests.core.rig import MARGIN, connect, selected, serving, within

pytestmark = pytest.mark.heavy

STARTTLS = ["rev1", "starttls"]

# before TLS


@pytest.mark.parametrize("capabilities", [b"imap4rev1 starttls", b"IMAP4rev1 StartTLS"])
def test_starttls_is_found_in_any_case(capabilities: bytes) -> None:
    def begin(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        conversation.start_tls()

    with (
        serving({"STARTTLS": begin}, capabilities=capabilities, tls=LOCALHOST, implicit_tls=False) as server,
        connect(server, families=STARTTLS) as client,
    ):
        assert client.starttls(ca_certs=LOCALHOST.pem)[0] == "OK"


@pytest.mark.parametrize("answer", [b"NO", b"BAD"])
def test_a_refused_starttls_is_an_error_and_no_password_follows(answer: bytes) -> None:
    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b %b not today\r\n" % (command.tag, answer))

    with serving({"STARTTLS": refuse}, capabilities=b"IMAP4rev1 STARTTLS") as server:
        with connect(server, families=STARTTLS) as client, pytest.raises(imapkit.IMAP4.error, match="not today"):
            client.starttls(ca_certs=LOCALHOST.pem)
        assert server.names == ["STARTTLS", "LOGOUT"]


def test_a_session_that_is_greeted_as_logged_in_gets_no_starttls() -> None:
    """An attacker on the way could avoid TLS with PREAUTH: the program gets an error at once."""
    with serving(greeting=b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n") as server:
        with (
            connect(server, families=STARTTLS) as client,
            within(MARGIN),
            pytest.raises(StateError, match="illegal in state AUTH"),
        ):
            client.starttls(ca_certs=LOCALHOST.pem)
        assert server.names == ["LOGOUT"]


def test_tls_at_once_trusts_no_greeting_in_the_clear() -> None:
    server = ScriptedServer(lambda c: c.wait_closed(), greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")
    with server, within(MARGIN), pytest.raises(imapkit.TLSError):
        connect(server, imapkit.IMAP4_SSL, timeout=1)


def test_an_opt_out_of_verification_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "imapkit")
    with serving(tls=LOCALHOST) as server:
        with connect(server, imapkit.IMAP4_SSL, ca_certs=LOCALHOST.pem):
            assert "verified" in caplog.text
        assert "NOT VERIFIED" not in caplog.text
        with connect(server, imapkit.IMAP4_SSL, ssl_context=imapkit.unverified_context()):
            assert "NOT VERIFIED" in caplog.text


# sizes and depths


@contextmanager
def taking_little() -> Iterator[None]:
    """Check that no more than 8 MiB are allocated at any moment, whether they are touched or not."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [b"99999999999", b"4294967296", b"-1", b"", b"1e9", b"-100", b"+5", b"0x10", b"1.5", b"9" * 40])
def test_a_size_that_cannot_be_is_the_end_before_anything_is_allocated(size: bytes) -> None:
    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* 1 FETCH (BODY[] {%b}\r\n" % size)
        conversation.wait_closed()

    with selected({"FETCH": fetch}) as (client, _), within(MARGIN):
        with taking_little(), pytest.raises(RemoteProtocolError):
            client.fetch("1", "BODY[]")
        with pytest.raises(abort):
            client.noop()


def test_zeros_before_a_size_are_harmless() -> None:
    line = b"* 1 FETCH (BODY[] {012}\r\nHello, there)\r\n"
    with selected({"FETCH": lambda c, command: c.ok(command, untagged=line)}) as (client, _):
        assert client.fetch("1", "BODY[]")[1][0][1] == b"Hello, there"


@pytest.mark.parametrize(
    "line", [b"* X " + b"(" * 1_000_000, b"* 1 FETCH (BODYSTRUCTURE " + b"(" * 1_000_000, b"* LIST " + b"()" * 100 + b"(" * 2000]
)
def test_parentheses_without_end_are_the_end(line: bytes) -> None:
    answer = {"NOOP": lambda c, command: c.ok(command, untagged=line + b"\r\n")}
    with selected(answer) as (client, _), within(MARGIN), pytest.raises(LimitExceeded, match=r"Limits\.nesting"):
        client.noop()


@pytest.mark.parametrize("text", [b"[" * 1_000_000, b"[X " + b"[" * 100_000 + b"]" * 100_000])
def test_brackets_without_end_are_text(text: bytes) -> None:
    with selected({"NOOP": lambda c, command: c.ok(command, text, b"* OK %b\r\n" % text)}) as (client, _), within(MARGIN):
        typ, data = client.noop()
        assert (typ, data) == ("OK", [text])
        assert data.parsed()


def test_ranges_are_never_written_out() -> None:
    """4,294,967,295 message numbers in 12 bytes."""
    text = b"[COPYUID 1 1:4294967295 1:4294967295] done"
    vanished = b"* VANISHED (EARLIER) 1:4294967295\r\n* ESEARCH (TAG x) ALL 1:4294967295\r\n* SEARCH 1:4294967295\r\n"
    with selected({"SEARCH": lambda c, command: c.ok(command, text, vanished)}) as (client, _), within(MARGIN), taking_little():
        typ, data = client.search(None, "ALL")
        assert (typ, list(data)) == ("OK", [b"1:4294967295"])
        assert data.parsed() == []
        assert client.defects
        for name, more in client.pop_untagged_responses():
            client.parse(name, more)


# forged lines


def test_a_line_end_in_a_quoted_name_forges_no_event() -> None:
    lines = b'* LIST () "/" "x\r\n* 9 EXPUNGE"\r\n* LIST () "/" "y\n* 8 EXPUNGE"\r\n'
    with selected({"LIST": lambda c, command: c.ok(command, untagged=lines)}) as (client, _):
        _, data = client.list()
        assert client.response("EXPUNGE")[1] == [None]
        assert b'"y\n* 8 EXPUNGE"' in data[-1]
        assert [listing.name for listing in data.parsed()][-1] == b"y\n* 8 EXPUNGE"
        assert [defect.what for defect in client.defects if b"8 EXPUNGE" in defect.raw] == ["CR, LF or NUL in a quoted string"]


def test_an_answer_in_advance_is_the_end() -> None:
    """Tags cannot be guessed, and one that was not sent is not answered."""
    for guess in (b"A1", b"AAAAAA1", b"1"):
        with serving(greeting=b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n%b OK done\r\n" % guess) as server, within(MARGIN):
            with pytest.raises(abort):
                connect(server, families=STARTTLS).starttls(ca_certs=LOCALHOST.pem)
            assert "LOGIN" not in server.names


# lures


def referred(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.no(command, b"[REFERRAL imap://me;AUTH=*@127.0.0.1:%d/] try there" % conversation.server.port)


def test_no_referral_is_followed() -> None:
    with serving({"LOGIN": referred}) as server:
        with connect(server) as client, pytest.raises(NoResponse, match="REFERRAL"):
            client.login("me", "secret")
        assert server.names == ["LOGIN", "LOGOUT"], "no other server was connected to, nothing else was sent"


def test_credentials_are_not_sent_a_second_time() -> None:
    seen: list[int] = []

    def goes(conversation: Conversation, command: ReceivedCommand) -> None:
        seen.append(conversation.number)
        conversation.send(b"+ \r\n")
        conversation.read_line()
        conversation.send(b"* BYE come back\r\n")
        conversation.close()

    with serving({"AUTHENTICATE": goes}) as server, within(MARGIN):
        client = connect(server)
        with pytest.raises(ServerBye, match="come back"):
            client.authenticate("PLAIN", lambda challenge: "\0me\0secret")
        with pytest.raises(abort):
            client.noop()
        client.logout()
    assert seen == [0], "one connection, one attempt"


def test_a_token_that_has_expired() -> None:
    """The server sends its reason in a challenge, and waits for an empty line before it says NO."""
    why = b'{"status":"400","schemes":"Bearer"}'
    told: list[bytes] = []

    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ \r\n")
        conversation.read_line()
        conversation.send(b"* OK still here\r\n* CAPABILITY IMAP4rev1\r\n+ %b\r\n" % base64.b64encode(why))
        assert conversation.read_line() == b""
        conversation.no(command, b"[AUTHENTICATIONFAILED] token")

    def answer(challenge: bytes) -> str:
        told.append(challenge)
        return "" if challenge else "user=me\x01auth=Bearer old\x01\x01"

    with serving({"AUTHENTICATE": refuse}) as server, connect(server) as client:
        with pytest.raises(NoResponse, match="AUTHENTICATIONFAILED"):
            client.authenticate("XOAUTH2", answer)
        assert client.noop()[0] == "OK"
    assert told == [b"", why]


# servers that want something first, or cannot do what they say


def test_a_server_that_selects_nothing_before_id() -> None:
    """163.com and its like."""
    told = False

    def select(conversation: Conversation, command: ReceivedCommand) -> None:
        if told:
            conversation.ok(command, b"[READ-WRITE] done", b"* 1 EXISTS\r\n")
        else:
            conversation.no(command, b"SELECT Unsafe Login. Please contact kefu@188.com for help")

    def identify(conversation: Conversation, command: ReceivedCommand) -> None:
        nonlocal told
        told = True
        conversation.ok(command, untagged=b"* ID NIL\r\n")

    with serving({"SELECT": select, "ID": identify}) as server, connect(server, families=["rev1", "id"]) as client:
        client.login("me", "secret")
        typ, data = client.select()
        assert typ == "NO"
        assert b"Unsafe Login" in data[0]
        assert client.state == "AUTH"
        client.id("name", "imapkit")
        assert client.select()[0] == "OK"


@pytest.mark.parametrize("text", [b"User is authenticated but not connected.", b"Command Argument Error. 11", b"[CLIENTBUG] no"])
def test_a_command_that_is_refused_costs_nothing_else(text: bytes) -> None:
    refuse = {"UID STORE": lambda c, command: c.bad(command, text), "SEARCH": lambda c, command: c.bad(command, text)}
    with selected(refuse) as (client, _):
        with pytest.raises(imapkit.errors.BadResponse, match="BAD") as caught:
            client.uid("STORE", "1", "FLAGS.SILENT", "x")
        assert caught.value.text == text
        with pytest.raises(imapkit.errors.BadResponse, match="BAD") as caught:
            client.search("UTF-8", "TEXT", "x")
        assert caught.value.text == text
        assert client.state == "SELECTED"
        assert client.noop()[0] == "OK"


def test_a_charset_that_is_refused_names_those_that_are_not() -> None:
    refuse = {"SEARCH": lambda c, command: c.no(command, b"[BADCHARSET (US-ASCII)] not that one")}
    with selected(refuse) as (client, _):
        typ, data = client.search("UTF-8", "TEXT", "gr\u00fcn")
        assert typ == "NO"
        [status] = data.parsed()
        assert (status.code, status.value) == ("BADCHARSET", (b"US-ASCII",))


# what the library does not do


def test_no_name_of_a_server_becomes_a_path() -> None:
    """Neither core nor families touch files: a mailbox called ../../x is a name and nothing else."""
    # Certificates and messages, whose paths the program gives; what is installed.
    allowed = {"tls.py", "secure.py", "files.py", "target.py", "installed.py"}
    root = Path(imapkit.__file__).parent
    for path in [*(root / "core").rglob("*.py"), *(root / "ext").rglob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        modules = {
            alias.name for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names
        }
        assert "open" not in names or path.name in allowed, path
        assert not modules & {"pathlib", "Path", "shutil", "tempfile"} or path.name in allowed, path


def test_names_with_paths_and_controls_are_names() -> None:
    lines = b'* LIST () "/" "../../x"\r\n* LIST () "\\\\" "C:\\\\x"\r\n* LIST () "/" "a\x07\x1b[31mb"\r\n'
    with selected({"LIST": lambda c, command: c.ok(command, untagged=lines)}) as (client, server):
        names = [listing.name for listing in client.list()[1].parsed()]
        assert names == [b"../../x", b"C:\\x", b"a\x07\x1b[31mb"]
        for name in names:
            client.select(name)
        assert [command.args for command in server.commands[-3:]] == [b"../../x", b'"C:\\\\x"', b'"a\x07\x1b[31mb"']
