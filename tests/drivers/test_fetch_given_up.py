"""What a program that leaves the loop over a fetch leaves behind: the chunk on its way is given up."""

from __future__ import annotations

import gc
import threading

from imapkit import FLAGS, Client, UIDSet
from imapkit.core.engine.request import Request
from imapkit.testing import Conversation, ReceivedCommand
from tests.core.rig import selected, until, within


def _orphans() -> list[Request]:
    return [each for each in gc.get_objects() if isinstance(each, Request) and each.abandoned and not each.typ]


def test_break_gives_up_the_chunk_on_its_way() -> None:
    go = threading.Event()

    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        uids = UIDSet(command.args.split(b" ")[0].decode())
        if 1 not in uids:
            assert go.wait(10)
        conversation.ok(command, untagged=b"".join(b"* %d FETCH (UID %d FLAGS ())\r\n" % (uid, uid) for uid in uids))

    with selected({"UID FETCH": fetch}) as (raw, server), within(30), Client.over(raw).select("a") as box:
        gc.collect()
        before = len(_orphans())
        for message in box.fetch(range(1, 101), FLAGS, chunk=10):
            assert message.uid == 1
            until(lambda: server.names.count("UID FETCH") == 2, "the second chunk is not asked for")
            break
        gc.collect()
        assert len(_orphans()) == before + 1
        go.set()
        # Its late answer is nobody's, and the connection goes on.
        assert [message.uid for message in box.fetch([1, 2], FLAGS)] == list(range(1, 3))
        assert raw.response("FETCH") == ("FETCH", [None])
        until(lambda: len(_orphans()) == before, "the late answer does not end it")
