"""The family against servers with good, bad and no answers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import imapkit_strictquota
import pytest
from imapkit_strictquota import QuotaError, StrictQuotaCommands, Usage

from imapkit import IMAP4, ArgumentError, PluginConflictError
from imapkit.errors import NoResponse
from imapkit.testing import (
    INJECTIONS,
    ClientFactory,
    ScriptedServer,
    ServerFactory,
    Vector,
    check_family,
    check_vector,
    load_only,
    load_vectors,
    refusing,
    written,
)
from imapkit.testing import answering as handler

FAMILIES = ["rev1", "quota", imapkit_strictquota]
GOOD = b'* QUOTA "User quota" (STORAGE 10 512 MESSAGE 700 600)\r\n'


class MyIMAP(IMAP4, StrictQuotaCommands):
    """A client class with the family's methods, for type checkers."""


def answering(imap_server: ServerFactory, untagged: bytes) -> ScriptedServer:
    return imap_server(handlers={"GETQUOTA": handler(untagged)})


def test_a_good_answer(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = answering(imap_server, b'* QUOTA "" (STORAGE 1 2)\r\n' + GOOD)
    imap = imap_client(server, cls=MyIMAP, families=FAMILIES)
    assert imap.getquota("User quota") == ("OK", [b'"User quota" (STORAGE 10 512 MESSAGE 700 600)'])
    assert imap.quota_usage("User quota") == {"STORAGE": Usage(10, 512), "MESSAGE": Usage(700, 600)}
    assert [usage.left for usage in imap.quota_usage("User quota").values()] == [502, 0]
    assert server.commands[-1].args == b'"User quota"'


@pytest.mark.parametrize(
    ("untagged", "why"),
    [
        (b"", "0 QUOTA responses about this root"),
        (b'* QUOTA "another" (STORAGE 10 512)\r\n', "0 QUOTA responses about this root"),
        (GOOD + GOOD, "2 QUOTA responses about this root"),
        (b'* QUOTA "User quota" (STORAGE ten 512)\r\n', "ten 512"),
        (b'* QUOTA "User quota"\r\n', "User quota"),
    ],
)
def test_an_unusable_answer_is_an_error(
    imap_server: ServerFactory, imap_client: ClientFactory, untagged: bytes, why: str
) -> None:
    imap = imap_client(answering(imap_server, untagged), families=FAMILIES)
    with pytest.raises(QuotaError, match=why) as caught:
        imap.getquota("User quota")
    assert isinstance(caught.value, IMAP4.error)
    assert imap.noop()[0] == "OK"


def test_no_is_an_error(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    imap = imap_client(imap_server(handlers={"GETQUOTA": refusing(b"[NOPERM] not yours")}), families=FAMILIES)
    with pytest.raises(NoResponse, match="not yours"):
        imap.getquota("User quota")
    answers: list[Any] = []
    imap.getquota("User quota", callback=answers.append, cb_arg="asked")
    imap.logout()
    [(result, cb_arg, (kind, reason))] = answers
    assert (result, cb_arg, kind) == (None, "asked", NoResponse)
    assert "not yours" in reason


@pytest.mark.parametrize(
    ("root", "sent"),
    [("", b'""'), ('"User quota"', rb'"\"User quota\""'), (b"(a)", b'"(a)"'), ("Größe", b"{7+}\r\nGr\xc3\xb6\xc3\x9fe")],
)
def test_a_name_is_taken_literally(imap_server: ServerFactory, imap_client: ClientFactory, root: Any, sent: bytes) -> None:
    server = answering(imap_server, b"")
    imap = imap_client(server, families=FAMILIES)
    with pytest.raises(QuotaError):
        imap.getquota(root)
    assert server.commands[-1].raw.endswith(b" GETQUOTA " + sent + b"\r\n")


@pytest.mark.parametrize("bad", INJECTIONS)
def test_a_name_cannot_inject_a_command(bad: str | bytes) -> None:
    family = imapkit_strictquota.imapkit_family()
    with pytest.raises(ArgumentError):
        written(family, "GETQUOTA", bad)


@pytest.mark.parametrize("vector", load_vectors(Path(__file__).with_name("strictquota.toml")), ids=str)
def test_vector(vector: Vector) -> None:
    check_vector(vector, load_only(*FAMILIES))


def test_with_quota_and_absent() -> None:
    check_family(imapkit_strictquota, "rev1", "quota")


def test_the_rest_of_quota_does_not_change() -> None:
    registry = load_only(*FAMILIES)
    assert registry.methods["getquota"] == "strictquota"
    assert registry.methods["getquotaroot"] == "quota"
    assert registry.commands["GETQUOTA"].args == (imapkit_strictquota.root_name,)


def test_without_replaces_it_is_a_conflict() -> None:
    plain = dataclasses.replace(imapkit_strictquota.imapkit_family(), replaces=())
    with pytest.raises(PluginConflictError) as caught:
        load_only("rev1", "quota", plain)
    message = str(caught.value)
    assert "command:GETQUOTA, method:getquota" in message
    assert "'quota' (imapkit " in message
    assert 'replaces=("command:GETQUOTA", "method:getquota")' in message


def test_without_quota_it_is_refused() -> None:
    with pytest.raises(PluginConflictError, match=r"requires the family 'quota'"):
        load_only("rev1", imapkit_strictquota)
