"""What a family says of a call (``finish=`` and the like) cannot be said by a caller of its public methods."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import imapkit
from imapkit.core.contract.commands import CallOptions, Commands
from imapkit.testing import ScriptedServer
from tests.core.rig import connect
from tests.security.commands import FAMILIES, REGISTRY
from tests.security.test_injection import METHODS, parameters, public, usual

INTERNAL = sorted(
    {
        each.name
        for method in (Commands._call, Commands._call_with, Commands._result, Commands._deliver)
        for each in inspect.signature(method).parameters.values()
        if each.kind is not each.VAR_KEYWORD
    }
    - {"self", "uid"}
)
NAMES = [*INTERNAL, "nonsense", "_finish", "callbak"]
ARGUMENTS: dict[str, Any] = {"capability": "UTF8=ACCEPT", "idle": (), "readonly": False}
CAPABILITIES = b"IMAP4rev1 ENABLE UTF8=ACCEPT STARTTLS UIDPLUS"


def test_the_internal_names_are_found() -> None:
    assert {"finish", "reply", "layer", "patience", "renew", "generic"} <= set(INTERNAL)
    assert not set(INTERNAL) & CallOptions.__optional_keys__


@pytest.fixture(scope="module")
def client() -> Iterator[imapkit.IMAP4]:
    """A client in the selected state, whose server answers nothing but what it must."""
    greeting = b"* PREAUTH [CAPABILITY %b] hi\r\n" % CAPABILITIES
    with ScriptedServer(patience=60, greeting=greeting) as server, connect(server, families=FAMILIES) as client:
        client.select()
        before = server.names
        yield client
        assert server.names == before, "nothing was sent"


def arguments(method: str) -> list[Any]:
    names = [name for name in parameters(method) if (method, name) not in {("idle", "timeout"), ("expunge", "message_set")}]
    return [ARGUMENTS.get(name, usual(name, method)) for name in names if method != "starttls"]


@pytest.mark.parametrize("method", METHODS)
def test_no_public_method_takes_an_internal_option(method: str, client: imapkit.IMAP4) -> None:
    taken = inspect.signature(public(method)).parameters
    tried = 0
    for name in NAMES:
        if name in taken and taken[name].kind is not inspect.Parameter.POSITIONAL_ONLY:
            continue
        tried += 1
        with pytest.raises(TypeError, match=name):
            getattr(client, method)(*arguments(method), **{name: True})
    assert tried > 10


@pytest.mark.parametrize("method", METHODS)
def test_uid_is_a_keyword_of_methods_whose_command_has_such_a_form(method: str, client: imapkit.IMAP4) -> None:
    parameter = inspect.signature(public(method)).parameters.get("uid")
    if parameter is None:
        with pytest.raises(TypeError, match="uid"):
            getattr(client, method)(*arguments(method), uid=True)
    else:
        assert (parameter.kind, parameter.default) == (parameter.KEYWORD_ONLY, False)


def test_the_methods_that_have_it() -> None:
    builtin = {"copy", "expunge", "fetch", "fetch_to", "move", "search", "sort", "store", "thread"}
    assert {name for name in METHODS if "uid" in inspect.signature(public(name)).parameters and "x_gm" not in name} == builtin
    assert set(METHODS) == {name for name in REGISTRY.methods if callable(public(name))}
