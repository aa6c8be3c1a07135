"""What typed commands about messages share: which messages are meant, which mailbox, and how a long set is split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from imapkit.core.contract.typed import TypedCommands
from imapkit.core.contract.wires import Wire
from imapkit.core.grammar.keys import SearchKey, has_foreign_text, key_pieces
from imapkit.core.support.lean import record
from imapkit.core.wire.uidset import UIDSet
from imapkit.errors import ArgumentError, FamilyDisabledError
from imapkit.refusals import BadCharset

__all__ = ["Appended", "Copied", "SelectedCommands", "Which"]

F = TypeVar("F")
T = TypeVar("T")
Which: TypeAlias = "UIDSet | Iterable[int] | int | SearchKey"
"""Messages of the selected mailbox: their UIDs, or a key by which they are searched first. For an empty set nothing is sent."""


class SelectedCommands(TypedCommands[F]):
    """The base of typed commands that need a selected mailbox; always by UID."""

    if TYPE_CHECKING:
        # A view of a client is an error before the program runs.
        def __init__(self, over: SelectedCommands[F]) -> None: ...

    async def _uids(self, which: Which) -> UIDSet:
        """The UIDs of the messages that are meant; a key is searched. Raises ``TypeError`` for text and bytes."""
        if isinstance(which, UIDSet):
            return which
        if isinstance(which, SearchKey):
            found: UIDSet = await _search_of(self)(which)
            return found
        if isinstance(which, int) and not isinstance(which, bool):
            return UIDSet((which,))
        if isinstance(which, (str, bytes, bytearray, bool)):
            raise TypeError(
                f"messages are UIDs, a UIDSet or a search key, not {type(which).__name__}: UIDSet({which!r}) reads text"
            )
        return UIDSet(which)

    async def _in_charset(self, key: SearchKey, wire: Callable[[str | None], Wire[T]]) -> T:
        """The result of a search, which ``wire`` makes for a charset, None for the usual one.

        If the server refuses it with BADCHARSET, the search is sent again in a charset that the server names, and that has all
        characters of the key. Raises ``TypeError`` for what is no key.
        """
        if not isinstance(key, SearchKey):
            raise TypeError(f"a search takes a key, such as q.unseen & q.subject('x'), not {type(key).__name__}: {key!r:.60}")
        try:
            return await wire(None)
        except BadCharset as refused:
            for name in refused.value or ():
                charset = name.decode("ascii", "replace")
                if has_foreign_text(key) and _can_be_written(key, charset):
                    with suppress(BadCharset):
                        return await wire(charset)
            raise


def _search_of(commands: TypedCommands[Any]) -> Any:
    """The method ``search``, of the mailbox if ``commands`` are a view of it. Raises ``FamilyDisabledError``."""
    found: TypedCommands[Any] | None = commands
    while found is not None:
        search = getattr(found._within(), "search", None)
        if search is not None:
            return search
        found = found._over
    raise FamilyDisabledError("a search key as a set of messages needs a family with search()")


def _can_be_written(key: SearchKey, charset: str) -> bool:
    try:
        key_pieces(key, charset)
    except ArgumentError:
        return False
    return True


class _Pairs(Protocol):
    @property
    def uidvalidity(self) -> int: ...
    def pairs(self) -> Iterable[tuple[int, int]]: ...


class _Uids(Protocol):
    @property
    def uidvalidity(self) -> int: ...
    @property
    def uids(self) -> Iterable[int]: ...


@record
class Appended:
    """Where a message was appended: its ``uid``, and the mailbox's ``uidvalidity``; None if the server did not say (RFC 4315)."""

    uid: int | None = None
    uidvalidity: int | None = None

    @classmethod
    def of(cls, code: _Uids | None) -> Appended:
        """By the response code APPENDUID, if there is one."""
        return cls() if code is None else cls(next(iter(code.uids), None), code.uidvalidity)


@record
class Copied:
    """Where messages were copied or moved: ``uids`` has the new UID of each old one, in the target with ``uidvalidity``.

    Both are None if the server did not say (RFC 4315). If nothing was copied, ``uids`` is empty.
    """

    uidvalidity: int | None = None
    uids: Mapping[int, int] | None = field(default=None, hash=False)

    @classmethod
    def of(cls, code: _Pairs | None) -> Copied:
        """By the response code COPYUID, if there is one."""
        return cls() if code is None or not code.uidvalidity else cls(code.uidvalidity, dict(code.pairs()))

    @classmethod
    def together(cls, parts: Iterable[Copied]) -> Copied:
        """What several commands have copied to one mailbox."""
        uids: dict[int, int] = {}
        uidvalidity = None
        for part in parts:
            if part.uids is None:
                return cls()
            uids.update(part.uids)
            uidvalidity = part.uidvalidity
        return cls(uidvalidity, uids)
