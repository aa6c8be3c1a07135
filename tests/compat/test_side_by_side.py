"""The same scripts with imaplib2, imaplib and imapkit, on real servers: the same results, but for the listed differences."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.excuses import EXCUSES, allowed, different
from tests.compat.run import wanted
from tests.compat.support import SERVERS, Records, Told

pytestmark = pytest.mark.live


NOT_IN_IMAPLIB = ("callback of ", "leftovers")


def cases(library: str) -> list[tuple[str, str]]:
    """Each server, and each script that it and the library can run."""
    return [(server, name) for server in SERVERS for name, _ in wanted(library, server)]


def comparable(library: str, ours: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps that the library can take as well."""
    return ours if library != "imaplib" else [step for step in ours if not step["step"].startswith(NOT_IN_IMAPLIB)]


def unexcused(library: str, theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> list[str]:
    """What differs, and may not."""
    found = []
    for one, two in zip(theirs, ours, strict=False):
        assert one["step"] == two["step"]
        if different(one, two) and allowed(library, one, two) is None:
            lines = [f"{one['step']} (may differ by {one['but']}):"]
            for field in sorted(different(one, two)):
                lines += [f"    {field}", *(f"        {each[field]}  {each['text']}" for each in (one, two))]
            found.append("\n".join(lines))
    return found


def compare(library: str, theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
    ours = comparable(library, ours)
    found = unexcused(library, theirs, ours)
    assert not found, f"{library}, then imapkit:\n" + "\n".join(found)
    assert ours
    assert all(step["outcome"] != "never returns" for step in ours)
    if len(theirs) != len(ours):
        # The other library got stuck: whatever came before is the same, and imapkit went on.
        assert theirs[-1]["outcome"] == "never returns"


@pytest.mark.parametrize(("server", "name"), cases("imaplib2"))
def test_as_imaplib2(told: Told, server: str, name: str) -> None:
    compare("imaplib2", told("imaplib2", server)[name], told("imapkit", server)[name])


@pytest.mark.parametrize(("server", "name"), cases("imaplib"))
def test_as_imaplib(told: Told, server: str, name: str) -> None:
    compare("imaplib", told("imaplib", server)[name], told("imapkit", server)[name])


@pytest.mark.parametrize(("library", "row"), [(library, row) for library, rows in EXCUSES.items() for row in rows])
def test_difference(told: Told, library: str, row: str) -> None:
    """Each excuse is needed somewhere: where nothing differs any more, its row is to go."""

    def used(theirs: Records, ours: Records) -> bool:
        pairs = [pair for name in theirs for pair in zip(theirs[name], comparable(library, ours[name]), strict=False)]
        return any(different(*pair) and allowed(library, *pair) == row for pair in pairs)

    assert any(used(told(library, server), told("imapkit", server)) for server in SERVERS)


STEP = {
    "step": "noop()",
    "but": [],
    "outcome": "returns ('OK', [b'done'])",
    "state": "'AUTH'",
    "mailbox": "None",
    "is_readonly": "False",
    "text": "",
}


@pytest.mark.parametrize("field", ["outcome", "state", "mailbox", "is_readonly"])
def test_a_mismatch_is_found(field: str) -> None:
    assert unexcused("imaplib2", [STEP], [STEP]) == []
    assert len(unexcused("imaplib2", [STEP], [{**STEP, field: "'another'"}])) == 1


def test_an_excuse_excuses_what_it_says() -> None:
    once = {**STEP, "but": ["mailbox-attribute"], "mailbox": "'INBOX'"}
    assert unexcused("imaplib2", [once], [STEP]) == []
    assert len(unexcused("imaplib", [once], [STEP])) == 1
    assert len(unexcused("imaplib2", [once], [{**STEP, "state": "'LOGOUT'"}])) == 1
    assert len(unexcused("imaplib2", [once], [{**STEP, "outcome": "never returns"}])) == 1
