"""Common handlers for ``ScriptedServer(handlers=...)``."""

from __future__ import annotations

from collections.abc import Mapping

from imapkit.testing.conversation import Conversation, Handler, ReceivedCommand
from imapkit.testing.peer import ClientSilent

__all__ = ["answering", "crossed", "refusing", "rejecting"]

_ONE_BY_ONE = "crossed() needs two commands in flight together, which takes `subject` and `matches` of their Command"


def answering(untagged: bytes = b"", text: bytes = b"done") -> Handler:
    """A handler that sends these lines, with their CRLF, and OK."""
    return lambda conversation, command: conversation.ok(command, text, untagged)


def refusing(text: bytes = b"not allowed") -> Handler:
    """A handler that answers NO."""
    return lambda conversation, command: conversation.no(command, text)


def rejecting(text: bytes = b"rejected") -> Handler:
    """A handler that answers BAD."""
    return lambda conversation, command: conversation.bad(command, text)


def crossed(answers: Mapping[bytes, bytes]) -> Handler:
    """A handler that waits for two commands and answers the later one first: untagged lines for each, by its ``args``.

    For commands with a subject (``Command.subject``): each caller must get its own answer.
    """

    def answer(conversation: Conversation, first: ReceivedCommand) -> None:
        try:
            second = conversation.read_command()
        except ClientSilent as silence:
            silence.add_note(_ONE_BY_ONE)
            raise
        conversation.send(answers[second.args] + answers[first.args])
        conversation.ok(first)
        conversation.ok(second)

    return answer
