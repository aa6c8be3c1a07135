"""Options that families add to other families' commands: where they stand, what they need, what a call then awaits."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.core.contract.call import Call
from imapkit.core.contract.calls import make_call
from imapkit.core.contract.session import Session, State
from imapkit.core.support.secrets import plain
from imapkit.core.wire.pieces import Literal
from imapkit.errors import ArgumentError, FamilyDisabledError, Missing, PluginConflictError, PluginError
from imapkit.plugin import (
    Chosen,
    Command,
    Enable,
    Family,
    Needs,
    Option,
    Place,
    astring,
    mailbox,
    number,
    sequence_set,
    status_items,
)
from imapkit.testing import load_only

STATUS = Option("LIST", "return", "STATUS", (status_items,), "LIST-STATUS", ("STATUS",))
CHILDREN = Option("LIST", "return", "CHILDREN")
SUBSCRIBED = Option("LIST", "select", "SUBSCRIBED")
MIN = Option("SEARCH", "return", "MIN", needs="ESEARCH", adds=("ESEARCH",))
MAX = Option("SEARCH", "return", "MAX", needs="ESEARCH", adds=("ESEARCH",))
QRESYNC = Option("SELECT", "parameters", "QRESYNC", (number,), Needs("QRESYNC", enabled=True), ("VANISHED", "FETCH"))
USE = Option("CREATE", "parameters", "USE", (astring,))
CHANGED = Option("FETCH", "modifiers", "CHANGEDSINCE", (number,))
UNCHANGED = Option("STORE", "modifiers", "UNCHANGEDSINCE", (number,))
SIZE = Option("STATUS", "items", "SIZE")
CATENATE = Option("APPEND", "data", "CATENATE", (astring,))

ONE = Family("one", extends=(STATUS, SUBSCRIBED, MIN, QRESYNC, USE, SIZE), contract=2)
TWO = Family("two", extends=(CHILDREN, MAX, CHANGED, UNCHANGED, CATENATE), contract=2)
REGISTRY = load_only("rev1", "sort_thread", ONE, TWO)


def made(name: str, *args: Any, options: list[Chosen], announced: str = "LIST-STATUS ESEARCH QRESYNC", **more: Any) -> Call:
    session = Session({"QRESYNC": Enable("QRESYNC")})
    session.state = State.SELECTED
    session.set_capabilities(announced.split())
    return make_call(REGISTRY.commands, session, name, args, options=options, **more)


def line(call: Call) -> bytes:
    return b"".join(piece if isinstance(piece, bytes) else b"{%s}" % piece.data for piece in plain(call.pieces))


@pytest.mark.parametrize(
    ("name", "args", "options", "expected"),
    [
        ("LIST", ("", "*"), [STATUS(("UNSEEN",))], b'LIST "" * RETURN (STATUS (UNSEEN))'),
        ("LIST", ("", "*"), [CHILDREN(), STATUS("UNSEEN")], b'LIST "" * RETURN (CHILDREN STATUS (UNSEEN))'),
        ("LIST", ("", "*"), [CHILDREN(), SUBSCRIBED()], b'LIST (SUBSCRIBED) "" * RETURN (CHILDREN)'),
        ("SEARCH", ("UNSEEN",), [MIN(), MAX()], b"SEARCH RETURN (MIN MAX) UNSEEN"),
        ("SORT", ("(DATE)", "UTF-8", "UNSEEN"), [MIN()], b"SORT RETURN (MIN) (DATE) UTF-8 UNSEEN"),
        ("CREATE", ("box",), [USE("a b")], b'CREATE box (USE "a b")'),
        ("FETCH", ("1:4", "FLAGS"), [CHANGED(5)], b"FETCH 1:4 FLAGS (CHANGEDSINCE 5)"),
        ("STORE", ("1", "+FLAGS", "\\Seen"), [UNCHANGED(7)], b"STORE 1 (UNCHANGEDSINCE 7) +FLAGS (\\Seen)"),
        ("STATUS", ("box", "UNSEEN"), [SIZE()], b"STATUS box (UNSEEN SIZE)"),
        ("APPEND", ("box", None, None, b"hi"), [CATENATE("x")], b"APPEND box CATENATE x {hi}"),
        ("NOOP", (), [], b"NOOP"),
    ],
)
def test_where_they_stand(name: str, args: tuple[Any, ...], options: list[Chosen], expected: bytes) -> None:
    assert line(made(name, *args, options=options)) == expected


def test_a_value_may_be_a_literal() -> None:
    pieces = plain(made("CREATE", "box", options=[USE("grün")]).pieces)
    assert pieces[0] == b"CREATE box (USE "
    assert isinstance(pieces[1], Literal)
    assert pieces[2] == b")"


def test_the_call_awaits_what_they_add() -> None:
    call = made("LIST", "", "*", options=[STATUS("UNSEEN"), CHILDREN()])
    assert (call.result, call.added) == (("LIST", "STATUS"), ("STATUS",))
    assert made("SEARCH", "ALL", options=[MIN(), MAX()]).result == ("SEARCH", "ESEARCH")
    assert made("SEARCH", "ALL", options=[MIN()], result=("ESEARCH",)).result == ("ESEARCH",)
    assert made("LIST", "", "*", options=[CHILDREN()]).result == ("LIST",)


def test_without_the_capability_nothing_is_made() -> None:
    with pytest.raises(Missing, match="LIST: STATUS needs LIST-STATUS, which the server does not announce"):
        made("LIST", "", "*", options=[STATUS("UNSEEN")], announced="IMAP4rev1")
    with pytest.raises(Missing, match="SELECT: QRESYNC needs QRESYNC enabled, of it the server has only QRESYNC"):
        made("SELECT", "INBOX", options=[QRESYNC(5)])


def test_unknown_capabilities_are_asked_for_first() -> None:
    session = Session({})
    session.state = State.AUTH
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        session.set_capabilities(["LIST-STATUS"])

    chosen = [STATUS(("UNSEEN",))]
    call = make_call(REGISTRY.commands, session, "LIST", ('""', "*"), options=chosen, ask=ask)
    assert line(call) == b'LIST "" * RETURN (STATUS (UNSEEN))'
    make_call(REGISTRY.commands, session, "LIST", ('""', "*"), options=chosen, ask=ask)
    assert asked == [1]


def test_what_is_wrong_with_the_values() -> None:
    with pytest.raises(TypeError, match="the option STATUS of LIST takes 1 values, not 0"):
        STATUS()
    with pytest.raises(ArgumentError, match="FETCH: CHANGEDSINCE: argument 1: "):
        made("FETCH", "1", "FLAGS", options=[CHANGED("x")])
    with pytest.raises(ArgumentError, match="LIST: the option CHILDREN is given twice"):
        made("LIST", "", "*", options=[CHILDREN(), CHILDREN()])


@pytest.mark.parametrize("option", [Option("LIST", "return", "X"), Option("LIST", "nowhere", "X"), CHANGED(5).option])
def test_an_option_that_no_family_has(option: Option) -> None:
    with pytest.raises(FamilyDisabledError, match="LIST: no family that this client has gives it the option"):
        made("LIST", "", "*", options=[Chosen(option, ())])


def test_two_families_cannot_add_the_same_option() -> None:
    other = Option("LIST", "return", "STATUS", (astring,))
    with pytest.raises(PluginConflictError, match=r'"option:LIST\.RETURN\.STATUS"'):
        load_only("rev1", ONE, Family("x", extends=(other,)))
    registry = load_only("rev1", ONE, Family("x", extends=(other,), replaces=("option:LIST.RETURN.STATUS",)))
    assert registry.options[("LIST", "return", "STATUS")] is other
    assert registry.commands["LIST"].places["return"].options["STATUS"] is other


def test_a_place_that_the_command_does_not_have() -> None:
    wrong = Family("x", extends=(Option("LIST", "retrun", "X"),))
    with pytest.raises(PluginError, match=r"'x' .*adds the option X to LIST at the place 'retrun', .*'return', 'select'"):
        load_only("rev1", wrong)
    assert load_only("rev1", Family("x", extends=(Option("XLATER", "return", "X"),))).options


def test_a_command_of_a_plugin_has_places_too() -> None:
    copy = Command("XCOPY", State.ANY, args=(sequence_set, mailbox), places={"how": Place(1, "HOW", listed=False)})
    fast = Option("XCOPY", "how", "FAST")
    commands = load_only(Family("x", commands=(copy,)), Family("y", extends=(fast,))).commands
    assert line(make_call(commands, Session(), "XCOPY", ("1", "box"), options=[fast()])) == b"XCOPY 1 HOW FAST box"
