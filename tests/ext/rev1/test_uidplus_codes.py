"""The UIDs of copied and appended messages (RFC 4315); ``tests/vectors/rfc4315.toml`` has the codes."""

from __future__ import annotations

from itertools import islice

import pytest

from imapkit.errors import ArgumentError
from imapkit.ext.rev1 import AppendUid, CopyUid, UidSet
from imapkit.ext.rev1.uidplus import copyuid
from imapkit.plugin import Cursor
from imapkit.testing import Conversation, ReceivedCommand, selected, within


def test_a_copy_has_the_uids_of_the_messages() -> None:
    copied = b"[COPYUID 38505 304,319:320 3956:3958] Done"
    asked: list[bytes] = []

    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        asked.append(command.args)
        conversation.ok(command)

    with selected({"COPY": lambda c, command: c.ok(command, copied), "FETCH": fetch}, families=["rev1"]) as (client, _):
        [status] = client.parse(*client.copy("2:4", "meeting"))
        assert isinstance(status.value, CopyUid)
        assert list(status.value.pairs()) == [(304, 3956), (319, 3957), (320, 3958)]
        assert client.parse(*client.response("COPYUID")) == [status.value]
        client.fetch(str(status.value.copies), "UID")
        client.fetch(status.value.source, "UID")
        assert asked == [b"3956:3958 UID", b"304,319:320 UID"]


def test_an_append_has_the_uid_of_the_message() -> None:
    with selected({"APPEND": lambda c, command: c.ok(command, b"[APPENDUID 38505 3955] done")}, families=["rev1"]) as (client, _):
        [status] = client.parse(*client.append("box", None, None, b"hello"))
        assert status.value == AppendUid(38505, UidSet(((3955, 3955),)))


@pytest.mark.parametrize("text", [b"", b"[COPYUID] x", b"[COPYUID 1 * 2] x"])
def test_malformed_codes_are_none(text: bytes) -> None:
    with selected({"COPY": lambda c, command: c.ok(command, text)}, families=["rev1"]) as (client, _):
        parsed = client.parse(*client.copy("1", "box"))
        assert [status.value for status in parsed] == [None]
        assert bool(parsed.defects) == bool(text)


def test_huge_ranges_are_not_expanded() -> None:
    data = b"1 " + b",".join([b"1:4294967295"] * 10_000)
    with within(2):
        found = copyuid(Cursor((data + data[1:],)))
        assert found.source.count == 10_000 * 4294967295
        assert list(islice(found.pairs(), 2)) == [(1, 1), (2, 2)]
        assert 4294967295 in found.source
        assert 4294967296 not in found.source


def test_invalid_arguments_of_expunge_and_store_are_not_sent() -> None:
    with selected(families=["rev1"]) as (client, server):
        with pytest.raises(ArgumentError, match="UID EXPUNGE takes a message set"):
            client.uid("EXPUNGE", "1", "2")
        with pytest.raises(ArgumentError, match="takes a message set, perhaps modifiers, an item and flags"):
            client.uid("STORE", "1")
        assert {"UID", "STORE"}.isdisjoint(server.names)
