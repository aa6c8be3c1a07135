"""A command and its arguments, encoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imapkit.core.support.secrets import Secret

if TYPE_CHECKING:
    from imapkit.core.contract.command import Command
    from imapkit.core.wire.pieces import Piece

__all__ = ["Call", "is_uid_form", "wire_name"]


def is_uid_form(command: Command) -> bool:
    """Whether the command is declared as one that is sent with UID alone: "UID EXPUNGE"."""
    return command.name.startswith("UID ")


def wire_name(command: Command) -> str:
    """The name of the form with UIDs."""
    return command.name if is_uid_form(command) else f"UID {command.name}"


class Call:
    """A command and its arguments, encoded before any lock is taken; it does not change."""

    __slots__ = (
        "about",
        "added",
        "args",
        "awaits",
        "command",
        "expunges",
        "line",
        "name",
        "options",
        "pieces",
        "reply",
        "resources",
        "result",
        "selection",
        "seqnums",
        "uid",
        "writes",
    )
    sink: Any = None
    """Chooses the sinks of its literals (``StreamedCall``)."""

    def __init__(
        self,
        command: Command,
        args: tuple[Any, ...],
        pieces: list[Piece] | Secret,
        *,
        uid: bool = False,
        reply: Callable[[bytes], bytes | None] | None = None,
        options: Any = None,
        result: tuple[str, ...] | None = None,
        writes: tuple[str, ...] = (),
    ) -> None:
        self.command, self.args, self.uid, self.reply = command, args, uid, reply
        if command.secret and not isinstance(pieces, Secret):
            pieces = Secret(pieces)
        self.pieces = pieces
        """What is sent; wrapped if it is secret, and removed once it has been sent."""
        self.selection: int | None = None
        """``Session.selections`` while the mailbox is selected that it is about; it is not sent in another. None: in any."""
        self.name = wire_name(command) if uid else command.name
        self.options = options
        self.seqnums = command.seqnums and not uid
        self.expunges = command.expunges or (uid and not is_uid_form(command))
        """Whether EXPUNGE responses may come while it is in flight."""
        self.about = _subject(command, args, uid) if command.subject else None
        """What it asks for, in the responses that ``Command.result`` names."""
        self.result = command.result
        """The names of the responses that answer it."""
        self.added: tuple[str, ...] = ()
        """Those of them that ``Command.result`` lacks: it has no subject in these, and ``Command.matches`` is not called."""
        if result is not None:
            self.result = tuple(dict.fromkeys(result))
            self.added = tuple(name for name in self.result if name not in command.result)
        self.awaits = self.result
        """``result``, and the response codes that it owns, as "[COPYUID]"."""
        if command.codes:
            codes = tuple(f"[{name}]" for name in command.codes)
            self.awaits += codes
            if command.matches_code is None:
                self.added += codes
        self.writes = writes
        """The resources that it changes."""
        self.resources = writes
        """Those, and the ones that it reads."""
        if command.reads is not None:
            self.resources = tuple(dict.fromkeys((*writes, *command.reads(args, uid))))
        self.line: bytes | None = None
        """The whole command, if it is one line without secrets that is sent without waiting for the server."""
        if reply is None and type(pieces) is list and len(pieces) == 1 and command.interrupt is None:
            only = pieces[0]
            if type(only) is bytes:
                self.line = only

    def shown(self, most: int) -> bytes:
        """What is sent, for people: of a literal only its size, of a secret nothing."""
        if isinstance(self.pieces, Secret):
            return b"***"
        return b"".join(piece if isinstance(piece, bytes) else repr(piece).encode() for piece in self.pieces)[:most]

    def __repr__(self) -> str:
        shown = "***" if isinstance(self.pieces, Secret) else self.shown(100)
        return f"{self.name} {shown!r}"


def _subject(command: Command, args: tuple[Any, ...], uid: bool) -> Any:
    """What a command asks for. Raises ``TypeError`` for what cannot be compared with the subjects of others."""
    assert command.subject is not None
    subject = command.subject(args, uid)
    try:
        hash(subject)
    except TypeError as exc:
        raise TypeError(
            f"{command.name}: its family's subject() returned a {type(subject).__name__}, which has no hash: {exc}"
        ) from exc
    return subject
