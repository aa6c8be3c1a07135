"""What the tests of small families share: their commands on the wire, and a server that answers in another order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from imapkit import IMAP4
from imapkit.core.wire import Piece, encode
from imapkit.errors import FamilyDisabledError
from imapkit.family import Command, Family
from imapkit.testing.scripted import Conversation, Handler, ReceivedCommand
from tests.core.rig import selected

INJECTIONS = ["a\r\nX1 LOGOUT", "a\nb", "a\rb", "a\0b", b"a\r\nX1 LOGOUT", b"a\0b", '"a\r\nb"', "(a\r\nb)"]
"""Arguments that would end the command."""


def commands(family: Family) -> dict[str, Command]:
    """A family's commands by name."""
    return {command.name: command for command in family.commands}


def written(known: Mapping[str, Command], name: str, *args: Any) -> list[Piece]:
    """What a command puts on the wire."""
    return encode(known[name].args, known[name].rest, args, name)


def answering(untagged: bytes) -> Handler:
    """A handler that sends these lines and OK."""
    return lambda conversation, command: conversation.ok(command, untagged=untagged)


def refusing(conversation: Conversation, command: ReceivedCommand) -> None:
    """A handler that says NO."""
    conversation.no(command, b"not allowed")


def crossed(answers: Mapping[bytes, bytes]) -> Handler:
    """A handler that waits until there are two commands, and answers the later one first, each by its arguments."""

    def answer(conversation: Conversation, first: ReceivedCommand) -> None:
        second = conversation.read_command()
        conversation.send(answers[second.args] + answers[first.args])
        conversation.ok(first)
        conversation.ok(second)

    return answer


def ask_both(one: Callable[[], Any], other: Callable[[], Any]) -> tuple[Any, Any]:
    """Call both at the same time, each on a thread of its own."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(one), pool.submit(other)
        return first.result(), second.result()


def check_absence(family: str, methods: Sequence[str]) -> None:
    """Without the family its methods, of whatever spelling, are not there, and the error names it."""
    with selected() as (client, _):
        for name in methods:
            for spelling in (name, name.upper()):
                assert not hasattr(client, spelling)
                with pytest.raises(FamilyDisabledError, match=family):
                    getattr(client, spelling)


def check_presence(family: str, methods: Sequence[str]) -> None:
    """The family's methods are there with the base alone, and are listed."""
    with selected(families=["rev1", family]) as (client, _):
        for name in methods:
            assert callable(getattr(client, name))
            assert getattr(client, name.upper()) == getattr(client, name)
            assert hasattr(IMAP4, name)
