"""Receiving, with its threads: bytes are cut into responses and taken in together."""

from __future__ import annotations

import pytest

import imapkit
from imapkit.testing import Conversation, ReceivedCommand
from tests.core.rig import selected


@pytest.mark.parametrize(
    "wrong", [b"* 1 FETCH (X {5000}\r\n", b"* 1 FETCH (X " + b"x" * 5000, b"ZZZ1 OK forged\r\n"], ids=["literal", "line", "tag"]
)
def test_an_answer_counts_though_what_comes_with_it_ends_the_connection(wrong: bytes) -> None:
    def break_behind(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* SEARCH 1 2\r\n%b OK done\r\n%b" % (command.tag, wrong))

    limits = imapkit.Limits(line=4000, literal=4000)
    with selected({"SEARCH": break_behind}, limits=limits) as (client, _):
        assert client.search(None, "ALL") == ("OK", [b"1 2"])
        with pytest.raises(imapkit.abort):
            client.noop()
