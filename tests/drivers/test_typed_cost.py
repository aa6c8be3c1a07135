"""What typed messages cost, compared with the records of the raw commands."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit import ENVELOPE, FLAGS, Client, UIDSet
from imapkit.ext.rev1 import FetchData
from imapkit.plugin import Item
from imapkit.testing import Conversation, ReceivedCommand
from tests.core.cost import assert_within
from tests.core.rig import selected, within

_SENT = (
    b'ENVELOPE ("Mon, 2 Nov 2026 10:00:00 +0100" "x" (("Anna" NIL "anna" "example.org")) NIL NIL '
    b'(("Bob B." NIL "bob" "example.net")) NIL NIL NIL "<id@example.org>")'
)


def rows(conversation: Conversation, command: ReceivedCommand) -> None:
    uids = UIDSet(command.args.split(b" ")[0].decode())
    item = _SENT if b"ENVELOPE" in command.args else b"FLAGS (\\Seen $Label%d)"
    lines = [b"* %d FETCH (UID %d %b)\r\n" % (n, n, item % (n % 7) if b"%d" in item else item) for n in uids]
    conversation.ok(command, untagged=b"".join(lines))


@pytest.mark.heavy
def test_flags_cost_less_than_as_records_and_envelopes_little_more() -> None:
    with selected({"UID FETCH": rows}) as (raw, _), within(120), Client.over(raw).select("a") as box:

        def typed(item: Item[Any], last: int) -> None:
            # (In one chunk: what the sending of more commands costs the thread depends on the system.)
            found = box.fetch(range(1, last + 1), item, chunk=last)
            assert sum(message[item] is not None for message in found) == last

        def records(name: str, last: int) -> None:
            data = raw.fetch(f"1:{last}", f"(UID {name})", uid=True)[1]
            assert sum(record.items[name] is not None for record in data.parsed(FetchData)) == last

        assert_within(0.6, lambda: typed(FLAGS, 20_000), lambda: records("FLAGS", 20_000))
        assert_within(1.5, lambda: typed(ENVELOPE, 2000), lambda: records("ENVELOPE", 2000))
