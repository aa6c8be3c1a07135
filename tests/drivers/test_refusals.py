"""What the server refuses raises by its response code, in each face, from calls of one command and of several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imapkit import BadResponse, NoResponse, Role, refusals
from imapkit.testing import refusing, rejecting
from tests.drivers.rig import FACES, SECONDS, Calls, calling, typed

CODES: list[tuple[bytes, type[NoResponse]]] = [
    (b"[NONEXISTENT] no such mailbox", refusals.NonExistent),
    (b"[ALREADYEXISTS] it is there", refusals.AlreadyExists),
    (b"[OVERQUOTA] full", refusals.OverQuota),
    (b"[TRYCREATE] create it", refusals.TryCreate),
    (b"[X-UNKNOWN] what", NoResponse),
    (b"no code", NoResponse),
]
ASKS: dict[str, Callable[[Any], Any]] = {
    "one": lambda typed: typed.status("a"),
    "several": lambda typed: typed.role(Role.SENT),
}


@pytest.fixture(params=FACES)
def calls(request: pytest.FixtureRequest) -> Iterator[Calls]:
    with calling(request.param) as calls:
        yield calls


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(("text", "kind"), CODES, ids=[text.decode() for text, _ in CODES])
def test_no_raises_by_its_code(calls: Calls, text: bytes, kind: type[NoResponse], ask: str) -> None:
    with typed({"STATUS": refusing(text), "LIST": refusing(text)}) as (client, _):
        failure = calls.start(client, ASKS[ask]).exception(SECONDS)
        assert type(failure) is kind
        assert (failure.typ, failure.text) == ("NO", text)
        assert failure.command in ("STATUS", "LIST")
        client.noop()


@pytest.mark.parametrize("ask", ASKS)
def test_bad_raises_whatever_its_code(calls: Calls, ask: str) -> None:
    bad = rejecting(b"[NONEXISTENT] what")
    with typed({"STATUS": bad, "LIST": bad}) as (client, _):
        assert type(calls.start(client, ASKS[ask]).exception(SECONDS)) is BadResponse
        client.noop()
