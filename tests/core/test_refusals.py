"""The error for NO by its response code: which class the registry gives, and what it holds."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

import imapkit
from imapkit import refusals
from imapkit.core.engine.outcome import refusal_by_code
from imapkit.errors import BadResponse, CommandNo, NoResponse
from imapkit.plugin import Code, Command, Cursor, Family, State
from imapkit.testing import load_only, selected

CLASSES = [getattr(refusals, name) for name in refusals.__all__]


def limit(cursor: Cursor) -> int:
    """``number``, as ``[XFULL 5]`` has it."""
    return cursor.number()


class XFull(refusals.LimitReached):
    """There is no room."""


FAMILY = Family("full", commands=(Command("XSECRET", State.ANY, secret=True),), codes={"XFULL": Code(limit, raises=XFull)})


def refused(answer: bytes, name: str = "NOOP", *families: Any) -> Any:
    """The error for an answer of the server, of a client with these families."""
    made: list[Any] = []

    def respond(conversation: Any, command: Any) -> None:
        conversation.send(b"* 5 EXISTS\r\n%s %s\r\n" % (command.tag, answer))

    def finish(request: Any) -> Any:
        made.append(refusal_by_code(request, client._live.engine))
        return "OK", [None]

    with selected({name: respond}, families=["rev1", *families]) as (client, _):
        client._call_with({}, name, *(["word"] if name == "XSECRET" else []), finish=finish)
    return made[0]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("OVERQUOTA", refusals.OverQuota),
        ("overquota", refusals.OverQuota),
        ("TRYCREATE", refusals.TryCreate),
        ("LIMIT", refusals.LimitReached),
        ("NONEXISTENT", refusals.NonExistent),
        ("XUNKNOWN", NoResponse),
        ("READ-ONLY", NoResponse),
    ],
)
def test_the_class_is_that_of_the_code(code: str, kind: type[NoResponse]) -> None:
    error = refused(f"NO [{code}] it says".encode())
    assert type(error) is kind
    assert (error.code, error.command, error.typ) == (code.upper(), "NOOP", "NO")
    assert error.text == f"[{code}] it says".encode()
    assert str(error) == f"NOOP: NO [{code}] it says"
    assert error.value is None


def test_no_code_and_bad() -> None:
    assert type(refused(b"NO it says")) is NoResponse
    assert type(refused(b"BAD [OVERQUOTA] it says")) is BadResponse


def test_a_family_brings_a_class_of_its_own_and_others_do_not_see_it() -> None:
    error = refused(b"NO [XFULL 5] it says", "NOOP", FAMILY)
    assert type(error) is XFull
    assert error.value == 5
    assert pickle.loads(pickle.dumps(error)).value == error.fresh().value == 5
    assert type(refused(b"NO [XFULL 5] it says")) is NoResponse
    assert isinstance(error, refusals.LimitReached)


def test_a_value_that_cannot_be_read_is_none() -> None:
    error = refused(b"NO [XFULL much] it says", "NOOP", FAMILY)
    assert (type(error), error.value) == (XFull, None)
    assert refused(b"NO [BADCHARSET (UTF-8 US-ASCII)] it says").value is not None


def test_a_secret_command_has_no_value() -> None:
    error = refused(b"NO [XFULL 5] it says", "XSECRET", FAMILY)
    assert (type(error), error.value) == (XFull, None)


def test_the_raw_commands_return_no() -> None:
    with selected({"NOOP": lambda conversation, command: conversation.no(command, b"[OVERQUOTA] full")}) as (client, _):
        typ, data = client.noop()
        assert (typ, list(data)) == ("NO", [b"[OVERQUOTA] full"])
        with pytest.raises(CommandNo) as caught:
            data.check()
        assert type(caught.value) is CommandNo


def test_every_class_is_public_and_in_the_tree() -> None:
    tree = inspect.getdoc(refusals) or ""
    for kind in CLASSES:
        assert issubclass(kind, NoResponse)
        assert f"── {kind.__name__} " in f"{tree} ".replace("\n", " \n")
        assert getattr(imapkit, kind.__name__) is kind


def test_each_code_of_rfc_5530_has_its_class() -> None:
    tree = dict(
        line.split("── ")[1].split() for line in (refusals.__doc__ or "").splitlines() if len(line.split()) > 2 and "──" in line
    )
    codes = load_only("rev1").codes
    found = {kind: code for code, known in codes.items() if known.raises is not None for kind in [known.raises.__name__]}
    assert len(found) == 19
    missing = tree.items() - set(found.items())
    assert {code for _, code in missing} == {"HASCHILDREN", "TOOBIG", "UNKNOWN-CTE", "NOTSAVED"}
