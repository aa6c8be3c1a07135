"""ANNOTATEMORE, against the servers that announce it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import IMAP4, BadResponse
from tests.live.support import Answers, logged_in, needing, place
from tests.servers.base import Server

pytestmark = pytest.mark.live

BOTH = ("value.priv", "value.shared")
VALUES = [b"plain", b'"quo"te\\s', b"(par {5} en)", b"one\r\ntwo", "schön".encode(), b"x" * 5000, b"NIL"]


@pytest.fixture
def annotated(server: Server) -> Server:
    """The servers that have annotations by these commands."""
    return needing(server, "ANNOTATEMORE")


@contextmanager
def with_mailbox(annotated: Server, name: str, user: str = "alice") -> Iterator[tuple[IMAP4, str]]:
    """A client, and a mailbox that is deleted at the end."""
    with logged_in(annotated, user) as imap:
        box = place(annotated, name)
        assert imap.create(box)[0] == "OK"
        try:
            yield imap, box
        finally:
            assert imap.delete(box)[0] == "OK"


def notes(imap: IMAP4, *asked: Any) -> dict[str, dict[str, bytes | None]]:
    """What GETANNOTATION says, by entry, for one mailbox."""
    typ, data = imap.getannotation(*asked)
    assert typ == "OK"
    found = [note for several in data.parsed() for note in several]
    assert {note.mailbox for note in found} <= {asked[0]}
    assert [note.defects for note in found if note.defects] == []
    entries: dict[str, dict[str, bytes | None]] = {}
    for note in found:
        entries.setdefault(note.path, {}).update(note.attributes)
    return entries


def test_set_and_get_as_with_imaplib2(annotated: Server) -> None:
    """Every argument as it is sent."""
    with with_mailbox(annotated, "noted raw") as (imap, box):
        assert imap.setannotation(f'"{box}"', '"/comment"', '("value.priv" "mine" "value.shared" "ours")') == ("OK", [None])
        typ, data = imap.getannotation(f'"{box}"', '"/comment"', '("value.priv" "size.priv")')
        assert (typ, data) == ("OK", [f'"{box}" "/comment" ("value.priv" "mine" "size.priv" "4")'.encode()])


@pytest.mark.parametrize("value", VALUES)
def test_values(annotated: Server, value: bytes) -> None:
    with with_mailbox(annotated, "noted") as (imap, box):
        assert imap.setannotation(box, "/comment", {"value.priv": value, "value.shared": b"ours"}) == ("OK", [None])
        assert notes(imap, box, "/comment", BOTH) == {"/comment": {"value.priv": value, "value.shared": b"ours"}}
        assert imap.setannotation(box, "/comment", ["value.priv", None])[0] == "OK"
        assert notes(imap, box, "/comment", "value.priv") == {"/comment": {"value.priv": None}}
        assert notes(imap, box, "/comment", "value.shared") == {"/comment": {"value.shared": b"ours"}}


def test_several_entries(annotated: Server) -> None:
    with with_mailbox(annotated, "noted twice") as (imap, box):
        assert imap.setannotation(box, "/comment", {"value.priv": "a"}, "/sort", '("value.priv" "b")')[0] == "OK"
        wanted = {"/comment": {"value.priv": b"a"}, "/sort": {"value.priv": b"b"}}
        assert notes(imap, box, ["/comment", "/sort"], "value.priv") == wanted
        assert notes(imap, box, '("/comment" "/sort")', '"value.priv"') == wanted
        assert imap.setannotation(box, '("/comment" ("value.priv" NIL) "/sort" ("value.priv" "c"))')[0] == "OK"
        assert notes(imap, box, ["/comment", "/sort"], ["value.priv"]) == {
            "/comment": {"value.priv": None},
            "/sort": {"value.priv": b"c"},
        }


def test_wildcards(annotated: Server) -> None:
    with with_mailbox(annotated, "noted wild", "u11") as (imap, box):
        assert imap.setannotation(box, "/comment", {"value.priv": "mine"})[0] == "OK"
        everything = notes(imap, box, "*", "*")
        assert everything["/comment"]["value.priv"] == b"mine"
        assert everything["/comment"]["size.priv"] == b"4"
        assert len(everything) > 10
        assert notes(imap, box, "/comment", "value")["/comment"] == {"value.priv": b"mine", "value.shared": None}
        typ, data = imap.getannotation(place(annotated, "%"), "/comment", "value.priv")
        assert typ == "OK"
        assert [note.text("value.priv") for several in data.parsed() for note in several if note.mailbox == box] == ["mine"]


def test_the_server_itself(annotated: Server) -> None:
    with logged_in(annotated, "admin") as admin, logged_in(annotated, "alice") as imap:
        assert admin.setannotation("", "/comment", {"value.shared": "a server"})[0] == "OK"
        assert notes(imap, "", "/comment", "value.shared") == {"/comment": {"value.shared": b"a server"}}
        assert imap.setannotation("", "/comment", {"value.shared": "mine"}) == ("NO", [b"Permission denied"])
        assert admin.setannotation("", "/comment", {"value.shared": None})[0] == "OK"


@pytest.mark.parametrize("name", ["Reçus", "R&D", "(paren)"])
def test_awkward_names(annotated: Server, name: str) -> None:
    with with_mailbox(annotated, f"noted {name}") as (imap, box):
        assert imap.setannotation(box, "/comment", {"value.priv": "here"})[0] == "OK"
        assert notes(imap, box, "/comment", "value.priv") == {"/comment": {"value.priv": b"here"}}


def test_refusals(annotated: Server) -> None:
    with logged_in(annotated, "alice") as imap:
        assert imap.getannotation(place(annotated, "nowhere"), "/comment", "value")[0] == "NO"
        assert imap.setannotation(place(annotated, "nowhere"), "/comment", {"value.priv": "x"})[0] == "NO"
        with pytest.raises(BadResponse):
            imap.getannotation("INBOX", b"/comment", b"value")  # atoms, which are no strings
        assert imap.noop()[0] == "OK"


def test_callbacks(annotated: Server) -> None:
    answers = Answers()
    with with_mailbox(annotated, "noted called") as (imap, box):
        commands: Any = imap
        assert commands.setannotation(box, "/comment", {"value.priv": "x"}, callback=answers, cb_arg="set") == (None, None)
        assert commands.getannotation(box, "/comment", "value.priv", callback=answers, cb_arg="get") == (None, None)
        answers.wait("set", "get")
        assert answers.given["set"] == (("OK", [None]), None)
        assert answers.given["get"] == (("OK", [f'"{box}" "/comment" ("value.priv" "x")'.encode()]), None)


def test_8_threads_ask_about_different_mailboxes(annotated: Server) -> None:
    with logged_in(annotated, "u11") as imap:
        boxes = [place(annotated, f"note{number}") for number in range(4)]
        for box in boxes:
            assert imap.create(box)[0] == "OK"
            assert imap.setannotation(box, "/comment", {"value.priv": box}, "/sort", {"value.priv": box.upper()})[0] == "OK"

        def ask(thread: int) -> None:
            for turn in range(12):
                box = boxes[(thread + turn) % 4]
                assert notes(imap, box, "/comment", "value.priv") == {"/comment": {"value.priv": box.encode()}}
                assert notes(imap, box, "/sort", "value.priv") == {"/sort": {"value.priv": box.upper().encode()}}

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(8)))
        assert not {name for name, _ in imap.untagged_responses} & {"ANNOTATION"}
        for box in boxes:
            assert imap.delete(box)[0] == "OK"
