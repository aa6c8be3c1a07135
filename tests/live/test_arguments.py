"""Forms of arguments that a program may use, as real servers take them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from imapkit import IMAP4, ArgumentError
from tests.live.support import filled, letter, logged_in, place, uids_before
from tests.servers.base import Server

pytestmark = pytest.mark.live
LETTERS = [letter(subject) for subject in ("one", "two", "three")]


def numbers(answer: tuple[str, list[Any]]) -> list[int]:
    """The numbers that a search returns."""
    typ, data = answer
    assert typ == "OK"
    return [int(number) for number in (data[0] or b"").split()]


def test_several_items_without_parentheses(server: Server) -> None:
    with filled(server, "arguments items", *LETTERS) as (imap, _):
        typ, data = imap.fetch("1:*", "UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
        assert typ == "OK"
        assert [message.uid for message in data.parsed()] == [uids_before(server) + n for n in (1, 2, 3)]
        assert b"Subject: two" in bytes(data.parsed()[1].body("HEADER.FIELDS (SUBJECT)") or b"")
        assert imap.fetch("1", "FAST")[0] == "OK"


def test_text_between_single_quotes(server: Server) -> None:
    with filled(server, "arguments quotes", *LETTERS) as (imap, box):
        assert imap.fetch("'1:*'", "'(FLAGS)'")[0] == "OK"
        assert imap.store("1", "'+FLAGS'", "'(\\Flagged)'")[0] == "OK"
        assert numbers(imap.search(None, "'FLAGGED'")) == [1]
        assert numbers(imap.search(None, "SUBJECT", "'two OR ALL ALL'")) == [2]
        assert numbers(imap.search(None, "SUBJECT", "\"'two OR ALL ALL'\"")) == []
        assert imap.status(f"'\"{box}\"'", "'(MESSAGES)'")[0] == "OK"
        assert imap.noop()[0] == "OK"


def test_the_keyword_uid(server: Server) -> None:
    with filled(server, "arguments uids", *LETTERS) as (imap, box):
        uids = [uids_before(server) + n for n in (1, 2, 3)]
        assert numbers(imap.search(None, "ALL", uid=True)) == numbers(imap.uid("SEARCH", None, "ALL")) == uids
        assert [message.uid for message in imap.fetch(uids[:2], "FLAGS", uid=True)[1].parsed()] == uids[:2]
        assert imap.store(uids, "+FLAGS", r"\Deleted", uid=True)[0] == "OK"
        assert imap.copy(uids[2], box, uid=True)[0] == "OK"
        assert imap.select(box) == ("OK", [b"4"])


def test_expunge_of_uids(server: Server) -> None:
    with filled(server, "arguments expunged", *LETTERS) as (imap, box):
        if "UIDPLUS" not in imap.capabilities:
            pytest.fail(f"{server.name} does not announce UIDPLUS")
        uids = numbers(imap.search(None, "ALL", uid=True))
        imap.store("1:*", "+FLAGS", r"\Deleted")
        typ, data = imap.expunge(uids[1], uid=True)
        assert (typ, data) == ("OK", [b"2"])
        assert numbers(imap.search(None, "ALL", uid=True)) == [uids[0], uids[2]]
        # Servers name them from the last to the first, or each as what it is by then.
        typ, data = imap.uid("EXPUNGE", f"{uids[0]}:{uids[2]}")
        assert (typ, data) in (("OK", [b"1", b"1"]), ("OK", [b"2", b"1"]))
        assert imap.select(box) == ("OK", [b"0"])


def test_sort_and_thread_by_uid(dovecot: Server) -> None:
    with filled(dovecot, "arguments sorted", *LETTERS) as (imap, _):
        assert numbers(imap.sort("REVERSE SUBJECT", None, "ALL", uid=True)) == [2, 3, 1]
        assert imap.thread("REFERENCES", None, "ALL", uid=True)[0] == "OK"


@pytest.mark.parametrize("name", ["dovecot", "cyrus"])
def test_forms_of_extensions(name: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(name)
    with filled(server, "arguments forms", *LETTERS) as (imap, box):
        assert {"LIST-EXTENDED", "LIST-STATUS", "ESEARCH"} <= set(imap.capabilities)
        typ, data = imap.xatom("LIST", '""', f'"{box}"', "RETURN (STATUS (MESSAGES))")
        assert (typ, len(data)) == ("OK", 1)
        assert box.encode() in data[0]
        assert imap.response("STATUS")[1][0].endswith(b"(MESSAGES 3)")
        typ, data = imap.xatom("LIST", '""', f'("{box}" "INBOX")')
        assert (typ, len(data)) == ("OK", 2)
        assert imap.xatom("SEARCH", "RETURN (COUNT)", "ALL") == ("OK", [None])
        assert imap.response("ESEARCH")[1][0].endswith(b"COUNT 3")
        assert imap.uid("FETCH", "1:*", "(FLAGS)", "(CHANGEDSINCE 1)")[0] == "OK"


def test_catenate(dovecot: Server) -> None:
    with filled(dovecot, "catenated", *LETTERS) as (imap, box):
        assert "CATENATE" in imap.capabilities
        assert imap.xatom("APPEND", f'"{box}"', r"(\Seen)", f'CATENATE (URL "/{quote(box)}/;UID=1")')[0] == "OK"
        assert imap.noop()[0] == "OK"
        assert imap.select(box) == ("OK", [b"4"])


def test_none_sends_nothing(server: Server) -> None:
    def refused(imap: IMAP4) -> None:
        with pytest.raises(ArgumentError, match="None"):
            imap.select(None)  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match="None"):
            imap.search(None, "FROM", None)

    with logged_in(server) as imap:
        refused(imap)
        assert imap.state == "AUTH"
        assert imap.create(place(server, "arguments nothing"))[0] == "OK"
        assert imap.select(place(server, "arguments nothing"))[0] == "OK"
        refused(imap)
        assert imap.state == "SELECTED"


def test_xatom_enables_only_what_is_understood(dovecot: Server) -> None:
    with logged_in(dovecot) as imap:
        with pytest.raises(ArgumentError, match="QRESYNC cannot be enabled"):
            imap.xatom("ENABLE", "QRESYNC")
        assert imap.xatom("ENABLE", "QRESYNC", force=True)[0] == "OK"
        assert b"QRESYNC" in imap.response("ENABLED")[1][0]
        assert imap.noop()[0] == "OK"
