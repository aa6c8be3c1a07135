"""A response code and a response of one name are kept together, and distinguished when they are read."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from imapkit.core.contract.command import Command
from imapkit.core.contract.extension import Code, Response
from imapkit.core.contract.family import Family
from imapkit.core.contract.result import Answer, parse_shape
from imapkit.core.contract.session import State
from imapkit.core.wire.response import CodeData
from imapkit.plugin import Cursor
from imapkit.testing import Conversation, ReceivedCommand, load_only, selected


def entries(cursor: Cursor) -> tuple[bytes, Any]:
    """``mailbox SP entry-list``, as METADATA has it (RFC 5464 section 5)."""
    name = cursor.astring()
    cursor.sp()
    return name, cursor.value()


def longest(cursor: Cursor) -> tuple[str, int]:
    """``"LONGENTRIES" SP number``."""
    word = cursor.keyword()
    cursor.sp()
    return word, cursor.number()


FAMILY = Family(
    "notes",
    commands=(Command("GETNOTES", State.LOGGED_IN),),
    responses={"METADATA": Response(entries)},
    codes={"METADATA": Code(longest)},
)
REGISTRY = load_only(FAMILY)
RESPONSE = ("INBOX", [b"/comment", b"13"])


def test_a_code_is_read_as_a_code() -> None:
    def answer(conversation: Conversation, received: ReceivedCommand) -> None:
        lines = b'* METADATA INBOX (/comment "13")\r\n* OK [METADATA LONGENTRIES 7] x\r\n* METADATA "" (/a {1}\r\nb)\r\n'
        conversation.ok(received, b"[METADATA LONGENTRIES 13] done", lines)

    with selected({"GETNOTES": answer}, families=["rev1", FAMILY]) as (client, _):
        client._call("GETNOTES")
        name, data = client.response("METADATA")
        assert data == [b'INBOX (/comment "13")', b"LONGENTRIES 7", (b'"" (/a {1}', b"b"), b")", b"LONGENTRIES 13"]
        found = client.parse(name, data)
        assert found == [
            (b"INBOX", [b"/comment", b"13"]),
            ("LONGENTRIES", 7),
            (b"", [b"/a", b"b"]),
            ("LONGENTRIES", 13),
        ]
        assert not found.defects
        assert client.response("METADATA") == ("METADATA", [None])


@pytest.mark.parametrize(
    "keep", [list, lambda data: pickle.loads(pickle.dumps(data)), lambda data: Answer(data, name="METADATA")]
)
def test_a_copy_is_read_as_a_code_too(keep: Any) -> None:
    data = [CodeData(b"LONGENTRIES 13"), b"INBOX ()"]
    assert parse_shape("METADATA", keep(data), REGISTRY) == [("LONGENTRIES", 13), (b"INBOX", [])]


def test_an_unmarked_value_is_read_as_a_response() -> None:
    found = parse_shape("METADATA", [b"LONGENTRIES 13"], REGISTRY)
    assert found == [(b"LONGENTRIES", 13)]


def test_a_code_alone_is_no_response_and_stays_as_it_is_without_a_grammar() -> None:
    registry = load_only(Family("notes", responses={"METADATA": Response(entries)}))
    assert parse_shape("METADATA", [CodeData(b"LONGENTRIES 13"), b"INBOX ()"], registry) == [b"LONGENTRIES 13", (b"INBOX", [])]


def test_a_kept_code_is_bytes() -> None:
    with selected({"NOOP": lambda conversation, received: conversation.ok(received, b"[UIDNEXT 5] done")}) as (client, _):
        client.response("UIDNEXT")
        client.noop()
        name, data = client.response("UIDNEXT")
        assert (name, data, repr(data)) == ("UIDNEXT", [b"5"], "[b'5']")
        assert client.parse(name, data) == [5]


class Mute:
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_an_object_that_cannot_be_shown_is_a_defect() -> None:
    found = parse_shape("METADATA", [Mute(), b"INBOX ()", {"a": Mute()}, (Mute(), b"x"), [[Mute()]]], REGISTRY)
    assert found == [(b"INBOX", [])]
    assert [defect.raw for defect in found.defects] == [b"<Mute>", b"<dict>", b"<tuple>", b"<Mute>"]
