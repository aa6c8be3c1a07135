"""Bad ends of a connection, each by a server at some point of a conversation."""

from __future__ import annotations

from imapkit.testing import Conversation

__all__ = ["bye", "half_a_line", "half_a_literal"]


def half_a_line(conversation: Conversation) -> None:
    """Go in the middle of a line."""
    conversation.send(b"* OK half a li")
    conversation.close()


def half_a_literal(conversation: Conversation) -> None:
    """Go in the middle of a literal."""
    conversation.send(b"* 1 FETCH (BODY[] {100}\r\nhalf")
    conversation.close()


def bye(conversation: Conversation) -> None:
    """Go, and say so."""
    conversation.send(b"* BYE going down\r\n")
    conversation.close()
