"""What must not be shown: passwords and tokens on their way to a server, and whatever a server repeats of them.

A method wraps what is secret (``Secret``) before anything else sees it, so that no frame of imapkit holds it in the clear while
an error passes through. Text that is to be shown, or to be put into an error, goes through ``Hidden.hide``.
"""

from __future__ import annotations

import binascii
from typing import Any

__all__ = ["Hidden", "Secret", "plain", "plain_all", "secret_arguments"]

STARS = b"***"
_SHORTEST = 3
"""Octets; what is shorter would hide half of every text."""
_PIECE = 6
"""Octets; messages cut what they quote, so pieces from the beginning or the end of a secret, at least this long, go too."""


class Secret:
    """Something that is sent and never shown; ``plain`` takes it out."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be pickled")


def plain(value: Any) -> Any:
    """The value itself, whether it is wrapped or not."""
    return value._value if type(value) is Secret else value


def secret_arguments(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Those arguments of a secret command that are wrapped; if none is, all but the first, which names somebody."""
    return tuple(value for value in args if type(value) is Secret) or args[1:]


def plain_all(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values themselves."""
    return tuple(map(plain, args))


class Hidden:
    """The secrets of one connection, in every form in which they may come back; used under the state lock."""

    __slots__ = ("_forms",)

    def __init__(self) -> None:
        self._forms: dict[bytes, None] = {}

    def __bool__(self) -> bool:
        return bool(self._forms)

    def __repr__(self) -> str:
        return f"<Hidden: {len(self._forms)} forms>"

    def add(self, *values: Any) -> None:
        """These are not to be shown from now on."""
        for value in values:
            value = plain(value)
            octets = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
            if isinstance(octets, (bytes, bytearray, memoryview)) and len(octets) >= _SHORTEST:
                self._forms.update(dict.fromkeys(_forms(bytes(octets))))
        # The longest first: a form may hold another one.
        self._forms = dict.fromkeys(sorted(self._forms, key=len, reverse=True))

    def add_response(self, response: bytes) -> None:
        """A SASL response in base64 (RFC 3501 section 6.2.2), and the fields in it: NUL (RFC 4616) or SOH (XOAUTH2) between."""
        self.add(response)
        try:
            decoded = binascii.a2b_base64(response)
        except ValueError:
            return
        fields = [decoded.rpartition(b"\0")[2]] if b"\0" in decoded else decoded.split(b"\x01")
        # Other fields name somebody: "user=me", "auth=Bearer token", or "me digest".
        self.add(decoded, *(field for field in fields if b"=" not in field), *(field.partition(b" ")[2] for field in fields))

    def hide(self, text: bytes) -> bytes:
        """``text`` without them."""
        for form in self._forms:
            text = text.replace(form, STARS)
        return text

    def hide_text(self, text: str) -> str:
        """A text of ours, which may quote a part of what the server sent, without them and without pieces of them."""
        if not self._forms:
            return text
        octets = self.hide(text.encode("utf-8", "surrogatepass"))
        for form in self._forms:
            if len(form) > _PIECE:
                octets = _without_pieces(octets, form)
        return octets.decode("utf-8", "surrogatepass")

    def clean(self, exc: BaseException) -> None:
        """Take them out of what an error says."""
        if self._forms:
            exc.args = tuple(self.hide_text(arg) if isinstance(arg, str) else arg for arg in exc.args)


def _forms(secret: bytes) -> list[bytes]:
    """As it is; as a quoted string; as Python shows it; in base64, wherever in a longer text it begins; in hexadecimal."""
    quoted = secret.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    found = [binascii.b2a_base64(secret, newline=False)]
    for form in dict.fromkeys((secret, quoted)):
        found += [form, repr(form)[2:-1].encode(), form.hex().encode(), form.hex().upper().encode()]
        found += [_inside_base64(form, shift) for shift in range(3)]
    return [form for form in found if len(form) >= _SHORTEST]


def _inside_base64(secret: bytes, shift: int) -> bytes:
    """What is the same in the base64 of every text that holds ``secret`` behind ``shift`` (modulo 3) other octets."""
    whole = binascii.b2a_base64(b"\0" * shift + secret, newline=False)
    begin = (0, 2, 3)[shift]
    # The characters that octets behind it would change are left out.
    end = (shift + len(secret)) * 8 // 6
    return whole[begin:end]


def _without_pieces(text: bytes, form: bytes) -> bytes:
    """``text`` without the longest beginnings, and ends, of ``form``."""
    text = _replaced(text, form)
    # The same from behind, for the ends.
    return _replaced(text[::-1], form[::-1])[::-1]


def _replaced(text: bytes, form: bytes) -> bytes:
    """``text`` without the longest beginnings of ``form``; in one pass, since a server may repeat them without end."""
    kept: list[bytes] = []
    done, beginning = 0, form[:_PIECE]
    while (at := text.find(beginning, done)) >= 0:
        kept += (text[done:at], STARS)
        done = at + _common(text[at : at + len(form)], form)
    return b"".join((*kept, text[done:]))


def _common(one: bytes, other: bytes) -> int:
    """How many octets are the same from the start."""
    for at, (first, second) in enumerate(zip(one, other, strict=False)):
        if first != second:
            return at
    return min(len(one), len(other))
