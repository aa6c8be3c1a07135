"""The base family's commands: bytes on the wire, refused arguments, effects on the session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from imapkit.errors import ArgumentError
from imapkit.ext.rev1 import imapkit_family
from imapkit.plugin import Literal, Piece, ResponseCode, Session, State, Untagged
from imapkit.testing import ScriptedServer, connect, selected, written

FAMILY = imapkit_family()
COMMANDS = {command.name: command for command in FAMILY.commands}


@dataclass
class Answer:
    """A command that has been answered."""

    typ: str
    text: bytes = b"done"
    args: tuple[Any, ...] = ()
    untagged: list[Untagged] = None  # type: ignore[assignment]
    codes: Sequence[ResponseCode] = ()
    interrupted_by: str = ""

    @property
    def received(self) -> list[Untagged]:
        return self.untagged

    def __post_init__(self) -> None:
        self.untagged = self.untagged or []


def session(state: State = State.AUTH, *, readonly: bool = False) -> Session:
    made = Session()
    made.enter(state)
    if state is State.SELECTED:
        made.select("old", readonly=readonly)
        made.exists = 5
    return made


def done(name: str, where: Session, answer: Answer) -> Session:
    finish = COMMANDS[name].done
    assert finish is not None
    finish(where, answer)
    return where


# On the wire


@pytest.mark.parametrize(
    ("name", "args", "pieces"),
    [
        ("LOGIN", ("user", 'p"w'), [b'LOGIN user "p\\"w"']),
        ("LOGIN", ("a b", "x"), [b'LOGIN "a b" "x"']),
        ("LOGIN", ("u", "pä"), [b"LOGIN u ", Literal("pä".encode())]),
        ("SELECT", ("Sent Items",), [b'SELECT "Sent Items"']),
        ("SELECT", ('"Sent Items"',), [b'SELECT "Sent Items"']),
        ("LIST", ('""', "*"), [b'LIST "" *']),
        ("LIST", ("", "a b/%"), [b'LIST "" "a b/%"']),
        ("LSUB", ('""', "*"), [b'LSUB "" *']),
        ("CREATE", ("a b",), [b'CREATE "a b"']),
        ("DELETE", ("a",), [b"DELETE a"]),
        ("EXAMINE", ("a b",), [b'EXAMINE "a b"']),
        ("SUBSCRIBE", ("a",), [b"SUBSCRIBE a"]),
        ("UNSUBSCRIBE", (b'"a b"',), [b'UNSUBSCRIBE "a b"']),
        ("RENAME", ("a", "b c"), [b'RENAME a "b c"']),
        ("STATUS", ("a", "MESSAGES"), [b"STATUS a (MESSAGES)"]),
        ("STATUS", ("a", ["MESSAGES", "UNSEEN"]), [b"STATUS a (MESSAGES UNSEEN)"]),
        ("FETCH", ("1:*", "(UID BODY.PEEK[HEADER.FIELDS (To)])"), [b"FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (To)])"]),
        ("FETCH", ([1, 3], "FLAGS"), [b"FETCH 1,3 FLAGS"]),
        ("STORE", ("1", "+FLAGS", r"\Seen"), [rb"STORE 1 +FLAGS (\Seen)"]),
        ("STORE", (1, "-FLAGS.SILENT", [r"\Seen", "$a"]), [rb"STORE 1 -FLAGS.SILENT (\Seen $a)"]),
        ("COPY", ("1:2", "a b"), [b'COPY 1:2 "a b"']),
        ("PARTIAL", (1, "RFC822", 1, 1024), [b"PARTIAL 1 RFC822 1 1024"]),
        ("APPEND", ("INBOX", None, None, b"a\nb\r\n"), [b"APPEND INBOX ", Literal(b"a\r\nb\r\n")]),
        (
            "APPEND",
            ("a b", r"\Seen", '"01-Jan-2026 00:00:00 +0000"', b""),
            [rb'APPEND "a b" (\Seen) "01-Jan-2026 00:00:00 +0000" ', Literal(b"")],
        ),
        ("NOOP", (), [b"NOOP"]),
        ("EXPUNGE", (), [b"EXPUNGE"]),
    ],
)
def test_on_the_wire(name: str, args: tuple[Any, ...], pieces: list[Piece]) -> None:
    assert written(FAMILY, name, *args) == pieces


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("SELECT", ("a\r\nX1 DELETE INBOX",)),
        ("CREATE", (b"a\r\nX1 DELETE INBOX",)),
        ("DELETE", ("a\0",)),
        ("LOGIN", ("u", "p\r\nX1 DELETE INBOX")),
        ("LOGIN", ("u\n", "p")),
        ("AUTHENTICATE", ("PLAIN X",)),
        ("FETCH", ("0", "FLAGS")),
        ("FETCH", ("1 2", "FLAGS")),
        ("FETCH", ("", "FLAGS")),
        ("FETCH", ("1", "()")),
        ("STATUS", ("a", "()")),
        ("STORE", ("1", "+FLAGS x", r"\Seen")),
        ("STORE", ("1", "+FLAGS", "a\r\n")),
        ("COPY", ("x", "a")),
        ("APPEND", ("INBOX", None, "yesterday", b"")),
        ("APPEND", ("INBOX", None, None, "ä")),
        ("NOOP", ("x",)),
        ("CLOSE", ("x",)),
    ],
)
def test_refused(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(ArgumentError, match=name):
        written(FAMILY, name, *args)


# Declarations


def test_states() -> None:
    by_state = {
        State.ANY: "CAPABILITY LOGOUT NOOP",
        State.NONAUTH: "AUTHENTICATE LOGIN",
        State.LOGGED_IN: "APPEND CREATE DELETE EXAMINE LIST LSUB RENAME SELECT STATUS SUBSCRIBE UNSUBSCRIBE",
        State.SELECTED: "CHECK CLOSE COPY EXPUNGE FETCH PARTIAL SEARCH STORE",
    }
    expected = {name: state for state, names in by_state.items() for name in names.split()}
    expected |= dict.fromkeys(("UID COPY", "UID EXPUNGE"), State.SELECTED)
    assert {name: command.states for name, command in COMMANDS.items()} == expected


@pytest.mark.parametrize(
    ("flag", "names"),
    [
        ("exclusive", "AUTHENTICATE CLOSE EXAMINE LOGIN LOGOUT SELECT"),
        ("secret", "AUTHENTICATE LOGIN"),
        ("uid", "COPY FETCH SEARCH STORE"),
        ("seqnums", "COPY FETCH PARTIAL SEARCH STORE"),
        ("ends", "LOGOUT"),
    ],
)
def test_flags(flag: str, names: str) -> None:
    assert {name for name, command in COMMANDS.items() if getattr(command, flag)} == set(names.split())


def test_commands_without_expunge() -> None:
    """RFC 3501 section 7.4.1; PARTIAL fetches."""
    assert {name for name, command in COMMANDS.items() if not command.expunges} == {"FETCH", "PARTIAL", "SEARCH", "STORE"}


# Effects on the session


def test_sending_select_empties_the_store() -> None:
    for name in ("SELECT", "EXAMINE"):
        where, before = session(), COMMANDS[name].before
        assert before is not None
        before(where, ("a",))
        assert where.flush


@pytest.mark.parametrize(
    ("name", "text", "readonly"),
    [
        ("SELECT", b"done", False),
        ("SELECT", b"[READ-WRITE] done", False),
        ("SELECT", b"[READ-ONLY] done", True),
        ("EXAMINE", b"done", True),
        ("EXAMINE", b"[READ-ONLY] done", True),
    ],
)
@pytest.mark.parametrize("state", [State.AUTH, State.SELECTED])
def test_selected(name: str, text: bytes, readonly: bool, state: State) -> None:
    where = done(name, session(state), Answer("OK", text, ("new",), [Untagged("EXISTS", 23, (b"",))]))
    assert (where.state, where.mailbox, where.readonly, where.exists) == (State.SELECTED, "new", readonly, 23)
    if b"READ-ONLY" in text:
        apply = FAMILY.codes["READ-ONLY"].apply
        assert apply is not None
        apply(where, None)
    assert where.readonly_news is None


@pytest.mark.parametrize("name", ["SELECT", "EXAMINE"])
def test_no_to_select_leaves_no_mailbox_and_bad_changes_nothing(name: str) -> None:
    where = done(name, session(State.SELECTED), Answer("NO", args=("new",)))
    assert (where.state, where.mailbox) == (State.AUTH, None)
    where = done(name, session(State.SELECTED), Answer("BAD", args=("new",)))
    assert (where.state, where.mailbox) == (State.SELECTED, "old")
    assert done(name, session(), Answer("NO", args=("new",))).state is State.AUTH


@pytest.mark.parametrize(("typ", "state"), [("OK", State.AUTH), ("NO", State.SELECTED), ("BAD", State.SELECTED)])
def test_close(typ: str, state: State) -> None:
    assert done("CLOSE", session(State.SELECTED), Answer(typ)).state is state


@pytest.mark.parametrize("name", ["LOGIN", "AUTHENTICATE"])
@pytest.mark.parametrize(("typ", "state", "known"), [("OK", State.AUTH, False), ("NO", State.NONAUTH, True)])
def test_log_in(name: str, typ: str, state: State, known: bool) -> None:
    where = session(State.NONAUTH)
    where.set_capabilities(["IMAP4rev1"])
    done(name, where, Answer(typ))
    assert where.state is state
    assert where.capabilities == (("IMAP4REV1",) if known else None)


def test_responses_and_codes_that_change_the_session() -> None:
    where = session(State.SELECTED)
    for name, number, text in (("EXISTS", 9, b""), ("EXPUNGE", 3, b""), ("CAPABILITY", None, b"IMAP4rev1 idle")):
        apply = FAMILY.responses[name].apply
        assert apply is not None
        apply(where, Untagged(name, number, (text,)))
    assert (where.exists, where.capabilities) == (8, ("IMAP4REV1", "IDLE"))
    code = FAMILY.codes["CAPABILITY"].apply
    assert code is not None
    code(where, b"IMAP4rev1 ID")
    assert where.capabilities == ("IMAP4REV1", "ID")


def test_a_mailbox_that_becomes_readonly_is_reported_once() -> None:
    where, apply = session(State.SELECTED), FAMILY.codes["READ-ONLY"].apply
    assert apply is not None
    apply(where, None)
    assert where.readonly
    assert where.readonly_news is not None
    where.readonly_news = None
    apply(where, None)
    assert where.readonly_news is None


# Arguments that methods refuse before they send anything


@pytest.mark.parametrize(("user", "password", "lacks"), [(None, "secret", "user"), ("me", None, "password")])
def test_login_without_a_name_or_a_password(user: Any, password: Any, lacks: str) -> None:
    with ScriptedServer() as server, connect(server, families=["rev1"], login=False) as client:
        with pytest.raises(ArgumentError, match=f"LOGIN: no {lacks}"):
            client.login(user, password)
        assert server.names == []


@pytest.mark.parametrize("name", [None, 5, b"NOOP", ["NOOP"]])
def test_invalid_names_of_commands_and_responses(name: Any) -> None:
    with selected(families=["rev1"]) as (client, server):
        sent = len(server.names)
        for method in (client.uid, client.xatom, client.response, lambda name: client.authenticate(name, lambda challenge: b"")):
            with pytest.raises(ArgumentError, match="a name is text"):
                method(name)
        assert len(server.names) == sent
        assert client.noop()[0] == "OK"
