"""The records for BODY and BODYSTRUCTURE, the parts of a message; RFC 3501 section 7.4.2. ``body.py`` reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imapkit.ext.rev1.envelope import Envelope
from imapkit.plugin import decode_bytes, decode_parameters, decode_words, record

__all__ = ["BasicFields", "BasicPart", "BodyStructure", "Disposition", "MessagePart", "MultiPart", "Pairs", "TextPart"]

Pairs = tuple[tuple[bytes, bytes | None], ...]


@record
class Disposition:
    """How a part is to be presented: "inline", "attachment" ... (RFC 2183)."""

    raw_type: bytes
    raw_parameters: Pairs

    @property
    def type(self) -> str:
        """The type in lower case."""
        return decode_bytes(self.raw_type).lower()

    @property
    def parameters(self) -> Mapping[str, str]:
        """Readable, by name in lower case; RFC 2231 and 2047 decoded."""
        return decode_parameters(self.raw_parameters)


@record
class BodyStructure:
    """A part of a message: a ``BasicPart``, ``TextPart``, ``MessagePart`` or ``MultiPart``.

    ``section`` is its name in ``BODY[section]`` (RFC 3501 section 6.4.5): "1.2"; "TEXT" or "3.TEXT" for the parts of a message
    taken together. The fields whose names begin with ``raw_`` are as sent; the same names without it are readable.
    """

    section: str
    raw_type: bytes | None
    raw_subtype: bytes | None
    raw_parameters: Pairs
    disposition: Disposition | None
    raw_language: tuple[bytes, ...]
    raw_location: bytes | None
    extensions: tuple[Any, ...]

    @property
    def type(self) -> str | None:
        """The type in lower case: "text"."""
        return _lower(self.raw_type)

    @property
    def subtype(self) -> str | None:
        """The subtype in lower case: "plain"."""
        return _lower(self.raw_subtype)

    @property
    def language(self) -> tuple[str, ...]:
        """The tags of its languages (RFC 3282)."""
        return tuple(map(decode_bytes, self.raw_language))

    @property
    def location(self) -> str | None:
        """The field Content-Location (RFC 2557)."""
        return None if self.raw_location is None else decode_bytes(self.raw_location)

    @property
    def content_type(self) -> str | None:
        """``type/subtype`` in lower case; None if one of them is missing."""
        if self.raw_type is None or self.raw_subtype is None:
            return None
        return decode_bytes(self.raw_type + b"/" + self.raw_subtype).lower()

    @property
    def parameters(self) -> Mapping[str, str]:
        """Readable, by name in lower case; RFC 2231 and 2047 decoded."""
        return decode_parameters(self.raw_parameters)

    @property
    def filename(self) -> str | None:
        """``filename`` of the disposition, else ``name`` of the type: the first that is not blank; None without either.

        The sender chose it, and it is returned unchanged: do not use it as a path.
        """
        given = self.disposition.parameters.get("filename") if self.disposition else None
        if given and not given.isspace():
            return given
        name = self.parameters.get("name")
        return name if given is None or (name and not name.isspace()) else given

    @property
    def inside(self) -> tuple[BodyStructure, ...]:
        """The parts directly in this one."""
        return ()

    def walk(self) -> Iterator[BodyStructure]:
        """The part itself and all parts in it, each before its own parts."""
        ahead: list[BodyStructure] = [self]
        while ahead:
            part = ahead.pop()
            yield part
            if inside := part.inside:
                ahead.extend(reversed(inside))

    @property
    def text(self) -> TextPart | None:
        """The part to read as plain text: the first TEXT/PLAIN that is no attachment, and in no message inside; or None."""
        return self._body("plain")

    @property
    def html(self) -> TextPart | None:
        """The same for TEXT/HTML; in an alternative to ``text``, if the sender has written both."""
        return self._body("html")

    @property
    def attachments(self) -> tuple[BasicPart, ...]:
        """The parts that a reader is offered as files, in order; what is in an attached message belongs to that.

        Those with the disposition "attachment", and others with a file name, or of a type that is no text and not "inline";
        without the pictures of a page: the parts of a multipart/related with a Content-ID.
        """
        return tuple(part for part, related in self._leaves() if _is_attachment(part, related))

    def _body(self, subtype: str) -> TextPart | None:
        for part, related in self._leaves():
            if isinstance(part, TextPart) and part.subtype == subtype and not _is_attachment(part, related):
                return part
        return None

    def _leaves(self) -> Iterator[tuple[BasicPart, bool]]:
        """The parts that are no multiparts, but for those in messages inside; and whether each is in a multipart/related."""
        ahead: list[tuple[BodyStructure, bool]] = [(self, False)]
        while ahead:
            part, related = ahead.pop()
            if isinstance(part, BasicPart):
                yield part, related
            else:
                related = part.subtype == "related"
                ahead.extend((each, related) for each in reversed(part.inside))


@record
class BasicPart(BodyStructure):
    """A part that is no multipart; ``size`` is in bytes of the encoded part."""

    raw_id: bytes | None
    raw_description: bytes | None
    raw_encoding: bytes | None
    size: int | None
    raw_md5: bytes | None

    @property
    def id(self) -> str | None:
        """The field Content-ID."""
        return None if self.raw_id is None else decode_bytes(self.raw_id)

    @property
    def description(self) -> str | None:
        """The description with encoded words decoded (RFC 2047)."""
        return None if self.raw_description is None else decode_words(self.raw_description)

    @property
    def encoding(self) -> str | None:
        """The transfer encoding in lower case: "base64"."""
        return _lower(self.raw_encoding)

    @property
    def md5(self) -> str | None:
        """The field Content-MD5 (RFC 1864)."""
        return None if self.raw_md5 is None else decode_bytes(self.raw_md5)


def _is_attachment(part: BasicPart, related: bool) -> bool:
    """Whether a reader is offered a part as a file; see ``BodyStructure.attachments``."""
    shown = "" if part.disposition is None else part.disposition.type.strip()
    if shown == "attachment":
        return True
    if related and part.raw_id is not None:
        return False
    return bool(part.filename) or (shown != "inline" and not isinstance(part, TextPart))


@record
class TextPart(BasicPart):
    """A part of type TEXT; ``lines`` counts those of the encoded part."""

    lines: int | None

    @property
    def charset(self) -> str | None:
        """The charset in lower case; None if the server names none, which means US-ASCII (RFC 2045 section 5.2)."""
        charset = self.parameters.get("charset")
        return None if charset is None else charset.lower()


@record
class MessagePart(BasicPart):
    """A message inside the message: its ``envelope``, its ``body`` and its number of ``lines``."""

    envelope: Envelope | None
    body: BodyStructure | None
    lines: int | None

    @property
    def inside(self) -> tuple[BodyStructure, ...]:
        """The body of the message, as a tuple of one part or none."""
        return () if self.body is None else (self.body,)


@record
class MultiPart(BodyStructure):
    """A part that consists of parts; the server does not send its type, so ``raw_type`` is always ``b"multipart"``."""

    parts: tuple[BodyStructure, ...]

    @property
    def inside(self) -> tuple[BodyStructure, ...]:
        """The parts directly in this one."""
        return self.parts


def _lower(sent: bytes | None) -> str | None:
    return None if sent is None else decode_bytes(sent).lower()


_Text = bytes | None
BasicFields = tuple[
    str,
    _Text,
    _Text,
    Pairs,
    Disposition | None,
    tuple[bytes, ...],
    _Text,
    tuple[Any, ...],
    _Text,
    _Text,
    _Text,
    int | None,
    _Text,
]
"""The arguments of ``BasicPart``."""
