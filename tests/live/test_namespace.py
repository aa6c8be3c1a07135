"""NAMESPACE, against real servers that have it: the names are where it says."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.ext.namespace import Namespace, Namespaces
from imapkit.plugin import MailboxName
from tests.live.support import Answers, connect, logged_in, needing
from tests.servers.base import Server

pytestmark = pytest.mark.live


@pytest.fixture
def spaced(server: Server) -> Server:
    """Each of the servers that have namespaces."""
    return needing(server, "NAMESPACE")


def as_configured(server: Server, found: Namespaces) -> bool:
    """Whether NAMESPACE gives the prefixes that this server is configured with."""
    separator = server.separator.encode()
    personal = (Namespace(MailboxName(server.personal.encode()), separator),)
    others = server.others and (Namespace(MailboxName(server.others.encode()), separator),)
    shared = found.shared or ()
    return (found.personal, found.other) == (personal, others) and {space.raw_delimiter for space in shared} <= {separator}


def told(answer: tuple[str, Any]) -> Namespaces:
    typ, data = answer
    assert (typ, len(data)) == ("OK", 1)
    [found] = data.parsed()
    assert isinstance(found, Namespaces)
    return found


def test_the_namespaces_of_the_server(spaced: Server) -> None:
    with logged_in(spaced) as imap:
        assert as_configured(spaced, told(imap.namespace()))
        imap.select()
        assert as_configured(spaced, told(imap.namespace()))


def test_a_mailbox_can_be_made_there(spaced: Server) -> None:
    with logged_in(spaced) as imap:
        personal = told(imap.namespace()).personal
        assert personal is not None
        name = f"{personal[0].mailbox}namespaced"
        assert imap.create(name)[0] == "OK"
        [listed] = imap.list('""', name)[1].parsed()
        assert (listed.mailbox, listed.delimiter) == (name, personal[0].delimiter)


def test_not_before_login(spaced: Server) -> None:
    with connect(spaced) as imap, pytest.raises(imap.error):
        imap.namespace()


def test_callback(spaced: Server) -> None:
    with logged_in(spaced) as imap:
        answers = Answers()
        imap.namespace(callback=answers, cb_arg=0)
        answers.wait(0)
        result, failure = answers.given[0]
        assert failure is None
        assert as_configured(spaced, told(result))
