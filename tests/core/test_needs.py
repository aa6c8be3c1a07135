"""Capabilities that a call needs: what holds, what is implied, and that nothing is sent without them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from imapkit.core.contract.calls import make_call
from imapkit.core.contract.command import Command
from imapkit.core.contract.session import Session, State
from imapkit.errors import Missing, error
from imapkit.plugin import Commands, Enable, Family, Needs, Result
from imapkit.testing import load_only, selected

IMPLIED = load_only("rev1").implied


def session(*announced: str, enabled: tuple[str, ...] = ()) -> Session:
    made = Session({name.upper(): Enable(name) for name in enabled}, implied=IMPLIED)
    made.set_capabilities(announced)
    made.ask_for(enabled)
    made.enable(enabled)
    return made


@pytest.mark.parametrize(
    ("needs", "announced", "enabled", "holds"),
    [
        (Needs("uidplus"), "UIDPLUS", "", True),
        (Needs("UIDPLUS"), "uidplus", "", True),
        (Needs("UIDPLUS"), "UIDPLUSPLUS", "", False),
        (Needs("CONDSTORE"), "QRESYNC", "", True),
        (Needs("QRESYNC"), "CONDSTORE", "", False),
        (Needs("UTF8=ACCEPT"), "UTF8=ONLY", "", True),
        (Needs("METADATA-SERVER"), "METADATA", "", True),
        (Needs("METADATA"), "METADATA-SERVER", "", False),
        (Needs("LITERAL-"), "LITERAL+", "", True),
        (Needs("LITERAL+"), "LITERAL-", "", False),
        (Needs("CONDSTORE"), "X", "CONDSTORE", True),
        (Needs("CONDSTORE", enabled=True), "CONDSTORE", "", False),
        (Needs("CONDSTORE", enabled=True), "CONDSTORE", "CONDSTORE", True),
        (Needs("MOVE"), "IMAP4rev2", "", True),
        (Needs("MOVE"), "IMAP4rev1 IMAP4rev2", "", False),
        (Needs("MOVE"), "IMAP4rev1 IMAP4rev2", "IMAP4rev2", True),
        (Needs("STATUS=SIZE"), "IMAP4rev2", "", True),
        (Needs("BINARY"), "IMAP4rev2", "", False),
        (Needs("APPENDLIMIT"), "APPENDLIMIT=1000", "", True),
        (Needs("APPENDLIMIT=1"), "APPENDLIMIT=1000", "", False),
        (Needs("QUOTA=RES-*"), "QUOTA=RES-STORAGE", "", True),
        (Needs("QUOTA=RES-*"), "QUOTA", "", False),
        (Needs("A") | Needs("B"), "B", "", True),
        (Needs("A") & "B", "B", "", False),
        ("A" | Needs("B"), "A", "", True),
        ((Needs("A") | "B") & "C", "B C", "", True),
        ((Needs("A") | "B") & "C", "A B", "", False),
    ],
)
def test_what_holds(needs: Needs, announced: str, enabled: str, holds: bool) -> None:
    assert needs.holds(session(*announced.split(), enabled=tuple(enabled.split()))) is holds


def test_values_are_as_the_server_wrote_them() -> None:
    found = session("AUTH=Plain", "APPENDLIMIT=1000", "auth=LOGIN", "IMAPSIEVE=sieve://Host")
    assert found.values("auth") == ("Plain", "LOGIN")
    assert found.value("APPENDLIMIT") == "1000"
    assert found.value("IMAPSIEVE") == "sieve://Host"
    assert found.value("AUT") is None
    found.capabilities = ("AUTH=X",)
    assert found.values("AUTH") == ("X",)
    found.forget_capabilities()
    assert found.values("AUTH") == ()


def test_equal_needs_are_equal_and_have_no_truth() -> None:
    assert Needs("a") == Needs("A")
    assert len({Needs("A") | "B", Needs("A") | "B", Needs("A") & "B"}) == 2
    assert Needs("A") != "A"
    with pytest.raises(TypeError, match="ask holds"):
        bool(Needs("A"))
    for wrong in ("", "A B", 5):
        with pytest.raises(TypeError, match="one word"):
            Needs(wrong)  # type: ignore[arg-type]


def called(needs: Any, *announced: str, **options: Any) -> str:
    command = Command("XPURGE", State.ANY, needs=needs, uid=True)
    return make_call({"XPURGE": command}, session(*announced), "XPURGE", (), **options).name


def test_a_call_without_its_capability_is_refused() -> None:
    with pytest.raises(Missing) as caught:
        called((Needs("UIDPLUS") | "XA") & "XPURGE", "xpurge", "X", uid=True)
    assert str(caught.value) == "UID XPURGE needs (UIDPLUS or XA) and XPURGE, of it the server has only XPURGE"
    for found in (caught.value, copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value)), caught.value.fresh()):
        assert (found.command, found.needs, found.has) == ("UID XPURGE", "(UIDPLUS or XA) and XPURGE", ("XPURGE",))
    assert isinstance(caught.value, error)
    with pytest.raises(Missing, match="XPURGE needs XPURGE, which the server does not announce"):
        called("XPURGE", "X")
    with pytest.raises(Missing, match="XPURGE needs XPURGE, and the server's capabilities are not known"):
        called("XPURGE")
    assert called("XPURGE", "XPURGE") == called("XPURGE", "X", force=True) == called("XPURGE", "X", generic=True) == "XPURGE"


class Purge(Commands):
    def xpurge(self) -> Result:
        return self._call("XPURGE")


FAMILIES = ["rev1", Family("purge", Purge, (Command("XPURGE", State.ANY, needs="XPURGE"),), contract=2)]


def test_nothing_is_sent() -> None:
    with selected({}, families=FAMILIES, capabilities=b"IMAP4rev1") as (client, server):
        sent = server.names
        with pytest.raises(Missing, match="XPURGE needs XPURGE, which the server does not announce"):
            client.xpurge()
        assert client.noop()[0] == "OK"
        assert server.names == [*sent, "CAPABILITY", "NOOP"]


def test_the_server_is_asked_where_its_capabilities_are_not_known() -> None:
    done = {"XPURGE": lambda conversation, command: conversation.ok(command)}
    with selected(done, families=FAMILIES, capabilities=b"IMAP4rev1 XPURGE") as (client, server):
        client._session.forget_capabilities()
        assert client.xpurge()[0] == "OK"
        assert server.names[-2:] == ["CAPABILITY", "XPURGE"]
