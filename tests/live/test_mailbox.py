"""The mailbox commands of the base family, against real servers."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit import IMAP4, readonly
from tests.live.support import Answers, letter, logged_in, needing, place, uids_before
from tests.servers.base import Server, not_announced
from tests.servers.quirks import Quirk

pytestmark = pytest.mark.live

AWKWARD = ["a b", 'quo"te', "back\\slash", "R&D", "Reçus", "日本語", "(paren)", "per%cent", "st*r", "{5}", "NIL", "'quoted'"]
REFUSED = {'quo"te', "back\\slash", "per%cent", "{5}"}
"""Names with a character that is not on the list of a server that has one."""


def names(data: list[Any]) -> list[str]:
    """The names in what LIST returned."""
    return [entry.mailbox for entry in parsed(data)]


def parsed(data: Any) -> list[Any]:
    """The LIST responses, understood."""
    found: list[Any] = data.parsed() if data != [None] else []
    return found


def test_create_list_rename_delete(server: Server) -> None:
    with logged_in(server) as imap:
        box, other = place(server, "made"), place(server, "renamed")
        assert imap.create(box)[0] == "OK"
        assert imap.list("", box)[1] != [None]
        assert imap.create(box)[0] == "NO"
        assert imap.rename(box, other)[0] == "OK"
        assert imap.list("", box) == ("OK", [None])
        assert imap.select(box)[0] == "NO"
        assert imap.select(other)[0] == "OK"
        assert imap.examine("INBOX")[0] == "OK"
        assert imap.delete(other)[0] == "OK"
        assert imap.list("", other) == ("OK", [None])
        assert imap.delete(other)[0] == "NO"


def test_list_patterns(server: Server) -> None:
    separator = server.separator
    with logged_in(server) as imap:
        top = place(server, "tree")
        whole = [top, f"{top}{separator}one", f"{top}{separator}two", f"{top}{separator}two{separator}deep"]
        for box in whole:
            assert imap.create(box)[0] == "OK"
        assert sorted(names(imap.list("", f"{top}*")[1])) == whole
        assert sorted(names(imap.list("", f"{top}{separator}%")[1])) == whole[1:3]
        assert sorted(names(imap.list('""', f'"{top}{separator}%"')[1])) == whole[1:3]
        every = names(imap.list()[1])
        assert set(whole) < set(every)
        assert "INBOX" in every
        assert {entry.delimiter for entry in parsed(imap.list()[1])} == {separator}


def test_the_delimiter(server: Server) -> None:
    with logged_in(server) as imap:
        (entry,) = parsed(imap.list("", "")[1])
        assert entry.delimiter == server.separator


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names(server: Server, name: str) -> None:
    with logged_in(server, "alice") as imap:
        box = place(server, name)
        given = f'"{escaped(box)}"' if name.startswith(("'", "(")) else box
        typ, _ = imap.create(given)
        assert typ == ("NO" if Quirk.FEW_CHARACTERS_IN_NAMES in server.quirks and name in REFUSED else "OK")
        if typ == "NO":
            return
        assert imap.append(given, None, None, letter(name))[0] == "OK"
        (found,) = [entry for entry in names(imap.list()[1]) if entry == box]
        assert imap.status(given, "(MESSAGES)")[0] == "OK"
        assert imap.select(f'"{escaped(found)}"') == ("OK", [b"1"])
        assert imap.close()[0] == "OK"
        assert imap.subscribe(given)[0] == "OK"
        assert box in names(imap.lsub()[1])
        assert imap.unsubscribe(given)[0] == "OK"
        assert box not in names(imap.lsub()[1])
        assert imap.rename(given, place(server, "was awkward"))[0] == "OK"
        assert imap.delete(place(server, "was awkward"))[0] == "OK"


def escaped(name: str) -> str:
    """The inside of a quoted string."""
    return name.replace("\\", "\\\\").replace('"', '\\"')


def test_bytes_are_sent_as_they_are(server: Server) -> None:
    with logged_in(server) as imap:
        box = place(server, "Re&AOc-us").encode()
        assert imap.create(box)[0] == "OK"
        assert place(server, "Reçus") in names(imap.list()[1])
        assert imap.delete(place(server, "Reçus"))[0] == "OK"


def test_subscriptions(server: Server) -> None:
    with logged_in(server) as imap:
        box = place(server, "subscribed")
        assert imap.create(box)[0] == "OK"
        assert imap.subscribe(box)[0] == "OK"
        assert box in names(imap.lsub()[1])
        assert names(imap.lsub("", box)[1]) == [box]
        assert imap.unsubscribe(box)[0] == "OK"
        assert imap.lsub("", box) == ("OK", [None])


def test_status(server: Server) -> None:
    with logged_in(server) as imap:
        box = place(server, "counted")
        assert imap.create(box)[0] == "OK"
        assert imap.append(box, r"\Seen", None, letter("one"))[0] == "OK"
        assert imap.append(box, None, None, letter("two"))[0] == "OK"
        for asked in ("(MESSAGES UNSEEN UIDNEXT)", "MESSAGES UNSEEN UIDNEXT", ["MESSAGES", "UNSEEN", "UIDNEXT"]):
            typ, data = imap.status(box, asked)
            assert typ == "OK"
            (status,) = parsed(data)
            assert status.mailbox == box
            assert (status.messages, status.unseen, status.uidnext) == (2, 1, uids_before(server) + 3)
        assert b"(" in data[0]


def test_select_says_what_is_there(server: Server) -> None:
    with logged_in(server) as imap:
        box = place(server, "selected")
        assert imap.create(box)[0] == "OK"
        for number in range(3):
            imap.append(box, None, None, letter(str(number)))
        assert imap.select(box) == ("OK", [b"3"])
        assert (imap.state, imap.mailbox, imap.is_readonly) == ("SELECTED", box, False)
        assert b"\\Seen" in imap.response("FLAGS")[1][-1]
        assert int(imap.response("UIDVALIDITY")[1][-1]) > 0
        if Quirk.NO_UIDNEXT_ON_SELECT not in server.quirks:
            assert int(imap.response("UIDNEXT")[1][-1]) == uids_before(server) + 4
        assert b"\\Deleted" in imap.response("PERMANENTFLAGS")[1][-1]
        assert imap.response("UIDVALIDITY") == ("UIDVALIDITY", [None])


def test_select_empties_what_was_kept(server: Server) -> None:
    with logged_in(server) as imap:
        imap.select("INBOX")
        assert imap.untagged_responses
        imap.select("INBOX")
        assert len([name for name, _ in imap.untagged_responses if name == "UIDVALIDITY"]) == 1


def test_examine(server: Server) -> None:
    with logged_in(server) as imap:
        box = place(server, "examined")
        assert imap.create(box)[0] == "OK"
        assert imap.append(box, None, None, letter("one"))[0] == "OK"
        assert imap.examine(box) == ("OK", [b"1"])
        assert imap.is_readonly
        assert imap.fetch(1, "(BODY[])")[0] == "OK"
        # It was only looked at.
        assert b"\\Seen" not in imap.fetch(1, "FLAGS")[1][0]
        imap.store(1, "+FLAGS", r"\Deleted")  # Dovecot says OK, and does not do it.
        assert b"\\Deleted" not in imap.fetch(1, "FLAGS")[1][0]
        assert imap.select(box, readonly=True)[0] == "OK"
        assert imap.select(box)[0] == "OK"
        assert not imap.is_readonly


def test_a_mailbox_that_is_not_there(server: Server) -> None:
    with logged_in(server) as imap:
        assert imap.select("INBOX")[0] == "OK"
        missing = place(server, "nowhere at all")
        typ, data = imap.select(missing)
        assert typ == "NO"
        assert data[0]
        assert (imap.state, imap.mailbox) == ("AUTH", None)
        with pytest.raises(IMAP4.error, match=r"(?i)state"):
            imap.fetch(1, "FLAGS")
        assert imap.status(missing, "(MESSAGES)")[0] == "NO"
        typ, data = imap.append(missing, None, None, letter("lost"))
        assert typ == "NO"
        assert b"[TRYCREATE]" in data[0]
        assert imap.select("INBOX")[0] == "OK"


def test_a_mailbox_that_may_only_be_read(server: Server) -> None:
    """A right to read and no other: SELECT says [READ-ONLY]."""
    if needing(server, "ACL").others is None:
        not_announced(server, "namespace for the mailboxes of other users")
    theirs = f"{server.others}carol{server.separator}to be read"
    with logged_in(server, "carol") as owner:
        assert owner.create(place(server, "to be read"))[0] == "OK"
        assert owner.xatom("SETACL", place(server, "to be read"), "bob", "lr")[0] == "OK"
    with logged_in(server, "bob") as imap:
        with pytest.raises(readonly):
            imap.select(theirs)
        assert (imap.state, imap.is_readonly) == ("SELECTED", True)
        assert imap.select(theirs, readonly=True) == ("OK", [b"0"])


def test_arguments_that_would_inject_commands(server: Server) -> None:
    with logged_in(server) as imap:
        for name in ("INBOX\r\nX1 DELETE INBOX", "INBOX\n", "a\0b"):
            for command in (imap.select, imap.create, imap.delete, imap.subscribe):
                with pytest.raises(IMAP4.error, match=r"CR|LF|NUL"):
                    command(name)
        assert imap.noop()[0] == "OK"


def test_callbacks(server: Server) -> None:
    answers = Answers()
    with logged_in(server) as imap:
        box, other = place(server, "called"), place(server, "called back")
        in_order: list[tuple[Any, ...]] = [
            (imap.create, box),
            (imap.append, box, None, None, letter("one")),
            (imap.subscribe, box),
            (imap.list, "", box),
            (imap.lsub, "", box),
            (imap.status, box, "(MESSAGES)"),
            (imap.select, box),
            (imap.examine, box),
            (imap.unsubscribe, box),
            (imap.select, "INBOX"),
            (imap.rename, box, other),
            (imap.delete, other),
        ]
        for number, (command, *arguments) in enumerate(in_order):
            assert command(*arguments, callback=answers, cb_arg=number) == (None, None)
            # Not one command is ambiguous, but the mailbox must be there before it is listed.
            answers.wait(number)
        assert {number: failure for number, (_, failure) in answers.given.items() if failure} == {}
        assert [answers.given[number][0][0] for number in range(len(in_order))] == ["OK"] * len(in_order)
        assert answers.given[6][0] == ("OK", [b"1"])
