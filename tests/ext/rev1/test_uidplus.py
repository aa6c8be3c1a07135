"""Where copied and appended messages have gone (RFC 4315); what the codes mean is in ``tests/vectors/rfc4315.toml``."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapkit import ext
from imapkit.core.cursor import Cursor
from imapkit.core.result import parse_shape
from imapkit.ext.rev1 import AppendUid, CopyUid, UidSet
from imapkit.ext.rev1.uidplus import appenduid, copyuid
from imapkit.testing import Conversation, ReceivedCommand, load_only
from tests.core.rig import MARGIN, selected, within

REGISTRY = load_only(*ext.INDEX)
UIDS = st.integers(1, 4294967295)


def test_a_copy_tells_where_the_messages_are() -> None:
    copied = b"[COPYUID 38505 304,319:320 3956:3958] Done"
    asked: list[bytes] = []

    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        asked.append(command.args)
        conversation.ok(command)

    with selected({"COPY": lambda c, command: c.ok(command, copied), "FETCH": fetch}) as (client, _):
        [status] = client.parse(*client.copy("2:4", "meeting"))
        assert isinstance(status.value, CopyUid)
        assert list(status.value.pairs()) == [(304, 3956), (319, 3957), (320, 3958)]
        assert client.parse(*client.response("COPYUID")) == [status.value]
        client.fetch(str(status.value.copies), "UID")
        client.fetch(status.value.source, "UID")
        assert asked == [b"3956:3958 UID", b"304,319:320 UID"]


def test_an_append_tells_where_the_message_is() -> None:
    with selected({"APPEND": lambda c, command: c.ok(command, b"[APPENDUID 38505 3955] done")}) as (client, _):
        [status] = client.parse(*client.append("box", None, None, b"hello"))
        assert status.value == AppendUid(38505, UidSet(((3955, 3955),)))


@pytest.mark.parametrize("text", [b"", b"[COPYUID] x", b"[COPYUID 1 * 2] x"])
def test_what_is_not_told_is_none(text: bytes) -> None:
    with selected({"COPY": lambda c, command: c.ok(command, text)}) as (client, _):
        parsed = client.parse(*client.copy("1", "box"))
        assert [status.value for status in parsed] == [None]
        assert bool(parsed.defects) == bool(text)


def test_ranges_without_end_cost_nothing() -> None:
    data = b"1 " + b",".join([b"1:4294967295"] * 10_000)
    with within(MARGIN):
        found = copyuid(Cursor((data + data[1:],)))
        assert found.source.count == 10_000 * 4294967295
        assert list(islice(found.pairs(), 2)) == [(1, 1), (2, 2)]
        assert 4294967295 in found.source
        assert 4294967296 not in found.source


@given(st.lists(st.tuples(UIDS, UIDS), min_size=1, max_size=9))
def test_a_set_is_read_as_it_was_written(ends: list[tuple[int, int]]) -> None:
    written = UidSet(tuple((min(pair), max(pair)) for pair in ends))
    backwards = ",".join(f"{last}:{first}" for first, last in written.ranges)
    for text in (str(written), backwards):
        cursor = Cursor((f"7 {text}".encode(),))
        assert appenduid(cursor) == AppendUid(7, written)
        assert not cursor.defects
    assert all(first in written and last in written for first, last in ends)
    assert written.count >= len(ends)


@given(st.binary(max_size=40) | st.text("0123456789:,* ", max_size=40).map(str.encode))
@pytest.mark.parametrize("name", ["COPYUID", "APPENDUID", "UIDNOTSTICKY"])
def test_no_data_is_too_odd(name: str, data: bytes) -> None:
    parsed = parse_shape(name, [data], REGISTRY)
    assert len(parsed) + len(parsed.defects) >= 1
