"""The mixins of families among the bases of a program's own class: ``class MyIMAP(IMAP4, GmailCommands)``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Unpack

import pytest

from imapkit import IMAP4, FamilyDisabledError
from imapkit.core.contract.command import Command
from imapkit.core.contract.commands import CallOptions, Commands, Result
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.ext.quota import QuotaCommands
from imapkit.testing import ClientFactory, ServerFactory


class BlinkCommands(Commands):
    def blink(self, **options: Unpack[CallOptions]) -> Result:
        """Send XBLINK."""
        return self._call("XBLINK", **options)


class BetterCommands(Commands):
    def getquota(self, root: str | bytes, **options: Unpack[CallOptions]) -> Result:
        """Send no GETQUOTA at all."""
        return self._deliver(("OK", [b"better"]), **options)


BLINK = Family("blink", BlinkCommands, commands=(Command("XBLINK", State.ANY),))
BETTER = Family("better", BetterCommands, requires=("quota",), replaces=("method:getquota",))


class MyIMAP(IMAP4, BlinkCommands, QuotaCommands):
    """A program's own class."""


class Overriding(MyIMAP):
    """A program's own class with a method of its own."""

    def blink(self, **options: Unpack[CallOptions]) -> Result:
        """Blink twice."""
        super().blink(**options)
        return super().blink(**options)


@pytest.fixture
def connect(imap_server: ServerFactory, imap_client: ClientFactory) -> Any:
    """Connect a client of a class, with some families."""
    server = imap_server(handlers={"XBLINK": lambda conversation, command: conversation.ok(command)})
    return lambda cls, families=None: imap_client(server, cls=cls, families=families)


def test_with_its_family_it_works(connect: Any) -> None:
    imap = connect(MyIMAP, ["rev1", "quota", BLINK])
    assert imap.blink() == imap.BLINK() == ("OK", [b"done"])
    assert imap.family(BlinkCommands) is imap
    assert isinstance(imap, MyIMAP)
    assert type(imap).__name__ == "MyIMAP"


@pytest.mark.parametrize("families", [None, ["rev1"], ["rev1", "quota"]])
def test_without_its_family_it_says_so(connect: Any, families: Any) -> None:
    imap = connect(MyIMAP, families)
    assert not hasattr(imap, "blink")
    said = "BlinkCommands is the mixin of no family that this client has; .*give its module in families="
    with pytest.raises(FamilyDisabledError, match=said):
        imap.blink()
    with pytest.raises(FamilyDisabledError, match=said):
        _ = imap.BLINK
    with pytest.raises(FamilyDisabledError, match=said):
        imap.family(BlinkCommands)
    assert imap.noop()[0] == "OK"


def test_a_builtin_family_that_is_left_out_is_absent_all_the_same(connect: Any) -> None:
    imap = connect(MyIMAP, ["rev1", BLINK])
    with pytest.raises(FamilyDisabledError, match=r"getquota\(\) is in the family 'quota', which is not among families="):
        imap.getquota("")
    with pytest.raises(FamilyDisabledError, match="QuotaCommands is the mixin of no family"):
        imap.family(QuotaCommands)


def test_a_family_that_was_switched_off_is_named(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPKIT_DISABLE", "blink")
    # What a client has is settled once for the same families; these are others.
    imap = connect(MyIMAP, ["rev1", "quota", replace(BLINK)])
    with pytest.raises(FamilyDisabledError, match=r"these are absent: 'blink' \(switched off by IMAPKIT_DISABLE\)"):
        imap.blink()


def test_a_replacing_method_comes_first_for_any_bases(connect: Any) -> None:
    assert connect(MyIMAP, ["rev1", "quota", BETTER, BLINK]).getquota("") == ("OK", [b"better"])


def test_the_programs_own_methods_come_before_all(connect: Any) -> None:
    assert connect(Overriding, ["rev1", BLINK]).blink() == ("OK", [b"done"])
    assert hasattr(connect(Overriding, ["rev1"]), "blink")
