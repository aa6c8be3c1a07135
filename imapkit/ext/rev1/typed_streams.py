"""Typed commands for the bodies of messages: into a file as they arrive, or as bytes and text; RFC 3501 section 6.4.5."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self, TypeAlias, TypeVar

from imapkit.errors import ArgumentError, NoAnswer, error
from imapkit.ext.rev1.bodystructure import BasicPart, BodyStructure, MultiPart
from imapkit.ext.rev1.lines import Lines
from imapkit.ext.rev1.messages import BODY, Message, messages, requested, section
from imapkit.ext.rev1.pieces import Piece, Pieces, piece_in, range_wire
from imapkit.ext.rev1.streaming import announces_body, announces_range
from imapkit.plugin import (
    Begin,
    Decoder,
    Destination,
    Item,
    Offload,
    Reply,
    SelectedCommands,
    StreamedLiteral,
    Untagged,
    Wire,
    command,
    decode_bytes,
    decoder_for,
    late_pattern,
)

if TYPE_CHECKING:
    from email.message import EmailMessage
    from os import PathLike

__all__ = ["LOOK", "Part", "StreamsSelected"]

F = TypeVar("F")
T = TypeVar("T")
Report: TypeAlias = Callable[[int, "int | None"], object]
"""Called as ``progress(done, total)``: the bytes that have come so far, and all of them; None if that is not known."""
_NUMBERS = late_pattern(r"[1-9][0-9]*+(?:\.[1-9][0-9]*+)*+\Z")
_MOST = 0xFFFFFFFF
LOOK = 1024
"""Bytes that are read to see how the lines of an encoded part are."""
_SMALL = 1 << 16
"""Bytes that are decoded at once, on any thread."""


class Part(NamedTuple):
    """What has to be known of a part to read it: its ``size`` is that of the encoded one."""

    section: str
    encoding: str | None = None
    size: int | None = None
    charset: str | None = None

    @classmethod
    def of(cls, part: BodyStructure) -> Self:
        """By the structure of the body."""
        if isinstance(part, MultiPart) or not isinstance(part, BasicPart):
            return cls(part.section)
        charset = part.parameters.get("charset")
        return cls(part.section, part.encoding, part.size, charset and charset.lower())

    @property
    def is_plain(self) -> bool:
        """Whether the bytes are sent as they are."""
        return self._encoded() not in ("base64", "quoted-printable")

    @property
    def is_base64(self) -> bool:
        """Whether they are sent as base64."""
        return self._encoded() == "base64"

    def _encoded(self) -> str:
        return (self.encoding or "").strip().lower()

    def decode(self, data: bytes) -> bytes:
        """The bytes that the part encodes."""
        decoder = decoder_for(self.encoding)
        return decoder.feed(data) + decoder.end()


class StreamsSelected(SelectedCommands[F]):
    """Read the bodies of messages.

    ``part``: a part of ``message.body``, or its section as text: "" for the whole message, "1.2", "TEXT", "2.MIME". Nothing sets
    the flag Seen.
    """

    @command
    async def download(
        self,
        uid: int,
        part: BodyStructure | str,
        to: PathLike[str] | BinaryIO,
        *,
        chunk: int | None = 1 << 20,
        window: int = 4,
        resume: bool = False,
        progress: Report | None = None,
    ) -> int:
        """Fetch a part into a file while it arrives, decoded; returns the bytes of the part; RFC 3501 section 6.4.5.

        ``box.download(uid, "2", Path("film.mp4"), resume=True)``. ``window`` pieces of ``chunk`` bytes are on their way at a
        time, so memory stays small, and other commands are answered in between. ``chunk=None``: the server sends all at once,
        which suits servers that build a message anew for each piece; other answers come behind it, and a file that accepts
        nothing for 10 seconds gets ``DeadlineExceeded``. Base64 and quoted-printable are decoded, as the structure
        of the message says; for a section given as text that is asked first.

        ``to``: a path, which is opened when the first bytes come; or a file open for writing bytes, which is not closed.
        ``resume``: a path whose file has a part of the bytes already: only the rest is fetched. If that cannot be found in an
        encoded part, all is fetched again. ``progress(done, total)``: the bytes that have come, still encoded, and all of them,
        or None. Files are written, and ``progress`` is called, by the caller's thread, or for a future or a task by a thread of
        their own: a slow file holds up no other command. What they raise ends the call.

        Raises ``NoAnswer`` if there is no such message or part, ``NoResponse`` if the server refuses. What has come until then
        is in the file.
        """
        if window < 1 or (chunk is not None and chunk < 1):
            raise ArgumentError(f"chunk={chunk}, window={window}: at least one byte, and one piece at a time")
        target = self._destination(to, resume)
        found = await self._part(uid, part)
        try:
            there, start, skip = await self._begun(uid, found, target)
            if found.is_plain and found.size is not None and start == found.size and there:
                return there
            taker = _Taker(target, decoder_for(found.encoding), progress, found.size, start, there - skip, skip)
            if "(" in found.section:
                await Offload(partial(taker.take, await self._whole(uid, found)))
            elif chunk is None:
                await self._at_once(uid, found, taker, start)
            else:
                await _in_pieces(Pieces(uid, found.section, chunk, window, start=start, end=found.size), taker)
            await Offload(taker.end)
            return taker.written
        finally:
            target.leave()

    @command
    async def read_bytes(self, uid: int, part: BodyStructure | str = "") -> bytes:
        """A part as bytes, decoded: base64 and quoted-printable, as the structure of the message says; RFC 3501 section 6.4.5.

        ``files = {part.filename: box.read_bytes(uid, part) for part in message.body.attachments}``. All of it is in memory; for
        large parts there is ``download``. Raises ``NoAnswer`` if there is no such message or part, ``NoResponse``.
        """
        found, data = await self._read(uid, part)
        return await _done(partial(found.decode, data), data)

    @command
    async def read_text(self, uid: int, part: BodyStructure | str) -> str:
        """A part as text, decoded by its charset; what is no text in that charset becomes U+FFFD.

        ``box.read_text(uid, body.html or body.text or "1")``. Raises as ``read_bytes``.
        """
        found, data = await self._read(uid, part)
        return await _done(lambda: decode_bytes(found.decode(data), found.charset or "utf-8"), data)

    @command
    async def message(self, uid: int) -> EmailMessage:
        """The whole message, for the package ``email``. Raises ``NoAnswer`` if there is no such message, ``NoResponse``."""
        _, data = await self._read(uid, "")
        return await Offload(partial(_parsed, data))

    async def _part(self, uid: int, part: BodyStructure | str) -> Part:
        """What the structure of the message says about a part; a section that is no part is as it is sent."""
        if isinstance(part, BodyStructure):
            return Part.of(part)
        if not _is_numbered(part):
            return Part(part)
        return _find(await self._one(uid, BODY), part)

    async def _read(self, uid: int, part: BodyStructure | str) -> tuple[Part, bytes]:
        """A part, and its bytes as they are sent; with the structure of the message, if need be, in one answer."""
        if isinstance(part, BodyStructure) or not _is_numbered(part):
            found = await self._part(uid, part)
            return found, await self._whole(uid, found)
        message = await self._one(uid, BODY, section(part))
        return _find(message, part), _bytes_of(message, part)

    async def _whole(self, uid: int, part: Part) -> bytes:
        return _bytes_of(await self._one(uid, section(part.section)), part.section)

    async def _one(self, uid: int, *items: Item[object]) -> Message:
        """One message with these items. Raises ``NoAnswer`` if it is not there."""
        found = await Wire("FETCH", uid, requested(items), uid=True, parse=messages)
        for message in found:
            if message.uid == uid:
                return message
        raise NoAnswer(f"there is no message with the UID {uid}")

    async def _range(self, uid: int, name: str, start: int, size: int) -> bytes:
        """A range of a section. Raises ``NoAnswer``."""
        piece = await range_wire(uid, name, start, size)
        if piece is None:
            raise NoAnswer(f"the server sent nothing of BODY[{name}]: is there a message {uid}?")
        return piece.data if piece.ranged else piece.data[start : start + size]

    async def _begun(self, uid: int, part: Part, target: Destination) -> tuple[int, int, int]:
        """What is there already: its bytes, where to go on in the part as it is sent, and how many bytes come twice then."""
        there = await Offload(target.there) if target.resumes else 0
        if not there:
            return 0, 0, 0
        if part.is_plain and (part.size is None or there <= part.size):
            return there, there, 0
        found = await self._place(uid, part, target, there) if part.is_base64 else None
        if found is not None:
            return there, *found
        target.begin_again()
        return 0, 0, 0

    async def _place(self, uid: int, part: Part, target: Destination, there: int) -> tuple[int, int] | None:
        """Where a base64 part goes on: the beginning of a line before the last byte that is there, and the bytes in between.

        None unless the lines are all alike, and the bytes that come twice are the same.
        """
        lines = Lines.of(await self._range(uid, part.section, 0, LOOK))
        if lines is None:
            return None
        line = max(0, there // lines.each - 4)
        start, twice = line * lines.step, there - line * lines.each
        if part.size is not None and start >= part.size:
            return None
        begin = max(0, start - lines.step)
        look = await self._range(uid, part.section, begin, start - begin + lines.step * 6)
        if not lines.fit(look):
            return None
        again = part.decode(look[start - begin :])[:twice]
        return (start, twice) if again == await Offload(partial(target.end_of, twice)) else None

    async def _at_once(self, uid: int, part: Part, taker: _Taker, start: int) -> None:
        """Take a part as one literal, while it comes."""
        passage = self._passage()
        begun = False

        def choose(response: Untagged, size: int) -> Any:
            nonlocal begun
            if not announces_body(response):
                return None
            if begun:
                raise error("FETCH: more than one body has come; only the first was written")
            begun = True
            ranged = announces_range(response)
            taker.comes(start + size if ranged else size, start if not ranged else 0)
            return passage.flow

        def end(reply: Reply) -> bytes:
            return _last(reply, piece_in(reply, uid, part.section, start), begun)

        span = f"<{start}.{_MOST}>" if start else ""
        items = f"(UID BODY.PEEK[{part.section}]{span})"
        flight = await Begin(Wire("FETCH", uid, items, uid=True, parse=end, sink=choose))
        # (Under the state lock: the taker calls ``take``, and gets the error of the command, if there is one.)
        flight.when_over(partial(passage.flow.over, flight.take))
        try:
            await Offload(partial(taker.take_all, passage.read), passage.close)
        finally:
            passage.close()
            flight.drop()


async def _in_pieces(pieces: Pieces, taker: _Taker) -> None:
    try:
        while piece := await pieces.next():
            await Offload(partial(taker.take, piece))
    finally:
        pieces.drop()


def _done(work: Callable[[], T], data: bytes) -> Awaitable[T]:
    """The result of ``work``; of a large part on a thread that may take its time."""
    return _at_once_done(work) if len(data) < _SMALL else Offload(work)


async def _at_once_done(work: Callable[[], T]) -> T:
    return work()


def _is_numbered(part: str) -> bool:
    if not isinstance(part, str):
        raise TypeError(f"a part is a BodyStructure or its section as text, not {type(part).__name__}")
    section(part)  # raises for what is none
    return _NUMBERS.match(part) is not None


def _find(message: Message, name: str) -> Part:
    structure = message.get(BODY)
    found = (part for part in structure.walk() if part.section == name) if structure is not None else iter(())
    return next(map(Part.of, found), Part(name))


def _bytes_of(message: Message, name: str) -> bytes:
    found = message.get(section(name))
    if found is None:
        raise NoAnswer(f"message {message.uid} has no BODY[{name}]")
    return found


def _parsed(data: bytes) -> EmailMessage:
    from email import message_from_bytes
    from email.policy import default

    return message_from_bytes(data, policy=default)


def _last(reply: Reply, piece: Piece | None, begun: bool) -> bytes:
    """The bytes of a part that has come in another form than as a literal: a short string, or NIL. Raises ``NoAnswer``."""
    if not begun:
        if piece is None:
            raise NoAnswer("the server said OK, and sent no body: is there such a message, and such a part?")
        return piece.data
    if not any(type(part) is StreamedLiteral for response in reply.responses("FETCH") for part in response.parts):
        raise error("FETCH: the bytes taken turned out to belong to another response")
    return b""


class _Taker:
    """Decodes pieces, writes them, and tells the program; on the taker's thread."""

    def __init__(
        self,
        target: Destination,
        decoder: Decoder,
        progress: Report | None,
        total: int | None,
        done: int,
        written: int,
        skip: int,
    ) -> None:
        self._target, self._decoder, self._progress, self._total = target, decoder, progress, total
        self._done, self._skip, self._over = done, skip, 0
        self.written = written

    def comes(self, total: int, over: int) -> None:
        """All that comes has this size; the first ``over`` bytes are there already."""
        self._total, self._over = total, over

    def take(self, piece: bytes) -> None:
        """Take some bytes, as they are sent."""
        if self._over:
            piece, self._over = piece[self._over :], max(0, self._over - len(piece))
        self._done += len(piece)
        self._write(self._decoder.feed(piece))
        if self._progress is not None and piece:
            self._progress(self._done, self._total)

    def take_all(self, read: Callable[[], bytes]) -> None:
        """Take what ``read`` gives, to the end."""
        while piece := read():
            self.take(piece)

    def end(self) -> None:
        """All has come."""
        self._write(self._decoder.end())
        self._target.end()

    def _write(self, data: bytes) -> None:
        self.written += len(data)
        if self._skip:
            data, self._skip = data[self._skip :], max(0, self._skip - len(data))
        if data:
            self._target.write(data)
