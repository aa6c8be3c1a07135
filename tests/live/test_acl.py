"""ACL, against the servers that announce it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import IMAP4, readonly
from imapkit.ext.acl import Rights
from tests.live.support import Answers, announced, logged_in, needing, outcome, place
from tests.servers.base import Server, not_announced
from tests.servers.quirks import Quirk

pytestmark = pytest.mark.live


@pytest.fixture(autouse=True)
def _announced(server: Server) -> None:
    """The servers that have access control lists."""
    needing(server, "ACL")


def rights_there(server: Server) -> frozenset[str]:
    """The rights there are, beside that to post: what RIGHTS= names, beside those of RFC 2086.

    Rights without RIGHTS= are those of RFC 2086 section 3, with "c" and "d" read as RFC 4314 section 2.1.1 has them.
    """
    named = [name.removeprefix("RIGHTS=").lower() for name in announced(server) if name.startswith("RIGHTS=")]
    return frozenset("lrswia" + (named[0] if named else "kxte"))


def owners(server: Server, user: str = "carol") -> frozenset[str]:
    """The identifiers in the list of a new mailbox."""
    return frozenset({"owner", "administrators"} if Quirk.OWNER_BY_ROLE in server.quirks else {user})


@contextmanager
def with_mailbox(server: Server, name: str, user: str = "carol") -> Iterator[tuple[IMAP4, str]]:
    """A client, and a mailbox that is deleted at the end."""
    with logged_in(server, user) as imap:
        box = place(server, name)
        assert imap.create(box)[0] == "OK"
        try:
            yield imap, box
        finally:
            assert imap.delete(box)[0] == "OK"


def entries(imap: IMAP4, box: str) -> dict[str, frozenset[str]]:
    """The rights by identifier."""
    (acl,) = imap.getacl(box)[1].parsed()
    assert acl.mailbox == box
    return {name: rights.letters for name, rights in acl.text().items()}


def test_rights_are_given_and_taken(server: Server) -> None:
    with with_mailbox(server, "acl") as (imap, box):
        before = entries(imap, box)
        assert before.keys() == owners(server)
        assert {rights - {"p"} for rights in before.values()} == {rights_there(server)}
        typ, data = imap.setacl(box, "bob", "lrs")
        assert typ == "OK"
        assert isinstance(data[0], bytes)
        assert entries(imap, box)["bob"] == frozenset("lrs")
        assert imap.setacl(box, "bob", "+w")[0] == "OK"
        assert imap.setacl(box, "bob", "-s")[0] == "OK"
        assert imap.setacl(box, "-bob", "w")[0] == "OK"
        assert imap.setacl(box, "alice", Rights(b"lrc"))[0] == "OK"
        spaced = {} if Quirk.NO_SPACE_IN_IDENTIFIERS in server.quirks else {"a b": frozenset("lr")}
        assert imap.setacl(box, "a b", ["l", "r"])[0] == ("OK" if spaced else "NO")
        found = entries(imap, box)
        assert found.pop("alice") >= frozenset("lrk")
        assert found == {
            **before,
            "bob": frozenset("lrw"),
            "-bob": frozenset("w"),
            **spaced,
        }
        for name in ("bob", "-bob", "alice", *spaced):
            assert imap.deleteacl(box, name)[0] == "OK"
        assert entries(imap, box) == before


def test_no_rights_at_all(server: Server) -> None:
    with with_mailbox(server, "acl none") as (imap, box):
        assert imap.setacl(box, "bob", "lr")[0] == "OK"
        assert imap.setacl(box, "bob", "")[0] == "OK"
        assert entries(imap, box).get("bob", frozenset()) == frozenset()


def test_rights_that_do_not_exist(server: Server) -> None:
    with with_mailbox(server, "acl unknown") as (imap, box):
        for rights in ("Q", "lrZ"):
            taken = Quirk.ANY_LETTER_IS_A_RIGHT in server.quirks
            assert outcome(imap.setacl, box, "bob", rights)[0] == ("OK" if taken else "BAD")
            assert ("bob" in entries(imap, box)) is taken
            imap.deleteacl(box, "bob")


def test_myrights_and_listrights(server: Server) -> None:
    with with_mailbox(server, "acl mine") as (imap, box):
        (mine,) = imap.myrights(box)[1].parsed()
        assert (mine.mailbox, mine.rights.letters - {"p"}, mine.defects) == (box, rights_there(server), ())
        (listed,) = imap.listrights(box, "bob")[1].parsed()
        assert (listed.mailbox, listed.who, listed.required.raw, listed.defects) == (box, "bob", b"", ())
        assert {right for right in listed.grantable if not right.isdigit()} >= rights_there(server) - {"n", "s"}
        (strange,) = imap.listrights(box, "a b")[1].parsed()
        assert strange.who == "a b"


@pytest.mark.parametrize("name", ["a b", "Reçus", "R&D", "(paren)"])
def test_awkward_names(server: Server, name: str) -> None:
    with with_mailbox(server, f"acl {name}") as (imap, box):
        assert imap.setacl(box, "bob", "lr")[0] == "OK"
        assert entries(imap, box)["bob"] == frozenset("lr")
        assert [each.mailbox for each in imap.myrights(box)[1].parsed()] == [box]
        assert [each.mailbox for each in imap.listrights(box, "bob")[1].parsed()] == [box]


def test_a_mailbox_that_is_not_there(server: Server) -> None:
    with logged_in(server, "carol") as imap:
        for typ, data in (imap.getacl(place(server, "nowhere")), imap.setacl(place(server, "nowhere"), "bob", "lr")):
            assert typ == "NO"
            assert data[0]


def test_the_rights_of_another_user(server: Server) -> None:
    if server.others is None:
        not_announced(server, "namespace for the mailboxes of other users")
    with with_mailbox(server, "acl shared", "carol") as (imap, box):
        assert imap.setacl(box, "bob", "lr")[0] == "OK"
        theirs = f"{server.others}carol{server.separator}acl shared"
        with logged_in(server, "bob") as other:
            (mine,) = other.myrights(theirs)[1].parsed()
            assert mine.rights.letters == frozenset("lr")
            assert other.getacl(theirs)[0] == "NO"
            assert other.setacl(theirs, "bob", "+w")[0] == "NO"
            with pytest.raises(readonly):
                other.select(theirs)


def test_callbacks(server: Server) -> None:
    answers = Answers()
    with with_mailbox(server, "acl called") as (imap, box):
        in_order: list[tuple[Any, ...]] = [
            (imap.setacl, box, "bob", "lr"),
            (imap.getacl, box),
            (imap.myrights, box),
            (imap.listrights, box, "bob"),
            (imap.deleteacl, box, "bob"),
        ]
        for number, (command, *arguments) in enumerate(in_order):
            assert command(*arguments, callback=answers, cb_arg=number) == (None, None)
        answers.wait(*range(len(in_order)))
        assert {number: failure for number, (_, failure) in answers.given.items() if failure} == {}
        # They went out in this order: what changes rights waits for those before, and is waited for.
        assert answers.given[1][0][1].parsed()[0].of("bob").letters == frozenset("lr")
        assert "bob" not in entries(imap, box)


def test_8_threads_ask_about_different_mailboxes(server: Server) -> None:
    with logged_in(server, "u10") as imap:
        boxes = [place(server, f"acl{number}") for number in range(4)]
        for number, box in enumerate(boxes):
            assert imap.create(box)[0] == "OK"
            assert imap.setacl(box, f"u{number:02}", "lr")[0] == "OK"

        def ask(thread: int) -> None:
            for turn in range(12):
                number = (thread + turn) % 4
                assert f"u{number:02}" in entries(imap, boxes[number])
                (mine,) = imap.myrights(boxes[number])[1].parsed()
                (listed,) = imap.listrights(boxes[number], f"u{thread:02}")[1].parsed()
                assert (mine.mailbox, listed.mailbox, listed.who) == (boxes[number], boxes[number], f"u{thread:02}")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(8)))
        assert not {name for name, _ in imap.untagged_responses} & {"ACL", "MYRIGHTS", "LISTRIGHTS"}
        for box in boxes:
            assert imap.delete(box)[0] == "OK"


def test_identifiers_in_utf_8(server: Server) -> None:
    with with_mailbox(server, "acl utf8") as (imap, box):
        if Quirk.ASCII_IDENTIFIERS in server.quirks:
            assert outcome(imap.setacl, box, "Renée", "lr")[0] in ("NO", "BAD")
            assert imap.noop()[0] == "OK"
            return
        assert imap.setacl(box, "Renée", "lr")[0] == "OK"
        assert entries(imap, box)["Renée"] == frozenset("lr")
        assert imap.deleteacl(box, "Renée")[0] == "OK"
        assert "Renée" not in entries(imap, box)


def test_anyone(server: Server) -> None:
    with with_mailbox(server, "acl anyone") as (imap, box):
        refused = Quirk.NO_RIGHTS_FOR_ANYONE in server.quirks
        assert outcome(imap.setacl, box, "anyone", "lr")[0] == ("BAD" if refused else "OK")
        assert entries(imap, box).get("anyone") == (None if refused else frozenset("lr"))
