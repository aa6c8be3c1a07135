"""ID, against the servers that announce it."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.ext.id import Identity
from tests.live.support import Answers, connect, logged_in, needing, outcome
from tests.servers.base import Server, not_announced
from tests.servers.quirks import Quirk

pytestmark = pytest.mark.live


@pytest.fixture
def known(server: Server) -> Server:
    """Each of the servers that announce ID."""
    if Quirk.ID_SAYS_NOTHING in server.quirks:
        not_announced(server, "name to tell")
    return needing(server, "ID")


def named(server: Server, identity: Identity) -> bool:
    """Whether it gives the name of the product, by which the test calls it."""
    return server.name.startswith((identity.get("Name") or "nothing").split()[0].lower())


def identity_in(answer: tuple[str, Any]) -> Identity:
    """The server's ID values."""
    typ, data = answer
    assert typ == "OK"
    [identity] = data.parsed()
    assert isinstance(identity, Identity)
    return identity


def test_in_every_state(known: Server) -> None:
    with connect(known) as imap:
        assert "ID" in imap.capabilities
        first = identity_in(imap.id())
        imap.login("tester", known.users["tester"])
        later = identity_in(imap.id())
        imap.select()
        selected = identity_in(imap.id("name", "imapkit"))
        for identity in (first, later, selected):
            assert named(known, identity)
        assert imap.state == "SELECTED"


@pytest.mark.parametrize(
    "given",
    [
        (),
        (None,),
        ("NIL",),
        ({},),
        ("name", "imapkit"),
        ("name", "imapkit", "version", None),
        ('("name" "imapkit" "version" NIL)',),
        ({"name": "imapkit", "vendor": 'a "b" \\c)', "os": "", "version": 3},),
        ({b"name": b"imapkit", "support-url": None},),
        ("vendor", "café"),
        ("arguments", "x" * 1000),
        ("environment", "x" * 1024),
        ({f"{number:030}": str(number) for number in range(30)},),
    ],
    ids=[
        "nothing", "None", "NIL", "no pairs", "a pair", "a value of NIL", "formatted", "a mapping", "bytes", "8 bit", "long",
        "longest", "most",
    ],
)  # fmt: skip
def test_every_form(known: Server, given: tuple[Any, ...]) -> None:
    with logged_in(known) as imap:
        assert named(known, identity_in(imap.id(*given)))
        assert imap.noop()[0] == "OK"


def test_callback(known: Server) -> None:
    with logged_in(known) as imap:
        answers = Answers()
        imap.id("name", "imapkit", callback=answers, cb_arg="id")
        answers.wait("id")
        result, failure = answers.given["id"]
        assert failure is None
        assert named(known, identity_in(result))


@pytest.mark.parametrize("server", ["cyrus", "cyrus310", "cyrus312"], indirect=True)
def test_cyrus_tells_more(server: Server) -> None:
    with logged_in(server) as imap:
        identity = identity_in(imap.id())
        assert "Cyrus" in (identity.get("vendor") or "")
        assert {b"name", b"version", b"os"} <= set(identity.fields)


def test_pymap_says_nothing(pymap: Server) -> None:
    with logged_in(pymap) as imap:
        for given in ((), ("name", "imapkit"), ({"vendor": "café", "os": ""},)):
            typ, data = imap.id(*given)
            assert (typ, data, data.parsed()) == ("OK", [b"NIL"], [None])
        # It does not accept NIL as a value.
        assert outcome(imap.id, "name", "imapkit", "version", None)[0] == "BAD"
        assert imap.noop()[0] == "OK"
