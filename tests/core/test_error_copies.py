"""Every error of the tree can be pickled and copied, and is the same afterwards."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imapkit import errors
from imapkit.core.transport.tls import TLSCertificateError, TLSError
from imapkit.errors import (
    ArgumentError,
    BadResponse,
    CommandTimeout,
    ConnectError,
    NoResponse,
    ParseError,
    PluginConflictError,
    PluginError,
    ResolveError,
    abort,
    connect_error,
    error,
    lost_error,
    readonly,
)


def everything(kind: type[error] = error) -> Iterator[type[error]]:
    yield kind
    for below in kind.__subclasses__():
        yield from everything(below)


PLAIN = sorted(
    {kind for kind in everything() if kind.__module__ == errors.__name__ and kind is not ParseError}
    | {TLSError, TLSCertificateError},
    key=lambda kind: kind.__name__,
)
MADE: list[error] = [
    ParseError("flag-list", b"(a b c", 3),
    ParseError("astring"),
    BadResponse("no such command", typ="BAD", text=b"no such command", command="XYZ"),
    NoResponse("go away", typ="NO", text=b"[AUTHENTICATIONFAILED] go away"),
    ArgumentError("a", "b"),
    PluginError("no", families=["a", "b"]),
    PluginError.together([PluginError("one", families=["a"]), PluginConflictError("two", families=["b"])]),
    lost_error(ConnectionResetError(104, "Connection reset by peer"), "read"),
    connect_error(ConnectionRefusedError(111, "Connection refused"), "localhost:1"),
    connect_error(OSError("unusual"), "localhost:1"),
    ConnectError(111, "refused"),
    ResolveError(-2, "no such name"),
    CommandTimeout("too late"),
    readonly("INBOX"),
    abort("gone"),
]
WAYS: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *(
        lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]


def state(exc: error) -> dict[str, Any]:
    shown = {name: value for name, value in vars(exc).items() if name != "_parts"}
    return {**shown, "args": exc.args, "str": str(exc), "repr": repr(exc), "errno": getattr(exc, "errno", None)}


@pytest.mark.parametrize("exc", MADE, ids=repr)
def test_an_error_is_the_same_once_it_is_copied(exc: error) -> None:
    for way in WAYS:
        twin = way(exc)
        assert type(twin) is type(exc)
        assert state(twin) == state(exc)
    assert exc.fresh().__cause__ is exc
    assert state(exc.fresh()) == state(exc)


@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.__name__)
def test_errors_of_every_kind(kind: type[error]) -> None:
    for way in WAYS:
        exc = kind("it is over")
        exc.add_note("a note")
        twin = way(exc)
        assert type(twin) is kind
        assert state(twin) == state(exc)
        assert twin.__notes__ == ["a note"]


def test_a_parse_error_says_where() -> None:
    twin = pickle.loads(pickle.dumps(ParseError("flag-list", b"(a b c", 3)))
    assert (twin.expected, twin.data, twin.position) == ("flag-list", b"(a b c", 3)
    assert str(twin) == "expected flag-list at byte 3, near b'(a b c'"


def test_the_parts_of_an_error_are_kept() -> None:
    whole = PluginError.together([PluginError("one", families=["a"]), PluginConflictError("two", families=["b"])])
    twin = pickle.loads(pickle.dumps(whole))
    assert [(type(part), str(part), part.families) for part in twin.parts] == [
        (PluginError, "one", ("a",)),
        (PluginConflictError, "two", ("b",)),
    ]
