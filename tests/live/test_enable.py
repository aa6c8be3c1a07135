"""ENABLE against real servers; for CONDSTORE (RFC 7162) a family of this test's own vouches."""

from __future__ import annotations

import pytest

from imapkit import ArgumentError, ext
from imapkit.core.contract.family import Family
from tests.live.support import announced, connect, logged_in, needing, place
from tests.servers.base import Server, not_announced

pytestmark = pytest.mark.live
VOUCHING = [*sorted(ext.INDEX), Family("vouching", enables=("CONDSTORE",))]


@pytest.fixture
def enabling(server: Server) -> Server:
    """A server that announces ENABLE."""
    return needing(server, "ENABLE")


def test_enabled_extensions(enabling: Server) -> None:
    needing(enabling, "CONDSTORE")
    with connect(enabling, families=VOUCHING) as imap:
        imap.login("tester", enabling.users["tester"])
        assert imap.enable("CONDSTORE")[0] == "OK"
        assert "CONDSTORE" in imap._session.enabled
        assert b"CONDSTORE" in imap.response("ENABLED")[1][0]
        assert imap.noop()[0] == "OK"
        imap.select()
        assert imap.response("HIGHESTMODSEQ")[1] != [None]


def test_unknown_extensions(enabling: Server) -> None:
    with logged_in(enabling) as imap:
        with pytest.raises(ArgumentError, match="CONDSTORE cannot be enabled"):
            imap.enable("CONDSTORE")
        assert imap.noop()[0] == "OK"


def test_utf8_accept_where_it_is_not_announced(enabling: Server) -> None:
    """A server enables the extensions it supports, and says OK all the same."""
    if "UTF8=ACCEPT" in announced(enabling):
        not_announced(enabling, "lack of UTF8=ACCEPT")
    with logged_in(enabling) as imap:
        assert imap.enable("UTF8=ACCEPT")[0] == "OK"
        assert imap._session.enabled == frozenset()


def test_utf8_accept_where_it_is_announced(server: Server) -> None:
    """RFC 6855: mailbox names are UTF-8 from then on, in both directions, and callers see no difference."""
    with logged_in(needing(server, "ENABLE", "UTF8=ACCEPT"), "u12") as imap:
        before, after = place(server, "Reçus before"), place(server, "Reçus 日本語 & co")
        assert imap.create(before)[0] == "OK"
        assert imap.enable("UTF8=ACCEPT")[0] == "OK"
        assert imap._session.enabled == {"UTF8=ACCEPT"}
        assert imap.create(after)[0] == "OK"
        listed = {entry.mailbox: entry for entry in imap.list()[1].parsed()}
        assert {before, after} <= listed.keys()
        for box in (before, after):
            assert imap.select(box)[0] == "OK"
            assert imap.close()[0] == "OK"
            assert [status.mailbox for status in imap.status(box, "(MESSAGES)")[1].parsed()] == [box]
            assert imap.delete(box)[0] == "OK"


def test_a_server_without_it(server: Server) -> None:
    if "ENABLE" in announced(server):
        not_announced(server, "lack of ENABLE")
    with logged_in(server) as imap:
        with pytest.raises(imap.error, match="does not announce ENABLE"):
            imap.enable("UTF8=ACCEPT")
        assert imap.noop()[0] == "OK"
