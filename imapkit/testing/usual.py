"""What a ``ScriptedServer`` answers unless a test has it answer otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imapkit.testing.conversation import Conversation, Handler, ReceivedCommand

__all__ = ["all_handlers", "checked", "default_handlers", "unknown"]

_FLAGS = rb"\Answered \Flagged \Deleted \Seen \Draft"


def all_handlers(handlers: Mapping[str, Handler] | None) -> Mapping[str, Handler]:
    """A test's own handlers before the usual ones. Raises ``ValueError`` as ``checked`` does."""
    return {**default_handlers(), **checked(handlers or {})}


def default_handlers() -> dict[str, Handler]:
    """The usual handlers, by the command's name."""
    return {
        "CAPABILITY": _capability,
        "LOGIN": _done,
        "NOOP": _done,
        "SELECT": _select,
        "EXAMINE": _select,
        "LOGOUT": _logout,
    }


def _capability(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, untagged=b"* CAPABILITY %s\r\n" % conversation.server.capabilities)


def _done(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command)


def _select(conversation: Conversation, command: ReceivedCommand) -> None:
    count = conversation.server.messages
    writable = command.name == "SELECT"
    lines = [
        b"FLAGS (%s)" % _FLAGS,
        b"%d EXISTS" % count,
        b"0 RECENT",
        b"OK [PERMANENTFLAGS (%s)] flags" % (_FLAGS if writable else b""),
        b"OK [UIDVALIDITY 1] valid",
        b"OK [UIDNEXT %d] next" % (count + 1),
    ]
    untagged = b"".join(b"* %s\r\n" % line for line in lines)
    conversation.ok(command, b"[READ-WRITE] done" if writable else b"[READ-ONLY] done", untagged)


def _logout(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, untagged=b"* BYE good day\r\n")
    conversation.close()


def unknown(conversation: Conversation, command: ReceivedCommand) -> None:
    """Say BAD to a command that nobody handles."""
    conversation.bad(command, b"no handler for %s" % command.name.encode("ascii", "backslashreplace"))


def checked(handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """The handlers. Raises ``ValueError`` for a name in lower case, which would never be asked for."""
    if wrong := [name for name in handlers if name != name.upper()]:
        raise ValueError(f"command names are upper case here: {wrong}")
    return handlers
