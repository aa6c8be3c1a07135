"""Refusals of real servers: the rows sent before them, and the state after them."""

from __future__ import annotations

import pytest

from imapkit import IMAP4, CommandNo
from imapkit.ext.rev1.fetch import FetchData
from tests.live.support import filled, letter, logged_in, outcome, syntax_error
from tests.servers.base import Server

pytestmark = pytest.mark.live

UNDECODABLE = "MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: x-unheard-of\r\n"


def test_rows_before_a_no_survive(dovecot: Server) -> None:
    """RFC 3516 section 4.3: a part that cannot be decoded fails the command, in the middle of its rows."""
    with filled(dovecot, "undecodable", letter("a"), letter("b", more=UNDECODABLE), letter("c")) as (imap, _):
        typ, data = imap.fetch("1:3", "(UID BINARY.PEEK[1])")
        assert typ == "NO"
        first = data.parsed()[0]
        assert isinstance(first, FetchData)
        assert (first.number, first.items["BINARY[1]"]) == (1, b"hello\r\n")
        with pytest.raises(CommandNo) as caught:
            data.check()
        assert (caught.value.code, caught.value.command) == ("UNKNOWN-CTE", "FETCH")
        assert caught.value.data.parsed()[0] == first
        kept = imap.response("FETCH")[1]
        assert imap.parse("FETCH", kept)[0] == first
        assert imap.response("FETCH")[1] == [None]


def test_a_strict_client(server: Server) -> None:
    with logged_in(server, strict=True) as imap:
        with pytest.raises(CommandNo) as caught:
            imap.select("there is no such mailbox")
        assert (caught.value.typ, caught.value.command) == ("NO", "SELECT")
        assert imap.state == "AUTH"
        assert imap.noop()[0] == "OK"


def is_selected(imap: IMAP4) -> bool:
    """Whether the server takes a command of the selected state, whatever the client believes."""
    believed, imap.state = imap.state, "SELECTED"
    typ = outcome(imap.fetch, "1:*", "FLAGS")[0]
    imap.state = believed
    return typ == "OK"


def test_state_says_what_holds_after_a_select_that_fails(server: Server) -> None:
    with filled(server, "left", letter("a")) as (imap, box):
        # Cyrus keeps the mailbox, Dovecot says that it is closed, and pymap takes any parameter.
        typ = outcome(imap.xatom, "SELECT", box, "(X-NONSENSE (1))")[0]
        assert typ in ("OK", "BAD", syntax_error(server))
        if typ != "NO":
            # After a NO no mailbox is selected (RFC 3501 section 6.3.1), but a server that means BAD by it may have kept it.
            assert is_selected(imap) == (imap.state == "SELECTED")
        assert imap.select("there is no such mailbox")[0] == "NO"
        assert (imap.state, imap.mailbox) == ("AUTH", None)
        assert not is_selected(imap)
