"""A family's own state, and what it declares for others: rules, offers, steps and quirks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from imapkit.core.contract.calls import make_call
from imapkit.core.plugins.registry import Registry
from imapkit.errors import ArgumentError, PluginError
from imapkit.plugin import Command, Family, Needs, Quirk, Session, Slot, State, StateStep
from imapkit.testing import load_only

BOX: Slot[list[int]] = Slot("test.box", list, "select")
USER: Slot[list[int]] = Slot("test.user", list, "login")
LINK: Slot[list[int]] = Slot("test.link", list)
SLOTS = (BOX, USER, LINK)


def kept(session: Session) -> list[str]:
    return [slot.name for slot in SLOTS if session.slot(slot)]


def filled() -> Session:
    session = Session()
    session.enter(State.AUTH)
    for slot in SLOTS:
        session.slot(slot).append(1)
        assert session.slot(slot) is session.slot(slot)
    return session


@pytest.mark.parametrize(
    ("event", "left"),
    [
        (lambda session: session.select("INBOX", readonly=False), ["test.user", "test.link"]),
        (lambda session: session.enter(State.SELECTED), ["test.user", "test.link"]),
        (lambda session: session.enter(State.AUTH), ["test.user", "test.link"]),
        (lambda session: session.enter(State.NONAUTH), ["test.link"]),
        (lambda session: session.enter(State.LOGOUT), ["test.link"]),
        (lambda session: session.change_user(), ["test.link"]),
        (lambda session: session.distrust(), []),
        (lambda session: session.forget_capabilities(), ["test.box", "test.user", "test.link"]),
    ],
)
def test_what_resets_a_slot(event: Any, left: list[str]) -> None:
    session = filled()
    event(session)
    assert kept(session) == left
    session.put(BOX, [5])
    assert session.slot(BOX) == [5]


def test_the_login_resets_what_was_there_before() -> None:
    session = Session()
    for slot in SLOTS:
        session.slot(slot).append(1)
    session.enter(State.AUTH)
    assert kept(session) == ["test.link"]
    assert Session().slot(LINK) == []


def test_a_slot_that_is_made_wrongly() -> None:
    with pytest.raises(TypeError, match="until='later' is none of"):
        Slot("x", list, "later")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="is no function: write dict"):
        Slot("x", 5)  # type: ignore[arg-type]


def only_uids(session: Session, name: str, args: tuple[Any, ...], uid: bool) -> None:
    if not uid and session.has("UIDONLY"):
        raise ArgumentError(f"{name}: by UID only")


def no_seven(session: Session, name: str, args: tuple[Any, ...], uid: bool) -> None:
    if 7 in args:
        raise ArgumentError(f"{name}: not seven")


COMMANDS = tuple(Command(name, State.ANY, uid=True) for name in ("XGET", "XPUT"))


def test_families_have_rules_about_others_commands() -> None:
    one, two = Family("one", guards={"XGET": only_uids}), Family("two", guards={"*": no_seven})
    commands = load_only(Family("base", commands=COMMANDS), one, two).commands
    session = Session()
    session.set_capabilities(["UIDONLY"])

    def call(name: str, *args: Any, **options: Any) -> str:
        return make_call(commands, session, name, args, **options).name

    with pytest.raises(ArgumentError, match="XGET: by UID only"):
        call("XGET", 1)
    for name in ("XGET", "XPUT"):
        with pytest.raises(ArgumentError, match=f"{name}: not seven"):
            call(name, 7, uid=True)
    assert call("XGET", 1, uid=True) == "UID XGET"
    assert call("XPUT", 1) == "XPUT"
    assert call("XGET", 7, force=True) == "XGET"


def test_families_offer_to_open_registries() -> None:
    registry = load_only(
        Family("one", offers={"sasl": {"PLAIN": 1}, "roles": {"Trash": 2}}), Family("two", offers={"sasl": {"Scram": 3}})
    )
    assert registry.offers("sasl") == {"PLAIN": 1, "Scram": 3}
    assert registry.offers("roles") == {"Trash": 2}
    assert registry.offers("unknown") == {}


def step(at: Any, order: float = 50, *, replay: bool = True) -> StateStep:
    return StateStep(at, lambda client: None, order, replay)


def test_steps_are_in_order() -> None:
    first, last, late, tls = step("login", 10), step("login", 90), step("login"), step("tls")
    base, once = step("login"), step("login", replay=False)
    registry = load_only(
        Family("a", steps=(last, late, first), requires=("z",)), Family("z", steps=(base, tls)), Family("m", steps=(once,))
    )
    assert [id(one) for one in registry.steps("login")] == [id(one) for one in (first, base, late, once, last)]
    assert [id(one) for one in registry.steps("login", replay=True)] == [id(one) for one in (first, base, late, last)]
    assert registry.steps("tls") == (tls,)
    assert registry.steps("greeting") == ()


EXCHANGE = Quirk("Exchange", greeting="microsoft exchange", hides=("Move",), limits={"connections": 5}, prefers=("copy",))
OLD = Quirk("Old", id={"Name": "cyrus", "version": "2."}, hides=("CONDSTORE",))
HALF = Quirk("Half", greeting="half", capabilities=Needs("XA") & "XB")


def found(registry: Registry, greeting: bytes, told: Mapping[str, str] | None = None, *announced: str) -> list[str]:
    session = Session()
    session.set_capabilities(announced or ("IMAP4rev1",))
    return [quirk.name for quirk in registry.quirks(session, greeting, told)]


def test_a_server_is_known_by_its_greeting_its_id_and_its_capabilities() -> None:
    registry = load_only(Family("one", quirks=(EXCHANGE, OLD)), Family("two", quirks=(HALF,)))
    assert found(registry, b"The Microsoft Exchange IMAP4 service is ready") == ["Exchange"]
    assert found(registry, b"hi") == found(registry, b"hi", {"name": "Cyrus", "version": "3.6"}) == []
    assert found(registry, b"hi", {"NAME": "Cyrus IMAP", "Version": "2.4"}) == ["Old"]
    assert found(registry, b"Half", None, "XA") == []
    assert found(registry, b"Half \xff", None, "XA", "XB") == ["Half"]


def test_what_a_quirk_hides_is_not_there() -> None:
    session = Session(implied=load_only(Family("x", implies={"QRESYNC": ("Condstore",)})).implied)
    session.set_capabilities(["MOVE", "QRESYNC"])
    session.hide(EXCHANGE.hides)
    assert not session.has("move")
    assert not Needs("MOVE").holds(session)
    assert session.has("CONDSTORE")
    session.hide(["QRESYNC"])
    assert not session.has("QRESYNC")
    assert not session.has("CONDSTORE")
    session.set_capabilities(["AUTH=A", "AUTH=B"])
    session.hide(["auth=a"])
    assert session.values("AUTH") == ("B",)


def test_no_family_replaces_an_offer_that_it_does_not_bring() -> None:
    with pytest.raises(PluginError, match=r"replaces 'offer:sasl\.X'"):
        load_only(Family("one", replaces=("offer:sasl.X",)))
