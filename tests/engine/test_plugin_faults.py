"""A family's function that raises, or returns a wrong value, while the engine calls it: only its own command fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from imapkit.core.contract.call import Call
from imapkit.core.engine.engine import Engine
from imapkit.core.engine.outcome import check
from imapkit.core.engine.request import Request
from imapkit.plugin import Code, Command, Family, Response, Session, State, Untagged
from imapkit.testing.families import load_only
from tests.core.support import Driver, call, probe

ABOUT = call("XABOUT", "mine").command


class Untrue:
    """A value without a truth, such as an array of another library."""

    def __bool__(self) -> bool:
        raise LookupError("a plugin's own mistake")


def raises(*_: Any) -> Any:
    raise LookupError("a plugin's own mistake")


def without_truth(*_: Any) -> Any:
    return Untrue()


def wrong(**fields: Any) -> Call:
    return Call(replace(ABOUT, name="XWRONG", **fields), ("theirs",), [b"XWRONG theirs"])


def driven(registry: Any = None) -> Driver:
    driver = Driver()
    if registry is not None:
        driver.engine = Engine(registry)
        driver.feed(b"* OK hello\r\n")
        driver.engine.delivered()
        driver.engine.session.enter(State.SELECTED)
        driver.engine.store.clear()
    return driver


def own_mistake(driver: Driver, request: Request) -> None:
    with pytest.raises(LookupError, match="own mistake"):
        check(request, driver.engine)


@pytest.mark.parametrize("matches", [raises, without_truth, lambda *_: 1], ids=["raises", "has no truth", "a number"])
def test_asking_for_the_owner_of_half_a_response_raises_nothing(matches: Any) -> None:
    driver = driven()
    request = driver.send(wrong(matches=matches))
    response = Untagged("ABOUT", None, (b"theirs {3}",))
    found = driver.engine.owner_of(response)
    assert found is (request if matches not in (raises, without_truth) else None)
    assert request.defect is None, "the whole response comes later"


@pytest.mark.parametrize("matches", [raises, without_truth], ids=["raises", "returns what has no truth"])
@pytest.mark.parametrize("first", [True, False], ids=["before the others", "behind the others"])
def test_an_error_of_matches_fails_its_own_command(matches: Any, first: bool) -> None:
    driver = driven()
    mine: list[Request] = []
    if not first:
        mine.append(driver.send("XABOUT", "mine"))
    bad = driver.send(wrong(matches=matches))
    mine.append(driver.send("XABOUT", "too" if mine else "mine"))
    driver.feed(b"* ABOUT mine=yes\r\n* ABOUT x=yes\r\n* ABOUT too=yes\r\n")
    for request in (*mine, bad):
        driver.end(request)
    for request in mine:
        check(request, driver.engine)
    assert driver.data(mine[0])[0] == b"mine=yes"
    assert driver.engine.store.take("ABOUT")[0] == b"x=yes", "what it would not have is kept"
    own_mistake(driver, bad)
    driver.end(driver.send("XPING"))
    assert driver.engine.closed is None


@pytest.mark.parametrize("truth", [1, "yes", b"yes", [0], object()])
def test_other_values_count_as_they_do_everywhere(truth: Any) -> None:
    driver = driven()
    request = driver.send(wrong(matches=lambda about, response: truth))
    driver.feed(b"* ABOUT x=yes\r\n")
    driver.end(request)
    check(request, driver.engine)
    assert driver.data(request) == [b"x=yes"]


@pytest.mark.parametrize("function", [raises, without_truth], ids=["raises", "returns what has no truth"])
def test_an_error_of_news_fails_its_own_command(function: Any) -> None:
    driver = driven()
    command = Command("XSTAY", State.ANY, exclusive=True, interrupt=b"DONE", news=function)
    request = driver.send(Call(command, (), [b"XSTAY"]))
    driver.feed(b"+ go on\r\n* 3 EXISTS\r\n")
    driver.engine.interrupt(request, driver.now)
    driver.pump()
    driver.end(request)
    own_mistake(driver, request)
    assert driver.engine.closed is None


@pytest.mark.parametrize("function", [raises, without_truth], ids=["raises", "returns what has no truth"])
def test_an_error_of_matches_all_fails_its_own_command(function: Any) -> None:
    from imapkit.core.wire.response import Run

    driver = driven()
    request = driver.send(wrong(matches=lambda about, response: True, matches_all=function))
    driver.engine.receive([Run("ABOUT", [(b"1", b"x=yes"), (b"2", b"x=yes")])], driver.now)
    driver.end(request)
    own_mistake(driver, request)
    assert len(driver.data(request)) == 2, "each was asked for by itself"


def apply(session: Session, came: Any) -> None:
    raise LookupError("a plugin's own mistake")


MEDDLER = Family(
    "meddler",
    commands=(Command("XMEDDLE", State.ANY, result=("XMINE",)),),
    responses={"ABOUT": Response(apply=apply), "XMINE": Response(apply=apply)},
    codes={"XCODE": Code(apply=apply)},
    requires=("probe",),
)


@pytest.mark.parametrize("way", ["a response", "a code", "a tagged code"])
def test_an_error_of_apply_fails_no_command_of_another_family(way: str) -> None:
    driver = driven(load_only(probe, MEDDLER))
    request = driver.send("XABOUT", "mine")
    driver.feed({"a response": b"* ABOUT mine=yes\r\n", "a code": b"* OK [XCODE 1] hm\r\n"}.get(way, b""))
    driver.end(request, "OK", "[XCODE 1] hm" if way == "a tagged code" else "done")
    check(request, driver.engine)
    [defect] = driver.engine.defects.all()
    assert defect.what == "the family's function raised LookupError(\"a plugin's own mistake\")"


def test_an_error_of_apply_fails_a_command_of_its_own_family() -> None:
    driver = driven(load_only(probe, MEDDLER))
    request = driver.send(Call(MEDDLER.commands[0], (), [b"XMEDDLE"]))
    driver.feed(b"* XMINE 1\r\n")
    driver.end(request)
    own_mistake(driver, request)


def test_a_subject_without_a_hash_is_refused_before_anything_is_queued() -> None:
    with pytest.raises(TypeError, match=r"XWRONG: its family's subject\(\) returned a list, which has no hash: unhashable type"):
        wrong(subject=lambda args, uid: [args[0]])


def test_a_subject_of_another_type_than_fetch_has_takes_no_row_of_a_fetch() -> None:
    """Its ``matches`` does not compare message numbers, and may accept all."""
    taking: list[Untagged] = []

    def takes_all(about: Any, response: Untagged) -> bool:
        taking.append(response)
        return True

    driver = driven()
    fetch = driver.send("XFETCH", "1:3", "(FLAGS)")
    greedy = driver.submit(Call(replace(ABOUT, name="XGREEDY", result=("FETCH",), matches=takes_all), ("x",), [b"XGREEDY x"]))
    assert not driver.pump(), "it waits for its turn"
    driver.feed(b"* 1 FETCH (FLAGS ())\r\n")
    driver.end(fetch)
    driver.pump()
    driver.feed(b"* 2 FETCH (FLAGS ())\r\n")
    driver.end(greedy)
    assert driver.data(fetch) == [b"1 (FLAGS ())"]
    assert driver.data(greedy) == [b"2 (FLAGS ())"]
    assert len(taking) == 1
