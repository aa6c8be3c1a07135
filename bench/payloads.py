"""The answers of the canned server: made once, the same bytes for every client."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

__all__ = ["APPENDED", "BODY_SIZE", "MESSAGE", "mixed", "payload", "rows", "text"]

APPENDED = "Appended"
"""The mailbox for messages that are appended: never the one that is fetched from, which stays as it is."""
BODY_SIZE = 16 * 1024
_LINE = b"All work and no play makes a dull benchmark, whatever it is that is being measured.\r\n"


@cache
def text(size: int) -> bytes:
    """A message of so many bytes."""
    head = b"Subject: bench\r\nFrom: a@example.org\r\nTo: b@example.org\r\n\r\n"
    return (head + _LINE * (size // len(_LINE) + 1))[: size - 2] + b"\r\n"


MESSAGE = text(4096)
"""The message that is appended."""

_MIXED_HEAD = """\
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_Nr=2E?= {number}
From: Anna Example <anna{number}@example.org>
To: "Bob B." <bob@example.net>, carol@example.com
Date: Mon, 2 Nov 2026 10:00:00 +0100
In-Reply-To: <parent{number}@example.org>
Message-ID: <id{number}@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=c3

--c3
Content-Type: multipart/alternative; boundary=a1

--a1
Content-Type: text/plain; charset=utf-8

Hello
--a1
Content-Type: text/html; charset=utf-8

<p>Hello</p>
--a1--
--c3
Content-Type: application/pdf; name="report.pdf"
Content-Disposition: attachment; filename="report.pdf"

"""


def mixed(number: int) -> bytes:
    """A message of several parts for a real server, of ``BODY_SIZE``."""
    head, end = _MIXED_HEAD.format(number=number).replace("\n", "\r\n").encode(), b"\r\n--c3--\r\n"
    space = BODY_SIZE - len(head) - len(end)
    return head + (_LINE * (space // len(_LINE) + 1))[:space] + end


_STRUCTURE = (
    b'(((("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "QUOTED-PRINTABLE" 2345 67 NIL NIL NIL NIL)'
    b'("TEXT" "HTML" ("CHARSET" "utf-8") NIL NIL "QUOTED-PRINTABLE" 8765 123 NIL NIL NIL NIL)'
    b' "ALTERNATIVE" ("BOUNDARY" "=_a1") NIL NIL NIL)'
    b'("IMAGE" "PNG" ("NAME" "logo.png") "<logo@example.org>" NIL "BASE64" 45678 NIL ("INLINE" ("FILENAME" "logo.png")) NIL NIL)'
    b' "RELATED" ("BOUNDARY" "=_b2") NIL NIL NIL)'
    b'("APPLICATION" "PDF" ("NAME" "report.pdf") NIL NIL "BASE64" 123456 NIL ("ATTACHMENT" ("FILENAME" "report.pdf")) NIL NIL)'
    b' "MIXED" ("BOUNDARY" "=_c3") NIL NIL NIL)'
)


def _some_flags(i: int) -> bytes:
    return b"FLAGS (\\Seen \\Answered $Label%d)" % (i % 7)


def _flags(rows: int) -> bytes:
    return b"".join(b"* %d FETCH (%b)\r\n" % (i, _some_flags(i)) for i in range(1, rows + 1))


def _envelope(i: int) -> bytes:
    return (
        b'ENVELOPE ("Mon, 2 Nov 2026 10:%02d:%02d +0100" "=?utf-8?q?Gr=C3=BC=C3=9Fe_Nr=2E?= %d" '
        b'(("Anna Example" NIL "anna%d" "example.org")) (("Anna Example" NIL "anna%d" "example.org")) '
        b'((NIL NIL "list" "example.org")) (("Bob B." NIL "bob" "example.net")(NIL NIL "carol" "example.com")) '
        b'NIL NIL "<parent%d@example.org>" "<id%d@example.org>")'
    ) % (i // 60 % 60, i % 60, i, i, i, i, i)


def _structure(i: int) -> bytes:
    return b"* %d FETCH (%b BODYSTRUCTURE %b)\r\n" % (i, _envelope(i), _STRUCTURE)


def _by_uid(item: Callable[[int], bytes]) -> Callable[[int], list[bytes]]:
    return lambda rows: [b"* %d FETCH (UID %d %b)\r\n" % (i, i, item(i)) for i in range(1, rows + 1)]


def _structures(rows: int) -> bytes:
    return b"".join(map(_structure, range(1, rows + 1)))


def _bodies(rows: int) -> bytes:
    body = text(BODY_SIZE)
    row = b"* %d FETCH (UID %d FLAGS (\\Seen) RFC822.SIZE %d BODY[] {%d}\r\n%b)\r\n"
    return b"".join(row % (i, i, len(body), len(body), body) for i in range(1, rows + 1))


def _big(size: int) -> bytes:
    return b"* 1 FETCH (UID 1 FLAGS (\\Seen) RFC822.SIZE %d BODY[] {%d}\r\n%b)\r\n" % (size, size, text(size))


def _literals(rows: int) -> bytes:
    return b"* 1 FETCH (" + b" ".join(b"BODY[%d] {6}\r\nab\r\ncd" % i for i in range(1, rows + 1)) + b")\r\n"


def _news(rows: int) -> bytes:
    return b"".join(b"* %d EXPUNGE\r\n" % i for i in range(1, rows + 1))


def _names(rows: int) -> bytes:
    return b"".join(b'* LIST (\\HasNoChildren \\Marked) "/" "Archive/Lists/List %d"\r\n' % i for i in range(1, rows + 1))


_MAKERS: dict[str, Callable[[int], bytes]] = {
    "flags": _flags,
    "structures": _structures,
    "bodies": _bodies,
    "big": _big,
    "literals": _literals,
    "news": _news,
    "names": _names,
}


_ROWS: dict[str, Callable[[int], list[bytes]]] = {
    "uidflags": _by_uid(_some_flags),
    "uidenvelopes": _by_uid(_envelope),
    "uidbodies": _by_uid(lambda i: b"BODYSTRUCTURE %b" % _STRUCTURE),
    "uidall": _by_uid(lambda i: b"%b %b BODYSTRUCTURE %b" % (_some_flags(i), _envelope(i), _STRUCTURE)),
}


@cache
def rows(kind: str, size: int) -> list[bytes]:
    """The rows of a mailbox in which each message is asked for by its own number; none for another kind."""
    maker = _ROWS.get(kind)
    return maker(size) if maker is not None else []


@cache
def payload(kind: str, size: int) -> bytes:
    """The untagged lines of an answer: ``size`` rows, or bytes for "big"; none for a kind that is no data."""
    maker = _MAKERS.get(kind)
    return maker(size) if maker is not None else b""
