"""Commands whose form with UIDs is declared by itself, since it takes other arguments or awaits other responses."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.core.contract.call import Call
from imapkit.core.contract.calls import make_call
from imapkit.core.contract.command import Command
from imapkit.core.contract.session import State
from imapkit.core.grammar import encode, lists
from imapkit.errors import ArgumentError
from imapkit.plugin import Session
from imapkit.testing.families import load_only
from tests.core.support import Driver

PLAIN = Command("XDROP", State.ANY, rest=encode.no_arguments, result=("GONE",))
OWN = Command(
    "UID XDROP",
    State.ANY,
    args=(lists.sequence_set,),
    result=("UIDGONE",),
    expunges=False,
    about=lambda args, uid: (args[0], uid),
    matches=lambda about, response: True,
)
COMMANDS = {command.name: command for command in (PLAIN, OWN)}
MAIL = load_only("rev1")


def made(name: str, *args: Any, commands: Any = COMMANDS, **keywords: Any) -> Call:
    return make_call(commands, Session(), name, args, **keywords)


def test_the_form_with_uids_is_a_command_of_its_own() -> None:
    call = made("XDROP", "4:5", uid=True)
    assert (call.command, call.name, call.pieces, call.uid) == (OWN, "UID XDROP", [b"UID XDROP 4:5"], True)
    assert (call.result, call.about) == (("UIDGONE",), ("4:5", True))


def test_it_can_be_called_by_its_whole_name() -> None:
    call = made("UID XDROP", "4:5")
    assert (call.command, call.name, call.pieces, call.uid) == (OWN, "UID XDROP", [b"UID XDROP 4:5"], True)


def test_the_plain_form_stays_as_it_is() -> None:
    call = made("XDROP")
    assert (call.command, call.name, call.pieces, call.uid, call.result) == (PLAIN, "XDROP", [b"XDROP"], False, ("GONE",))
    with pytest.raises(ArgumentError):
        made("XDROP", "4:5")


def test_a_form_of_its_own_says_itself_whether_messages_may_vanish_meanwhile() -> None:
    assert not made("XDROP", "4:5", uid=True).expunges
    shared = Command("XLOOK", State.ANY, args=(lists.sequence_set,), uid=True, expunges=False, seqnums=True)
    call = made("XLOOK", "4:5", uid=True, commands={"XLOOK": shared})
    assert (call.expunges, call.seqnums) == (True, False)


def test_a_form_of_its_own_needs_no_plain_form() -> None:
    assert made("XDROP", "4:5", uid=True, commands={"UID XDROP": OWN}).command is OWN


def test_an_error_names_the_form_once() -> None:
    with pytest.raises(ArgumentError, match=r"^UID XDROP: "):
        made("XDROP", "x", uid=True)


@pytest.mark.parametrize("args", [(), ("1", "2")])
def test_uid_expunge_takes_a_set_and_expunge_takes_none(args: tuple[str, ...]) -> None:
    with pytest.raises(ArgumentError):
        make_call(MAIL.commands, Session(), "EXPUNGE", args, uid=True)
    with pytest.raises(ArgumentError):
        make_call(MAIL.commands, Session(), "EXPUNGE", ("1",))


def test_uid_expunge_is_sent_by_the_engine_with_its_tag() -> None:
    driver = Driver(tables=MAIL)
    request = driver.submit(make_call(MAIL.commands, driver.engine.session, "EXPUNGE", ("4:5",), uid=True))
    assert driver.pump() == request.tag + b" UID EXPUNGE 4:5\r\n"
    driver.feed(b"* 4 EXPUNGE\r\n")
    driver.end(request)
    assert driver.data(request) == [b"4"]
