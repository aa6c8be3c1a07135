"""A command and its arguments, encoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imapkit.core.secrets import Secret

if TYPE_CHECKING:
    from imapkit.core.wire import Piece
    from imapkit.family import Command

__all__ = ["Call"]


class Call:
    """A command and its arguments, encoded; an immutable value in all but name, made before anything is locked."""

    __slots__ = ("about", "args", "command", "expunges", "line", "name", "options", "pieces", "reply", "seqnums", "uid")

    def __init__(
        self,
        command: Command,
        args: tuple[Any, ...],
        pieces: list[Piece] | Secret,
        *,
        uid: bool = False,
        reply: Callable[[bytes], bytes | None] | None = None,
        options: Any = None,
    ) -> None:
        self.command, self.args, self.uid, self.reply = command, args, uid, reply
        self.pieces = Secret(pieces) if command.secret and isinstance(pieces, list) else pieces
        """What goes over the wire; wrapped if it is secret, and gone once that has been sent."""
        self.name = f"UID {command.name}" if uid else command.name
        self.options = options
        self.seqnums = command.seqnums and not uid
        self.expunges = uid or command.expunges
        """Whether EXPUNGE responses may come while it is in flight."""
        self.about = _subject(command, args, uid) if command.about else None
        sole = self.pieces[0] if isinstance(self.pieces, list) and len(self.pieces) == 1 else None
        only = sole if reply is None and command.interrupt is None else None
        self.line = only if isinstance(only, bytes) else None
        """All of it, if it is a single line without secrets whose writer need not wait for anything the server says."""

    def shown(self, most: int) -> bytes:
        """What goes over the wire, for people: of a literal only its size, of a secret nothing."""
        if isinstance(self.pieces, Secret):
            return b"***"
        return b"".join(piece if isinstance(piece, bytes) else repr(piece).encode() for piece in self.pieces)[:most]

    def __repr__(self) -> str:
        shown = "***" if isinstance(self.pieces, Secret) else self.shown(100)
        return f"{self.name} {shown!r}"


def _subject(command: Command, args: tuple[Any, ...], uid: bool) -> Any:
    """What a command asks for. Raises ``TypeError`` for what cannot be compared with the subjects of others."""
    assert command.about is not None
    subject = command.about(args, uid)
    try:
        hash(subject)
    except TypeError as exc:
        raise TypeError(
            f"{command.name}: its family's about() returned a {type(subject).__name__}, which has no hash: {exc}"
        ) from exc
    return subject
