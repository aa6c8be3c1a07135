"""The type of a response, by its first line: continuation, tagged, untagged; RFC 3501 section 7.

Only the bytes that show whose response it is are looked at. ``Cursor`` reads the rest later, on the thread of the caller
that asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from imapkit.core.support.lean import lean_dataclass, warn_renamed
from imapkit.core.support.shown import shown
from imapkit.core.wire.memory import PART, RESPONSE, SINGLE, memory_of

__all__ = [
    "CodeData",
    "Continuation",
    "LiteralRun",
    "ResponseCode",
    "Run",
    "Stray",
    "Tagged",
    "Untagged",
    "announcement",
    "classify",
    "literal_matcher",
    "response_code",
    "run_matcher",
    "split_code",
]

_Found = TypeVar("_Found")

_UNTAGGED = re.compile(rb"\* *(?:(\d{1,20}) +)?([A-Za-z][^\s\[\](){}\"%*\\]*+)(?: (.*)|)\Z", re.DOTALL)
_TAGGED = re.compile(rb"([^\s(){%*\"\\+]++) +(OK|NO|BAD|BYE)(?: +(.*)| *)\Z", re.DOTALL | re.IGNORECASE)
_CONDITIONS = {b"OK": "OK", b"NO": "NO", b"BAD": "BAD"}
_BARE_CODE = re.compile(rb"(?:\* *)?(\[[A-Za-z].*\].*)\Z", re.DOTALL)
#   resp-text = ["[" resp-text-code "]" SP] text. A flag in PERMANENTFLAGS may hold a "]", so a list is skipped whole.
_CODE = re.compile(rb' *+\[([A-Za-z][^\s\[\]]*+)(?: ++((?:\([^()]*+\)|"(?:[^"\\]|\\.)*+"|[^\]("])*+))?\]', re.DOTALL)
#   A list with a malformed member goes on to the first ")]".
_LIST_CODE = re.compile(rb" *+\[([A-Za-z][^\s\[\]]*+) ++(\((?:[^)]++|\)(?!\]))*+\))\]", re.DOTALL)
_SIMPLE_CODE = re.compile(rb" *+\[([A-Za-z][^\s\[\]]*+)(?: ++([^\]]*+))?\]")
_ANNOUNCED = re.compile(rb"~?\{\d{1,20}\+?\}\Z")


class Continuation(NamedTuple):
    """``continue-req = "+" SP (resp-text / base64) CRLF``, RFC 3501 section 7.5; some servers leave out the SP."""

    text: bytes


class Tagged(NamedTuple):
    """``response-tagged = tag SP resp-cond-state CRLF``, RFC 3501 section 7.1; ``typ`` is in upper case."""

    tag: bytes
    typ: str
    text: bytes


@lean_dataclass(frozen=True, slots=True)
class ResponseCode:
    """``resp-text-code``, RFC 3501 section 7.1; ``name`` in upper case, ``data`` as the server sent it, or None."""

    name: str
    data: bytes | None


class CodeData(bytes):
    """The data of a response code that is kept for ``response(name)``, where responses of the same name are kept as well."""

    __slots__ = ()


class Untagged:
    """An untagged response, as it came.

    ``name`` is in upper case ("FETCH", "OK", ...), "" for a line that has none; ``number`` is the message number or
    count before the name, or None. ``parts`` is what follows the name: text, or text, literal, text, ..., text,
    where a text that announces a literal still ends in its ``{n}``. ``utf8``: UTF8=ACCEPT was on as it came, so that mailbox
    names are plain UTF-8 (RFC 6855 section 3).
    """

    __slots__ = ("_found", "name", "number", "parts", "utf8")
    defect = ""
    """How it breaks the grammar of a response; "" if it does not."""

    def __init__(self, name: str, number: int | None, parts: tuple[bytes, ...], utf8: bool = False) -> None:
        self.name, self.number, self.parts, self.utf8 = name, number, parts, utf8
        self._found: dict[Any, Any] | None = None

    def __repr__(self) -> str:
        number = "" if self.number is None else f"{self.number} "
        return f"<Untagged {number}{shown(self.name, 60)} {b' '.join([part[:60] for part in self.parts[:60]])[:60]!r}>"

    def __len__(self) -> int:
        return 1

    @property
    def odd(self) -> str:
        """The old name of ``defect``: deprecated."""
        warn_renamed("Untagged", "odd", "defect")
        return self.defect

    @property
    def memory(self) -> int:
        """The bytes that it takes up."""
        parts = self.parts
        return SINGLE + len(self.name) + len(parts[0]) if len(parts) == 1 else memory_of(self.name, parts)

    @property
    def text(self) -> bytes:
        """The text after the name, on one line: a literal is shown as a quoted string."""
        if len(self.parts) == 1:
            return self.parts[0]
        return one_line(self.parts)

    def data(self) -> list[Any]:
        """imaplib's shape: ``[text]``, or ``[(text, literal), ..., text]`` without an empty text at the end."""
        parts, head = self.parts, self.parts[0]
        if self.number is not None:
            head = b"%d %b" % (self.number, head) if head else b"%d" % self.number
        if len(parts) == 1:
            return [head]
        shaped: list[Any] = [(head if i == 0 else parts[i], parts[i + 1]) for i in range(0, len(parts) - 1, 2)]
        if parts[-1]:
            shaped.append(parts[-1])
        return shaped

    def responses(self) -> tuple[Untagged]:
        """This one response; ``Run`` has many."""
        return (self,)

    def once(self, read: Callable[[Untagged], _Found]) -> _Found:
        """``read(self)``, called once however many commands in flight ask whether this is their answer (``Command.matches``)."""
        known = self._found
        if known is None:
            known = self._found = {}
        if read not in known:
            known[read] = read(self)
        found: _Found = known[read]
        return found

    def drop(self) -> None:
        """Forget the results of ``once``: the response has been attributed."""
        self._found = None


class Run:
    """Untagged responses of one name that came one after the other, each a number and text on one line (or ``LiteralRun``).

    A mailbox has many messages: a run is attributed in one step, and taken apart when a caller reads it. ``rows`` holds number
    and text of each; the other attributes are those of ``Untagged``.
    """

    __slots__ = ("name", "rows", "utf8")

    def __init__(self, name: str, rows: list[tuple[bytes, ...]], utf8: bool = False) -> None:
        self.name, self.rows, self.utf8 = name, rows, utf8

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def memory(self) -> int:
        """The bytes that they take up: as many as if each came alone."""
        return (SINGLE + len(self.name)) * len(self.rows) + sum(map(len, self.texts))

    @property
    def numbers(self) -> list[int]:
        """The numbers before the name."""
        return [int(row[0]) for row in self.rows]

    @property
    def texts(self) -> list[bytes]:
        """The text after each name, up to a literal."""
        return [row[1] for row in self.rows]

    def data(self) -> list[Any]:
        """imaplib's shape, of all of them."""
        return [b"%b %b" % row for row in self.rows]

    def responses(self) -> list[Untagged]:
        """The responses, one by one."""
        return list(self)

    def __iter__(self) -> Iterator[Untagged]:
        """The responses one by one; each is made as it is reached, and not kept, since there may be many."""
        name, utf8 = self.name, self.utf8
        return (Untagged(name, int(row[0]), row[1:], utf8) for row in self.rows)


class LiteralRun(Run):
    """The same, with one literal in each: ``rows`` holds number, text, literal, and the text after it."""

    __slots__ = ()

    @property
    def memory(self) -> int:
        """The bytes that they take up: as many as if each came alone."""
        fixed = RESPONSE + 3 * PART + len(self.name)
        return fixed * len(self.rows) + sum(len(text) + len(literal) + len(rest) for _, text, literal, rest in self.rows)

    def data(self) -> list[Any]:
        """imaplib's shape, of all of them."""
        shaped: list[Any] = []
        for number, text, literal, rest in self.rows:
            shaped.append((b"%b %b" % (number, text), literal))
            if rest:
                shaped.append(rest)
        return shaped


@lru_cache(64)
def run_matcher(name: str, quotes: bool = False) -> Callable[[bytes], re.Match[bytes] | None]:
    """Returns a function that matches a line of a ``Run`` of ``name``; the groups are number and text.

    With ``quotes`` it matches only a line that ``is_surely_closed``.
    """
    text = rb"(.+)"
    if quotes:
        # From the end: the match is shortened up to the last quote.
        text = rb'(.+"(?<=[^ ()\[\\]")(?=[ )\]]|\Z)[^"]*+|[^"]++)'
    return re.compile(rb"\* (0|[1-9]\d{0,19}) %b %b\Z" % (re.escape(name.encode("ascii")), text), re.DOTALL).match


@lru_cache(64)
def literal_matcher(name: str) -> Callable[[bytes, int], re.Match[bytes] | None]:
    """Returns a function that matches the first line of a ``LiteralRun``'s response: number, text, size of the literal."""
    # Whole strings, then text without quotes: it ends outside of a string. Before the brace stands what announces a literal.
    return re.compile(
        rb"\* (0|[1-9]\d{0,19}) %b "
        rb'((?:[^"\r\n]*+(?<=[ (\[])"[^"\\\r\n]*+"(?=[ )\]]))*+[^"\r\n]*(?<=[ (\[\]>~])\{(\d{1,9})\})\r\n'
        % re.escape(name.encode("ascii"))
    ).match


class _BareCode(Untagged):
    __slots__ = ()
    defect = "a response code with no status before it"


class Stray(Untagged):
    """A line that is no response: Exchange ends a session with a bare ``Server Unavailable. 15``."""

    __slots__ = ()
    defect = "a line that is no IMAP response"


class _Nameless(Stray):
    __slots__ = ()
    defect = "a response without a name"


def announcement(text: bytes) -> int:
    """Where the announcement of a literal at the end of ``text`` begins; the end, where there is none."""
    found = _ANNOUNCED.search(text, max(0, len(text) - 24))
    return len(text) if found is None else found.start()


def one_line(parts: Sequence[bytes]) -> bytes:
    """Text and literals as text alone: literals become quoted strings."""
    texts = [part[: announcement(part)] for part in parts[:-1:2]]
    strings = map(quoted, parts[1::2])
    return b"".join(piece for pair in zip(texts, strings, strict=True) for piece in pair) + parts[-1]


def quoted(data: bytes) -> bytes:
    """``data`` between double quotes, escaped."""
    return b'"%b"' % data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def classify(parts: list[bytes]) -> Continuation | Tagged | Untagged:
    """Say what a response is; a line that is none is a ``Stray``.

    Tolerated, since servers send it: lower case, no text, several spaces (DavMail), no SP after "+" (Yandex), a
    response code with no status before it (Exchange, home.pl), an empty line.
    """
    line = parts[0]
    if line.startswith(b"*"):
        return _untagged(parts)
    if line.startswith(b"+"):
        return Continuation(line[1:].removeprefix(b" "))
    tagged = _TAGGED.match(line)
    if tagged is not None:
        tag, typ, text = tagged.groups(b"")
        if len(parts) > 1:
            text = one_line((text, *parts[1:]))
        return Tagged(tag, _CONDITIONS.get(typ) or typ.decode("ascii").upper(), text)
    if bare := _BARE_CODE.match(line):
        return _BareCode("OK", None, (bare.group(1),))
    if not line:
        return _Nameless("", None, (b"",))
    return Stray("", None, tuple(parts))


def _untagged(parts: list[bytes]) -> Untagged:
    line = parts[0]
    match = _UNTAGGED.match(line)
    if match is None:
        bare = _BARE_CODE.match(line)
        if bare is not None:
            return _BareCode("OK", None, (bare.group(1), *parts[1:]))
        return _Nameless("", None, (line[1:].removeprefix(b" "), *parts[1:]))
    number, name, rest = match.groups()
    return Untagged(_name(name), int(number) if number else None, (rest or b"", *parts[1:]))


def _name(sent: bytes) -> str:
    """The name in upper case; not cached, since what a server sends must be freed with its connection."""
    return sent.decode("ascii", "replace").upper()


def split_code(text: bytes) -> bytes:
    """The text of a status response after its response code."""
    match = _CODE.match(text) or _LIST_CODE.match(text) or _SIMPLE_CODE.match(text)
    return text if match is None else text[match.end() :].removeprefix(b" ")


def response_code(text: bytes) -> ResponseCode | None:
    """The response code at the start of a status response's text, or None; RFC 3501 section 7.1."""
    if not text.lstrip(b" ").startswith(b"["):
        return None
    match = _CODE.match(text) or _LIST_CODE.match(text) or _SIMPLE_CODE.match(text)
    if match is None:
        return None
    return ResponseCode(match.group(1).decode("ascii", "replace").upper(), match.group(2))
