"""NAMESPACE, against real servers that have it: the names are where it says."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.core.api import MailboxName
from imapkit.ext.namespace import Namespace, Namespaces
from tests.live.support import Answers, connect, logged_in
from tests.servers.base import Server

pytestmark = pytest.mark.live

EXPECTED = {
    "dovecot": Namespaces((Namespace(MailboxName(b""), b"/"),), (Namespace(MailboxName(b"shared/"), b"/"),), None),
    "cyrus": Namespaces(
        (Namespace(MailboxName(b"INBOX."), b"."),),
        (Namespace(MailboxName(b"user."), b"."),),
        (Namespace(MailboxName(b""), b"."),),
    ),
}


@pytest.fixture(params=sorted(EXPECTED))
def spaced(request: pytest.FixtureRequest) -> Server:
    """Each of the servers that have namespaces."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Server)
    return found


def told(answer: tuple[str, Any]) -> Namespaces:
    typ, data = answer
    assert (typ, len(data)) == ("OK", 1)
    [found] = data.parsed()
    assert isinstance(found, Namespaces)
    return found


def test_what_it_tells(spaced: Server) -> None:
    with logged_in(spaced) as imap:
        assert "NAMESPACE" in imap.capabilities
        assert told(imap.namespace()) == EXPECTED[spaced.name]
        imap.select()
        assert told(imap.namespace()) == EXPECTED[spaced.name]


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
        assert told(result) == EXPECTED[spaced.name]
