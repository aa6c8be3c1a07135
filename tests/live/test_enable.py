"""ENABLE against real servers. Neither has UTF8=ACCEPT, so a family of this test's own vouches for CONDSTORE (RFC 7162)."""

from __future__ import annotations

import pytest

from imapkit import ArgumentError, ext
from imapkit.family import Family
from tests.live.support import connect, logged_in
from tests.servers.base import Server

pytestmark = pytest.mark.live
VOUCHING = [*sorted(ext.INDEX), Family("vouching", enables=("CONDSTORE",))]


@pytest.fixture(params=["dovecot", "cyrus"])
def enabling(request: pytest.FixtureRequest) -> Server:
    """A server that announces ENABLE."""
    found: Server = request.getfixturevalue(request.param)
    return found


def test_what_is_enabled(enabling: Server) -> None:
    with connect(enabling, families=VOUCHING) as imap:
        imap.login("tester", enabling.users["tester"])
        assert imap.enable("CONDSTORE")[0] == "OK"
        assert "CONDSTORE" in imap._session.enabled
        assert b"CONDSTORE" in imap.response("ENABLED")[1][0]
        assert imap.noop()[0] == "OK"
        imap.select()
        assert imap.response("HIGHESTMODSEQ")[1] != [None]


def test_what_is_not_understood(enabling: Server) -> None:
    with logged_in(enabling) as imap:
        with pytest.raises(ArgumentError, match="CONDSTORE cannot be enabled"):
            imap.enable("CONDSTORE")
        assert imap.noop()[0] == "OK"


def test_utf8_accept_where_it_is_not_announced(enabling: Server) -> None:
    """A server enables what it knows, and says OK all the same."""
    with logged_in(enabling) as imap:
        assert imap.enable("UTF8=ACCEPT")[0] == "OK"
        assert imap._session.enabled == frozenset()


def test_a_server_without_it(pymap: Server) -> None:
    with logged_in(pymap) as imap:
        with pytest.raises(imap.error, match="does not announce ENABLE"):
            imap.enable("UTF8=ACCEPT")
        assert imap.noop()[0] == "OK"
