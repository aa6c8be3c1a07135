"""What must not be shown: passwords and tokens on their way to a server, and whatever a server repeats of them.

A method wraps what is secret (``Secret``) before anything else sees it, so that no frame of imapkit holds it in the clear while
an error passes through. Text that is to be shown, or to be put into an error, goes through ``Hidden``.

``Hidden`` does not keep the secrets. It keeps a number (``hash``) for each run of six characters in each form of a secret, and
looks every run of six characters of a text up among them. The cost for a text depends on its length alone, not on the number of
secrets. Before that the text loses what escaping puts between characters: backslashes, quotes, blanks and what is not printable.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["Hidden", "Secret", "hidden", "plain", "plain_all", "secret_arguments"]

STARS = "***"
_RUN = 6
"""Characters; so much of a secret, or of one of its forms, is found wherever it stands in a text."""
_SHORTEST, _SHORTEST_ENCODED = 3, 4
"""Characters; a secret shorter than a run is looked for as a whole. One shorter than this would hide half of every text."""
_LONG = 64
"""Characters; of what is longer every sixth run is known, so that eleven characters are sure to hold one of them."""
_LONGEST = 1 << 14
"""Bytes; of what is longer the beginning and the end are hidden, this much together."""
_MOST = 1 << 13
"""Characters of a text that are shown, once there are secrets; "..." stands for the rest."""
_EXCHANGES, _RESPONSES = 4, 8
"""How many of the last exchanges are known, and of each how many of its last responses."""

_Runs = Mapping[int, frozenset[int]]
"""By length, the hashes of the runs that are hidden."""


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


def hidden(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A secret command's arguments, of which all but the first are not to be shown."""
    return (*args[:1], *(value if value is None or type(value) is Secret else Secret(value) for value in args[1:]))


def plain_all(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values themselves."""
    return tuple(map(plain, args))


class Hidden:
    """The secrets of the last exchanges of one connection, as runs of characters that are not shown.

    Any thread may hide, while the engine adds under the state lock: what is known is replaced as a whole, and never changed.
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
        """An exchange begins that sends these; what belongs to the oldest one that is known is forgotten."""
        self._exchanges.append(([_runs_of(value) for value in values], []))
        del self._exchanges[:-_EXCHANGES]
        self._learn()

    def add_response(self, response: bytes) -> None:
        """The present exchange sends this: base64 (RFC 3501 section 6.2.2) of a SASL response."""
        runs = [_runs((response.decode("ascii", "replace"),)), *map(_runs_of, _secret_fields(response))]
        if not self._exchanges:
            self.begin()
        responses = self._exchanges[-1][1]
        responses.append(_merged(runs))
        del responses[:-_RESPONSES]
        self._learn()

    def _learn(self) -> None:
        self._known = _merged(runs for fixed, sent in self._exchanges for runs in (*fixed, *sent))

    def hide(self, text: bytes) -> bytes:
        """``text`` without them, and at most 8192 bytes of it if there are any."""
        if not self._known:
            return text
        found = self._hidden(text[:_MOST].decode("utf-8", "surrogateescape"))
        return found.encode("utf-8", "surrogateescape") + (b"..." if len(text) > _MOST else b"")

    def hide_text(self, text: str) -> str:
        """As ``hide``, for text that may quote a part of what the server sent."""
        if not self._known:
            return text
        return self._hidden(text[:_MOST]) + ("..." if len(text) > _MOST else "")

    def clean(self, exc: BaseException) -> None:
        """Take them out of what an error says, and of its attributes."""
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
    """For ``str.translate``: what stays of a text that may have been escaped. (Nothing is kept for characters beyond ASCII.)"""

    def __missing__(self, code: int) -> int | None:
        # A byte that is not UTF-8 stays, as "surrogateescape" has it.
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
    """In hexadecimal, and in base64, wherever in a longer text it begins; also in the alphabet for URLs (RFC 4648 section 5)."""
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
    """What is the same in the base64 of every text that holds ``secret`` behind ``shift`` (modulo 3) other bytes."""
    whole = binascii.b2a_base64(b"\0" * shift + secret, newline=False)
    begin = (0, 2, 3)[shift]
    # The characters that bytes behind it would change are left out.
    end = (shift + len(secret)) * 8 // 6
    return whole[begin:end]


_DIGEST = re.compile(rb"[^\0\x01]* ([0-9a-f]{32,128})")


def _secret_fields(response: bytes) -> list[bytes]:
    """What is secret in a SASL response; its other fields name somebody, who is shown.

    PLAIN has NUL between its fields and the password last (RFC 4616), XOAUTH2 and OAUTHBEARER have SOH between them and the token
    in ``auth=`` (RFC 7628), CRAM-MD5 has a digest behind the name (RFC 2195). All of any other response is secret.
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
