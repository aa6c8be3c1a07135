"""What BODY and BODYSTRUCTURE say: the parts of a message, as records; RFC 3501 section 7.4.2. ``body.py`` reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imapkit.ext.rev1.envelope import Envelope
from imapkit.plugin import decode_bytes, decode_parameters, decode_words, record

__all__ = ["BasicFields", "BasicPart", "BodyStructure", "Disposition", "MessagePart", "MultiPart", "Pairs", "TextPart"]

Pairs = tuple[tuple[bytes, bytes | None], ...]


@record
class Disposition:
    """What is to be done with a part: "inline", "attachment" ... (RFC 2183)."""

    type: bytes
    raw_parameters: Pairs

    @property
    def parameters(self) -> Mapping[str, str]:
        """Readable, by name in lower case; RFC 2231 and 2047 decoded."""
        return decode_parameters(self.raw_parameters)


@record
class BodyStructure:
    """A part of a message: a ``BasicPart``, ``TextPart``, ``MessagePart`` or ``MultiPart``.

    ``section`` is what it is called in ``BODY[section]`` (RFC 3501 section 6.4.5): "1.2"; "TEXT" or "3.TEXT" for the parts of a
    message taken together. ``type``, ``subtype`` and the names of parameters are as sent, and to be compared in any case.
    """

    section: str
    type: bytes | None
    subtype: bytes | None
    raw_parameters: Pairs
    disposition: Disposition | None
    language: tuple[bytes, ...]
    location: bytes | None
    extensions: tuple[Any, ...]

    @property
    def content_type(self) -> str | None:
        """``type/subtype`` in lower case; None if one of them is missing."""
        if self.type is None or self.subtype is None:
            return None
        return decode_bytes(self.type + b"/" + self.subtype).lower()

    @property
    def parameters(self) -> Mapping[str, str]:
        """Readable, by name in lower case; RFC 2231 and 2047 decoded."""
        return decode_parameters(self.raw_parameters)

    @property
    def filename(self) -> str | None:
        """The name that the sender gave the part, as it is: not to be used as a path.

        ``filename`` of the disposition, else ``name`` of the type: the first that is not blank.
        """
        given = self.disposition.parameters.get("filename") if self.disposition else None
        if given and not given.isspace():
            return given
        name = self.parameters.get("name")
        return name if given is None or (name and not name.isspace()) else given

    @property
    def inside(self) -> tuple[BodyStructure, ...]:
        """The parts directly in it."""
        return ()

    def walk(self) -> Iterator[BodyStructure]:
        """The part itself and all that are in it, each before what is in it."""
        ahead: list[BodyStructure] = [self]
        while ahead:
            part = ahead.pop()
            yield part
            if inside := part.inside:
                ahead.extend(reversed(inside))


@record
class BasicPart(BodyStructure):
    """A part that is no multipart; ``size`` in octets as they are sent, ``encoding`` still in place."""

    id: bytes | None
    description: bytes | None
    encoding: bytes | None
    size: int | None
    md5: bytes | None

    @property
    def description_text(self) -> str | None:
        """The description, readable: encoded words decoded (RFC 2047)."""
        return None if self.description is None else decode_words(self.description)


@record
class TextPart(BasicPart):
    """A part of type TEXT; ``lines`` as they are sent, ``encoding`` still in place."""

    lines: int | None

    @property
    def charset(self) -> str | None:
        """The charset, in lower case; without one it is US-ASCII (RFC 2045 section 5.2)."""
        charset = self.parameters.get("charset")
        return None if charset is None else charset.lower()


@record
class MessagePart(BasicPart):
    """A message inside the message: its envelope, what it consists of, its ``lines``."""

    envelope: Envelope | None
    body: BodyStructure | None
    lines: int | None

    @property
    def inside(self) -> tuple[BodyStructure, ...]:
        """What the message consists of."""
        return () if self.body is None else (self.body,)


@record
class MultiPart(BodyStructure):
    """A part that consists of parts; its ``type`` is understood, not sent."""

    parts: tuple[BodyStructure, ...]

    @property
    def inside(self) -> tuple[BodyStructure, ...]:
        """The parts directly in it."""
        return self.parts


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
"""What a ``BasicPart`` is made of."""
