"""Known commands, sent by name in a form of an extension: as given, alone, and with their answer."""

from __future__ import annotations

import io
from typing import Any

import pytest

from imapkit.core.support.secrets import plain
from imapkit.errors import ArgumentError
from imapkit.plugin import Literal
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer, connect
from tests.core.rig import selected

FAMILIES = ["rev1", "sort_thread", "enable", "id"]
NAMES = (
    "LIST",
    "APPEND",
    "SEARCH",
    "SORT",
    "THREAD",
    "UID",
    "STATUS",
    "SELECT",
    "STORE",
    "COPY",
    "CREATE",
    "FETCH",
    "XFOO",
    "ID",
)


def sent(*args: Any, by: str = "xatom", **options: Any) -> bytes:
    """What ``xatom`` or another method puts on the wire, without tag and CRLF."""

    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)

    with selected(dict.fromkeys([*NAMES, *(f"UID {name}" for name in (*NAMES, "EXPUNGE"))], answer), families=FAMILIES) as (
        client,
        server,
    ):
        assert getattr(client, by)(*args, **options)[0] == "OK"
        return server.commands[-1].raw.split(b" ", 1)[1].removesuffix(b"\r\n")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("LIST", '""', '"*"', "RETURN (STATUS (UNSEEN))"), b'LIST "" "*" RETURN (STATUS (UNSEEN))'),
        (("LIST", '""', '"*"', "RETURN", "(STATUS (UNSEEN))"), b'LIST "" "*" RETURN (STATUS (UNSEEN))'),
        (("LIST", "(SUBSCRIBED)", "", "*"), b'LIST (SUBSCRIBED) "" *'),
        (("LIST", '""', '("a b" "c%")'), b'LIST "" ("a b" "c%")'),
        (("SEARCH", "RETURN (MIN MAX)", "UNSEEN"), b"SEARCH RETURN (MIN MAX) UNSEEN"),
        (("SORT", "RETURN (COUNT)", "(DATE)", "UTF-8", "ALL"), b"SORT RETURN (COUNT) (DATE) UTF-8 ALL"),
        (("SORT", "RETURN", "(COUNT)", "(DATE)", "UTF-8", "ALL"), b"SORT RETURN (COUNT) (DATE) UTF-8 ALL"),
        (("SORT", "RETURN (COUNT) (DATE) UTF-8 ALL"), b"SORT RETURN (COUNT) (DATE) UTF-8 ALL"),
        (("APPEND", "Drafts", 'CATENATE (URL "/INBOX/;UID=1")'), b'APPEND Drafts CATENATE (URL "/INBOX/;UID=1")'),
        (
            ("APPEND", "Drafts", r"(\Seen)", '"17-Jul-1996 02:44:25 -0700"', 'CATENATE (URL "x")'),
            rb'APPEND Drafts (\Seen) "17-Jul-1996 02:44:25 -0700" CATENATE (URL "x")',
        ),
        (("APPEND", "Drafts", r"(\Seen)", Literal(b"one"), r"(\Seen)", Literal(b"two")), None),
        (("STATUS", "INBOX", "(MESSAGES)", "(X)"), b"STATUS INBOX (MESSAGES) (X)"),
        (("FETCH", "1 (FLAGS)"), b"FETCH 1 (FLAGS)"),
        # in the form that the command's own method has, its kinds write them
        (("LIST", "", "*"), b'LIST "" *'),
        (("STATUS", "INBOX", "MESSAGES"), b"STATUS INBOX (MESSAGES)"),
        (("CREATE", "Work (old)"), b'CREATE "Work (old)"'),
        (("CREATE", "WORK (OLD)"), b'CREATE "WORK (OLD)"'),
        (("CREATE", "Größe (x)"), b'CREATE "Gr&APYA3w-e (x)"'),
        (("CREATE", "box", "(USE (\\Sent))"), rb"CREATE box (USE (\Sent))"),
        (("STORE", "1", "FLAGS", r"(\Seen)"), rb"STORE 1 FLAGS (\Seen)"),
        (("STORE", "1", "(UNCHANGEDSINCE 5)", "+FLAGS", r"(\Seen)"), rb"STORE 1 (UNCHANGEDSINCE 5) +FLAGS (\Seen)"),
        (("SORT", "DATE", "UTF-8", "ALL"), b"SORT (DATE) UTF-8 ALL"),
        (("SEARCH", "(SEEN)", "SUBJECT", "a b"), b'SEARCH (SEEN) SUBJECT "a b"'),
        (("XFOO", "a b", "(c)"), b'XFOO "a b" (c)'),
    ],
    ids=repr,
)
def test_bytes_that_xatom_sends(args: tuple[Any, ...], line: bytes | None) -> None:
    got = sent(*args)
    assert got == line if line is not None else got.startswith(b"APPEND Drafts (\\Seen) {3")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("FETCH", "1:5", "(FLAGS)", "(CHANGEDSINCE 1 VANISHED)"), b"UID FETCH 1:5 (FLAGS) (CHANGEDSINCE 1 VANISHED)"),
        (("FETCH", "1", "UID FLAGS"), b"UID FETCH 1 (UID FLAGS)"),
        (("FETCH", "1 (FLAGS)"), b"UID FETCH 1 (FLAGS)"),
        (("SEARCH", "RETURN (COUNT)", "ALL"), b"UID SEARCH RETURN (COUNT) ALL"),
        (("SORT", "RETURN (COUNT)", "(DATE)", "UTF-8", "ALL"), b"UID SORT RETURN (COUNT) (DATE) UTF-8 ALL"),
        (("COPY", "1", "(a)"), b'UID COPY 1 "(a)"'),
        (("COPY", "1", "Work (old)"), b'UID COPY 1 "Work (old)"'),
        (("SEARCH", None, "ALL"), b"UID SEARCH ALL"),
        (("SORT", "(DATE)", None, "ALL"), b"UID SORT (DATE) US-ASCII ALL"),
        (("EXPUNGE", "1:3"), b"UID EXPUNGE 1:3"),
        (("'FETCH'", "'1:*'", "'(FLAGS)'"), b"UID FETCH 1:* (FLAGS)"),
    ],
    ids=repr,
)
def test_bytes_that_uid_sends(args: tuple[Any, ...], line: bytes) -> None:
    assert sent(*args, by="uid") == line


@pytest.mark.parametrize(
    ("method", "args", "line"),
    [
        ("fetch", ("1:*", "FLAGS"), b"UID FETCH 1:* FLAGS"),
        ("store", ([1, 2, 3], "+FLAGS", r"\Seen"), rb"UID STORE 1:3 +FLAGS (\Seen)"),
        ("copy", (7, "a b"), b'UID COPY 7 "a b"'),
        ("search", (None, "ALL"), b"UID SEARCH ALL"),
        ("search", ("UTF-8", "ALL"), b"UID SEARCH CHARSET UTF-8 ALL"),
        ("sort", ("DATE", "UTF-8", "ALL"), b"UID SORT (DATE) UTF-8 ALL"),
        ("thread", ("REFERENCES", "UTF-8", "ALL"), b"UID THREAD REFERENCES UTF-8 ALL"),
        ("expunge", ("4:6",), b"UID EXPUNGE 4:6"),
        ("expunge", ("'4:*'",), b"UID EXPUNGE 4:*"),
    ],
    ids=repr,
)
def test_the_keyword_uid(method: str, args: tuple[Any, ...], line: bytes) -> None:
    assert sent(*args, by=method, uid=True) == line


def test_expunge_takes_a_set_with_uid_and_none_without() -> None:
    with selected({}, families=FAMILIES) as (client, server):
        before = server.names
        for args, uid in (((), True), ((None,), True), (("1",), False)):
            with pytest.raises(ArgumentError, match="EXPUNGE"):
                client.expunge(*args, uid=uid)
        wrong: list[tuple[Any, ...]] = [(), ("1", "2"), (None,), ("x",)]
        for values in wrong:
            with pytest.raises(ArgumentError, match="EXPUNGE"):
                client.uid("EXPUNGE", *values)
        assert server.names == before


@pytest.mark.parametrize("method", ["xatom", "uid"])
@pytest.mark.parametrize(
    "args",
    [("FETCH", "1:x", "FLAGS"), ("FETCH", None, "FLAGS"), ("COPY", "1", None), ("STORE", "1", "+FLAGS", None), ("XFOO", None)],
    ids=repr,
)
def test_arguments_in_no_known_form_are_refused(method: str, args: tuple[Any, ...]) -> None:
    with selected({}, families=FAMILIES) as (client, server):
        before = server.names
        with pytest.raises(ArgumentError):
            getattr(client, method)(*args)
        assert server.names == before


@pytest.mark.parametrize("evil", ["RETURN (x\r\nX1 DELETE inbox)", "RETURN (x) {5}", "(a\nb)", b"(a\0b)", "RETURN (\u00fc)"])
def test_arguments_sent_as_given_stay_one_command(evil: str | bytes) -> None:
    with selected({}, families=FAMILIES) as (client, server):
        before = server.names
        with pytest.raises(ArgumentError, match="LIST"):
            client.xatom("LIST", '""', "*", evil)
        assert server.names == before


def test_the_answer_is_that_of_the_known_command() -> None:
    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b'* LIST () "/" a\r\n* STATUS a (UNSEEN 1)\r\n')

    with selected({"LIST": answer}, families=FAMILIES) as (client, _):
        data = client.xatom("LIST", '""', '"*"', "RETURN (STATUS (UNSEEN))")
        assert data == ("OK", [b'() "/" a'])
        assert client.response("STATUS") == ("STATUS", [b"a (UNSEEN 1)"])


def test_an_extended_form_is_exclusive() -> None:
    with selected({}, families=FAMILIES) as (client, _):
        assert client._encode("LIST", ('""', "*", "RETURN (X)"), generic=True).command.exclusive
        assert not client._encode("LIST", ('""', "*"), generic=True).command.exclusive


def test_a_select_in_a_form_of_an_extension_selects() -> None:
    answers = dict.fromkeys(("CLOSE", "SELECT"), lambda conversation, command: conversation.ok(command))
    with selected(answers, families=FAMILIES) as (client, _):
        client.close()
        assert client.xatom("SELECT", "INBOX", "(QRESYNC (1 2))")[0] == "OK"
        assert client.state == "SELECTED"


# required arguments


REQUIRED: list[tuple[str, tuple[Any, ...]]] = [
    ("select", (None,)),
    ("examine", (None,)),
    ("search", (None, "FROM", None)),
    ("search", (None, None)),
    ("search", (None,)),
    ("fetch", (None, "FLAGS")),
    ("fetch", ("1", None)),
    ("store", ("1", None, "x")),
    ("store", ("1", "+FLAGS", None)),
    ("copy", ("1", None)),
    ("status", (None, "(MESSAGES)")),
    ("status", ("INBOX", None)),
    ("list", (None, "*")),
    ("list", ('""', None)),
    ("create", (None,)),
    ("rename", ("a", None)),
    ("append", ("INBOX", None, None, None)),
    ("partial", ("1", "BODY", None, 5)),
    ("sort", (None, "UTF-8", "ALL")),
    ("sort", ("DATE", "UTF-8", "FROM", None)),
    ("thread", (None, "UTF-8", "ALL")),
    ("enable", (None,)),
    ("uid", (None, "1")),
    ("xatom", ("XFOO", "a", None)),
]


@pytest.mark.parametrize(("method", "args"), REQUIRED, ids=repr)
def test_none_for_a_required_argument_sends_nothing(method: str, args: tuple[Any, ...]) -> None:
    with selected({}, families=FAMILIES) as (client, server):
        before = server.names
        with pytest.raises(ArgumentError):
            getattr(client, method)(*args)
        assert (server.names, client.state, client.mailbox) == (before, "SELECTED", "INBOX")


@pytest.mark.parametrize(
    ("method", "args", "line"),
    [
        ("search", (None, "ALL"), b"SEARCH ALL"),
        ("sort", ("DATE", None, "ALL"), b"SORT (DATE) US-ASCII ALL"),
        ("append", (None, None, None, b""), b"APPEND INBOX {0}"),
        ("id", (None,), b"ID NIL"),
        ("id", ("name", None), b'ID ("name" NIL)'),
    ],
    ids=repr,
)
def test_none_where_it_is_documented(method: str, args: tuple[Any, ...], line: bytes) -> None:
    got = sent(*args, by=method)
    assert got.replace(b"+", b"").startswith(line)


# text between single quotes, in every argument of imaplib2's methods


@pytest.mark.parametrize(
    ("method", "args", "line"),
    [
        ("fetch", ("'1:*'", "(FLAGS)"), b"FETCH 1:* (FLAGS)"),
        ("fetch", ("1", "'(FLAGS)'"), b"FETCH 1 (FLAGS)"),
        ("store", ("1", "'+FLAGS'", "'(\\Seen)'"), rb"STORE 1 +FLAGS (\Seen)"),
        ("search", (None, "'ALL'"), b"SEARCH ALL"),
        ("search", ("'UTF-8'", "'SUBJECT'", "'x OR ALL ALL'"), b"SEARCH CHARSET UTF-8 SUBJECT x OR ALL ALL"),
        ("status", ("'INBOX'", "'(MESSAGES)'"), b"STATUS INBOX (MESSAGES)"),
        ("sort", ("'(DATE)'", "'UTF-8'", "'ALL'"), b"SORT (DATE) UTF-8 ALL"),
        ("thread", ("'REFERENCES'", "'UTF-8'", "'ALL'"), b"THREAD REFERENCES UTF-8 ALL"),
        ("list", ("'\"\"'", "'%'"), b'LIST "" %'),
        ("copy", ("'1:*'", "'INBOX'"), b"COPY 1:* INBOX"),
        ("append", ("'INBOX'", "'(\\Seen)'", None, b""), rb"APPEND INBOX (\Seen) {0}"),
        ("append", ("INBOX", None, "'\"17-Jul-1996 02:44:25 -0700\"'", b""), b'APPEND INBOX "17-Jul-1996 02:44:25 -0700" {0}'),
        ("select", ("'INBOX'",), b"SELECT INBOX"),
        ("uid", ("'STORE'", "'1:*'", "'+FLAGS'", "'(\\Seen)'"), rb"UID STORE 1:* +FLAGS (\Seen)"),
        ("xatom", ("'XFOO'", "'a b'"), b"XFOO a b"),
        ("id", ('\'("name" "x")\'',), b'ID ("name" "x")'),
        ("id", ("name", "'x'"), b'ID ("name" "\'x\'")'),
    ],
    ids=repr,
)
def test_single_quotes_of_arguments(method: str, args: tuple[Any, ...], line: bytes) -> None:
    assert sent(*args, by=method).replace(b"+}", b"}").startswith(line)


def test_answers_are_matched_to_arguments_without_single_quotes() -> None:
    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* 7 FETCH (FLAGS ())\r\n* STATUS INBOX (MESSAGES 3)\r\n")

    with selected({"FETCH": answer, "STATUS": answer}, families=FAMILIES) as (client, _):
        assert client.fetch("'7'", "'(FLAGS)'") == ("OK", [b"7 (FLAGS ())"])
        assert client.status("'INBOX'", "'(MESSAGES)'") == ("OK", [b"INBOX (MESSAGES 3)"])
        assert client.select("'INBOX'")[0] == "OK"
        assert client.mailbox == b"INBOX"


def test_the_password_of_a_login_keeps_its_single_quotes() -> None:
    with selected(
        {},
        families=["rev1"],
    ) as (client, _):
        call = client._encode("LOGIN", ("'me'", "'secret'"))
        assert plain(call.pieces) == [b"LOGIN me \"'secret'\""]


def test_an_initial_response_is_sent_as_given_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """RFC 4959."""
    answers = {"AUTHENTICATE": lambda conversation, command: conversation.ok(command)}
    with (
        caplog.at_level("DEBUG", "imapkit"),
        ScriptedServer(handlers=answers, greeting=b"* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n") as server,
        connect(server, families=["rev1"], login=False, debug=5, debug_file=io.StringIO()) as client,
    ):
        assert client.xatom("AUTHENTICATE", "PLAIN", "AG1lAHNlY3JldA==")[0] == "OK"
        assert (server.commands[-1].args, client.state) == (b"PLAIN AG1lAHNlY3JldA==", "AUTH")
        with pytest.raises(ArgumentError) as refused:
            client.xatom("AUTHENTICATE", "PLAIN", "AG1lAHNlY3JldA==\r\n")
    assert "AG1lAHNl" not in caplog.text + str(refused.value)
