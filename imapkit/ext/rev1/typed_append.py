"""The typed APPEND: a message from memory, or from a file that is read as it is sent; RFC 3501 section 6.3.11."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from imapkit.plugin import Appended, Offload, Progress, Reply, Role, TypedCommands, Wire, command, message_source

if TYPE_CHECKING:
    from datetime import datetime
    from email.message import EmailMessage
    from os import PathLike

__all__ = ["AppendSession"]

F = TypeVar("F")


class AppendSession(TypedCommands[F]):
    """Add messages to mailboxes."""

    @command
    async def append(
        self,
        mailbox: str | bytes | Role,
        message: EmailMessage | bytes | PathLike[str] | BinaryIO,
        *,
        flags: Iterable[str] = (),
        date: datetime | None = None,
        progress: Progress | None = None,
    ) -> Appended:
        r"""Add a message to the end of a mailbox, or of the one that has a role; RFC 3501 section 6.3.11.

        ``client.append(Role.DRAFTS, Path("big.eml"), flags=["\\Draft"]).uid``; the UID is None if the server has no UIDPLUS
        (RFC 4315). A path, or a binary file from where it stands, is read once to count its bytes, and again as it is sent, so
        that it is never in memory; it must not change in between. A file that cannot seek is first copied into a temporary one.
        Line ends become CRLF. ``date``: an aware datetime for INTERNALDATE; without it the server takes the present time.

        ``progress(sent, size)`` is called as the bytes are sent, on the thread that sends them. States: authenticated, selected.
        Raises ``TryCreate`` if there is no such mailbox but it can be created, ``OverQuota``, another ``NoResponse``;
        ``Missing`` if no mailbox has the role; ``OSError`` before anything is sent if the file cannot be read.
        ``ConnectionClosed`` if it has changed: half a command cannot be taken back.
        """
        name = await self._mailbox_name(mailbox)
        if isinstance(message, (bytes, bytearray)):
            data: Any = message if progress is None else message_source(message, progress)
        else:
            data = await Offload(partial(_source, message, progress))
        given = [flags] if isinstance(flags, str) else list(flags)
        return await Wire("APPEND", name, given or None, date, data, parse=_appended)


def _source(message: Any, progress: Progress | None) -> Any:
    """What is sent of a message: on a thread that may read files."""
    if hasattr(message, "as_bytes"):
        from email.policy import SMTP

        message = message.as_bytes(policy=SMTP)
    return message_source(message, progress)


def _appended(reply: Reply) -> Appended:
    return Appended.of(reply.codes().get("APPENDUID"))
