"""Secrets, which are never shown: passwords and tokens on their way to a server, and what a server repeats of them.

A method wraps a secret (``Secret``) first of all, so that no frame of a traceback holds it in the clear. Text that is to be
shown, or to be put into an error, goes through ``Hidden``.

``Hidden`` does not keep the secrets. It keeps a number (``hash``) for each run of six characters in each form of a secret, and
looks every run of six characters of a text up among them. The cost for a text depends on its length alone, not on the number of
secrets. Before that the characters that escaping inserts are removed: backslashes, quotes, blanks, all not printable.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["Hidden", "Secret", "hidden", "plain", "plain_all", "secret_arguments"]

STARS = "***"
_RUN = 6
"""Characters: this much of a secret, or of one of its forms, is found anywhere in a text."""
_SHORTEST, _SHORTEST_ENCODED = 3, 4
"""Characters: a secret shorter than a run is looked for as a whole. One shorter than this would hide half of every text."""
_LONG = 64
"""Characters: of a longer form every sixth run is kept, so that any eleven characters of it hold one."""
_LONGEST = 1 << 14
"""Bytes: of a longer secret the beginning and the end are hidden, this much together."""
_MOST = 1 << 13
"""Characters of a text that are shown, once there are secrets; "..." stands for the rest."""
_EXCHANGES, _RESPONSES = 4, 8
"""How many of the last exchanges are kept, and how many of the last responses of each."""

_Runs = Mapping[int, frozenset[int]]
"""By length, the hashes of the runs that are hidden."""


class Secret:
    """A value that is sent and never shown; ``plain`` returns it."""

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
    """Those arguments of a secret command that are wrapped; if none is, all but the first, which is a user's name."""
    return tuple(value for value in args if type(value) is Secret) or args[1:]


def hidden(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A secret command's arguments, all but the first wrapped."""
    return (*args[:1], *(value if value is None or type(value) is Secret else Secret(value) for value in args[1:]))


def plain_all(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values themselves."""
    return tuple(map(plain, args))


class Hidden:
    """The secrets of the last exchanges of one connection, as runs of characters that are not shown.

    Any thread may hide while the engine adds under the state lock: the table of runs is replaced as a whole, and never changed.
    """

    __slots__ = ("_exchanges", "_known")

    def __init__(self, *values: Any) -> None:
        # (Lists: an empty deque takes 0.7 KiB on every connection.)
        self._exchanges: list[tuple[list[_Runs], list[_Runs]]] = []
        self._known: _Runs = {}
        if values:
            self.begin(*values)

    def __bool__(self) -> bool:
        return bool(self._known)

    def __repr__(self) -> str:
        return f"<Hidden: {sum(map(len, self._known.values()))} runs>"

    def begin(self, *values: Any) -> None:
        """Add the secrets of an exchange that begins; those of the exchanges before the last few are forgotten."""
        self._exchanges.append(([_runs_of(value) for value in values], []))
        del self._exchanges[:-_EXCHANGES]
        self._rebuild()

    def add_response(self, response: bytes) -> None:
        """Add a SASL response that the current exchange sends, in base64 (RFC 3501 section 6.2.2)."""
        runs = [_runs((response.decode("ascii", "replace"),)), *map(_runs_of, _secret_fields(response))]
        if not self._exchanges:
            self.begin()
        responses = self._exchanges[-1][1]
        responses.append(_merged(runs))
        del responses[:-_RESPONSES]
        self._rebuild()

    def _rebuild(self) -> None:
        self._known = _merged(runs for fixed, sent in self._exchanges for runs in (*fixed, *sent))

    def hide(self, text: bytes) -> bytes:
        """``text`` without the secrets; if there are any, at most 8192 bytes of it."""
        if not self._known:
            return text
        found = self._hidden(text[:_MOST].decode("utf-8", "surrogateescape"))
        return found.encode("utf-8", "surrogateescape") + (b"..." if len(text) > _MOST else b"")

    def hide_text(self, text: str) -> str:
        """As ``hide``, for text that may quote the server."""
        if not self._known:
            return text
        return self._hidden(text[:_MOST]) + ("..." if len(text) > _MOST else "")

    def clean(self, exc: BaseException) -> None:
        """Remove the secrets from an error's arguments and attributes."""
        exc.args = tuple(map(self._cleaned, exc.args))
        for name, value in vars(exc).items():
            setattr(exc, name, self._cleaned(value))

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.hide_text(value)
        return self.hide(value) if isinstance(value, bytes) else value

    def _hidden(self, text: str) -> str:
        bare = text.translate(_BARE)
        spans = [span for size, hashes in self._known.items() for span in _found(bare, size, hashes)]
        if not spans:
            return text
        places = [i for i, char in enumerate(text) if _BARE[ord(char)] is not None]
        kept, done = [], 0
        for begin, end in _joined(spans):
            kept += [text[done : places[begin]], STARS]
            done = places[end - 1] + 1
        return "".join((*kept, text[done:]))


class _Bare(dict[int, "int | None"]):
    """For ``str.translate``: removes what escaping inserts. (Nothing is cached for characters beyond ASCII.)"""

    def __missing__(self, code: int) -> int | None:
        # The surrogates of "surrogateescape", bytes that are not UTF-8, stay.
        return code if chr(code).isprintable() or 0xDC80 <= code <= 0xDCFF else None


_BARE = _Bare((code, code if chr(code).isprintable() and chr(code) not in " \\'\"" else None) for code in range(128))


def _found(bare: str, size: int, hashes: frozenset[int]) -> Iterator[tuple[int, int]]:
    return ((i, i + size) for i in range(len(bare) - size + 1) if hash(bare[i : i + size]) in hashes)


def _joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans that overlap or touch, as one."""
    ordered = sorted(spans)
    begin, end = ordered[0]
    for first, last in ordered[1:]:
        if first > end:
            yield begin, end
            begin = first
        end = max(end, last)
    yield begin, end


def _merged(many: Iterable[_Runs]) -> _Runs:
    found: dict[int, set[int]] = {}
    for runs in many:
        for size, hashes in runs.items():
            found.setdefault(size, set()).update(hashes)
    return {size: frozenset(hashes) for size, hashes in found.items()}


def _runs_of(value: Any) -> _Runs:
    """The runs of every form in which a server may repeat a secret."""
    value = plain(value)
    secret = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    if not isinstance(secret, (bytes, bytearray, memoryview)) or len(secret) < _SHORTEST:
        return {}
    secret = bytes(secret)
    if len(secret) > _LONGEST:
        secret = secret[: _LONGEST // 2] + secret[-_LONGEST // 2 :]
    runs = _runs((secret.decode("utf-8", "surrogateescape"), repr(secret)[2:-1]), _SHORTEST)
    return _merged((runs, _runs(_encoded(secret), _SHORTEST_ENCODED)))


def _encoded(secret: bytes) -> Iterator[str]:
    """The secret in hexadecimal, and in base64 as inside any longer text; also in the alphabet for URLs (RFC 4648 section 5)."""
    yield secret.hex()
    yield secret.hex().upper()
    for shift in range(3):
        form = _inside_base64(secret, shift).decode("ascii")
        yield form
        yield form.translate({ord("+"): "-", ord("/"): "_"})


def _runs(forms: Iterable[str], shortest: int = _SHORTEST) -> _Runs:
    found: dict[int, set[int]] = {}
    for bare in dict.fromkeys(form.translate(_BARE) for form in forms):
        if len(bare) >= shortest:
            size = min(len(bare), _RUN)
            last = len(bare) - size
            starts = range(last + 1) if len(bare) <= _LONG else (*range(0, last, size), last)
            found.setdefault(size, set()).update(hash(bare[i : i + size]) for i in starts)
    return {size: frozenset(hashes) for size, hashes in found.items()}


def _inside_base64(secret: bytes, shift: int) -> bytes:
    """The part that is the same in the base64 of every text with ``shift`` (modulo 3) bytes before ``secret``."""
    whole = binascii.b2a_base64(b"\0" * shift + secret, newline=False)
    begin = (0, 2, 3)[shift]
    # Bytes after the secret would change the last characters: those are left out.
    end = (shift + len(secret)) * 8 // 6
    return whole[begin:end]


_DIGEST = re.compile(rb"[^\0\x01]* ([0-9a-f]{32,128})")


def _secret_fields(response: bytes) -> list[bytes]:
    """The secret fields of a SASL response; the others are names, which are shown.

    PLAIN has NUL between its fields and the password last (RFC 4616), XOAUTH2 and OAUTHBEARER have SOH between them and the token
    in ``auth=`` (RFC 7628), CRAM-MD5 has a digest behind the name (RFC 2195). Any other response is secret as a whole.
    """
    try:
        decoded = binascii.a2b_base64(response)
    except ValueError:
        return []
    digest = _DIGEST.fullmatch(decoded)
    if digest:
        return [digest[1]]
    if b"\0" in decoded:
        return [decoded.rpartition(b"\0")[2]]
    if b"\x01" in decoded:
        fields = decoded.split(b"\x01")
        return [field.rpartition(b" ")[2] for field in fields if field.startswith(b"auth=") or b"=" not in field]
    return [decoded]
