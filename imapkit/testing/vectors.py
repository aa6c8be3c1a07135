"""Wire vectors: data files of responses with their meaning, and the check that imapkit reads them so, however they are split.

::

    VECTORS = load_vectors(Path(__file__).with_name("xhello.toml"))

    @pytest.mark.parametrize("vector", VECTORS, ids=str)
    def test_vector(vector):
        check_vector(vector, load_only(imapkit_hello))
"""

from __future__ import annotations

import ast
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imapkit.core.plugins.registry import Registry
from imapkit.core.support.lean import warn_renamed
from imapkit.testing.meaning import Meaning, frame, meaning

__all__ = ["Vector", "check_vector", "load_vectors", "vector_text"]

BEFORE, AFTER = b"* 3 EXISTS\r\n", b"* 4 EXISTS\r\n"
"""Good responses before and after the vector, which must be read correctly."""
TAG, ANSWER = b"V9", b"V9 OK done\r\n"
"""The tag of the command in flight, and its tagged response, at which a malformed response ends."""
FATAL = ("RemoteProtocolError", "LimitExceeded")
"""Errors after which nothing more is read."""

_KINDS = ("untagged", "tagged", "continuation")
_TEXTS = ("name", "tag", "typ", "text", "code", "mailbox", "error")
_OPTIONAL = ("text", "mailbox")
_ABOUT = ("id", "wire", "server", "note")
_EXPECTED = ("kind", "name", "number", "tag", "typ", "text", "code", "value", "mailbox", "defects", "error")


@dataclass(frozen=True, slots=True)
class Vector:
    """One response as a server sends it, and its meaning.

    ``id`` is unique in its file, ``source`` is the file's name without its suffix, ``wire`` has its bytes.
    ``expected`` is the meaning as the file has it, with ``value`` evaluated. ``server`` names the server that sends it; "" if it
    is no quirk.
    """

    id: str
    source: str
    wire: bytes
    expected: Mapping[str, Any]
    server: str = ""

    def __str__(self) -> str:
        return f"{self.source}: {self.id}"

    @property
    def octets(self) -> bytes:
        """The old name of ``wire``: deprecated."""
        warn_renamed("Vector", "octets", "wire")
        return self.wire


def load_vectors(path: str | os.PathLike[str]) -> tuple[Vector, ...]:
    """The vectors of a TOML file, or of all ``*.toml`` of a directory in order of their names.

    Raises ``ValueError``, which names file and vector, for an invalid one, and ``OSError`` for a file that cannot be read.
    """
    path = Path(path)
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"{path}: the directory has no *.toml")
    return tuple(vector for file in files for vector in _load(file))


def check_vector(vector: Vector, registry: Registry) -> None:
    """Check that the families of ``registry`` (see ``load_only``) read a response as its vector expects.

    It is read alone, between two good responses (with a tagged response before the second), byte by byte, and cut in two at every
    position. Raises ``AssertionError`` with the differences, and with the meaning that was found as text to paste; also for a
    vector without expectations.
    """
    stream = BEFORE + vector.wire + ANSWER + AFTER
    framed = frame([stream], tag=TAG)
    compare(vector, _between(vector, [meaning(parts, registry) for parts in framed], registry))
    assert frame([vector.wire]) == framed[1:2], f"{vector}: alone it is read differently"
    single = (stream[at : at + 1] for at in range(len(stream)))
    assert frame(single, tag=TAG) == framed, f"{vector}: byte by byte it is read differently"
    for cut in range(1, len(stream)):
        assert frame((stream[:cut], stream[cut:]), tag=TAG) == framed, (
            f"{vector}: cut after {stream[:cut]!r} it is read differently"
        )


def _between(vector: Vector, found: list[Meaning], registry: Registry) -> Meaning:
    """The meaning of the vector's response, which must be the only one between the good responses."""
    before, after = (meaning([good.removesuffix(b"\r\n")], registry) for good in (BEFORE, AFTER))
    assert found[:1] == [before], f"{vector}: a good response before it was read as {found[:1]}"
    fatal = found[-1].get("error") in FATAL
    assert fatal or found[-1:] == [after], f"{vector}: a good response after it was read as {found[-1:]}"
    answered = found[-2:-1] == [meaning([ANSWER.removesuffix(b"\r\n")], registry)]
    assert fatal or answered, f"{vector}: the tagged response after it was read as {found[-2:-1]}"
    own = found[1:] if fatal else found[1:-2]
    assert len(own) == 1, f"{vector}: a vector has one response, but these are {len(own)}: {own}"
    return own[0]


def compare(vector: Vector, found: Meaning) -> None:
    """Raise ``AssertionError`` if ``found`` is not the meaning that the vector expects."""
    problems = list(_differences(_wanted(vector), found)) if vector.expected else [f"it expects no meaning{_why(found)}"]
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise AssertionError(f"{vector}\n{listed}\nIf what was found is right, paste\n\n{vector_text(found)}")


def vector_text(found: Meaning) -> str:
    """The lines of a vector for the meaning ``found``."""
    lines = []
    for key in _EXPECTED:
        if key not in found or (key, found[key]) == ("kind", "untagged"):
            continue
        value = found[key]
        if key == "defects":
            value = [[what, raw.decode("latin-1")] for what, raw in value]
            lines.append(f"defects = [{', '.join(f'[{_toml(what)}, {_toml(raw)}]' for what, raw in value)}]")
        elif key == "value":
            lines.append(f"value = {_toml(_literal(value))}")
        else:
            lines.append(f"{key} = {value if key == 'number' else _toml(_as_text(value))}")
    return "".join(f"{line}\n" for line in lines)


def _load(file: Path) -> Iterator[Vector]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise ValueError(f"{file}: {exc}") from exc
    entries = document.get("vector")
    if document.keys() != {"vector"} or not isinstance(entries, list):
        raise ValueError(f"{file}: a file of vectors has [[vector]] tables only; this one has {', '.join(document) or 'nothing'}")
    known: set[str] = set()
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry.get("id"), str):
            raise ValueError(f"{file}: vector {number} has no id")
        where = f"{file}: vector {entry['id']!r}"
        if entry["id"] in known:
            raise ValueError(f"{where}: two vectors have this id")
        known.add(entry["id"])
        try:
            yield _vector(file, entry)
        except ValueError as exc:
            raise ValueError(f"{where}: {exc}") from exc


def _vector(file: Path, entry: Mapping[str, Any]) -> Vector:
    if unknown := entry.keys() - {*_ABOUT, *_EXPECTED}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join((*_ABOUT, *_EXPECTED))}")
    wire = entry.get("wire")
    if not isinstance(wire, list) or not wire or not all(isinstance(line, str) for line in wire):
        raise ValueError("wire is a list of lines")
    sent = b"".join(_bytes("wire", line) + b"\r\n" for line in wire)
    expected = {key: _expectation(key, entry[key]) for key in _EXPECTED if key in entry}
    return Vector(entry["id"], file.stem, sent, expected, str(entry.get("server", "")))


def _expectation(key: str, given: Any) -> Any:
    if key in _TEXTS and not isinstance(given, str):
        raise ValueError(f"{key} is a string")
    if key in ("text", "tag"):
        return _bytes(key, given)
    if key == "kind" and given not in _KINDS:
        raise ValueError(f"kind is one of {', '.join(_KINDS)}")
    if key == "number" and type(given) is not int:
        raise ValueError("number is a number")
    if key == "value":
        try:
            return ast.literal_eval(str(given) if isinstance(given, str) else "")
        except (ValueError, SyntaxError, TypeError) as exc:
            raise ValueError(f"value is no Python literal in a string: {exc}") from exc
    if key == "defects":
        if not isinstance(given, list) or not all(map(_is_pair, given)):
            raise ValueError("defects are pairs of strings: the beginning of the defect's text, and the bytes")
        return [(what, _bytes(key, raw)) for what, raw in given]
    return given


def _is_pair(given: Any) -> bool:
    return isinstance(given, list) and len(given) == 2 and all(isinstance(item, str) for item in given)


def _bytes(key: str, text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as exc:
        raise ValueError(f"{key}: {text[exc.start]!r} is no byte: write each byte of UTF-8 as one character") from exc


def _wanted(vector: Vector) -> Meaning:
    fatal = vector.expected.get("error") in (*FATAL, "ServerBye")
    return dict(vector.expected) if fatal else {"kind": "untagged", **vector.expected}


def _differences(wanted: Meaning, found: Meaning) -> Iterator[str]:
    for key in _EXPECTED:
        if key not in wanted and (key not in found or key in _OPTIONAL):
            continue
        if key not in wanted or key not in found or not _same(key, found[key], wanted[key]):
            why = _why(found) if key == "error" else ""
            yield f"{key}: {_shown(wanted, key)} is expected, {_shown(found, key)} was found{why}"


def _why(found: Meaning) -> str:
    return f": {found['why']}" if "why" in found else ""


def _shown(side: Meaning, key: str) -> str:
    return repr(side[key]) if key in side else "nothing"


def _same(key: str, found: Any, wanted: Any) -> bool:
    if key != "defects":
        return _alike(found, wanted)
    return len(found) == len(wanted) and all(
        raw == wanted_raw and what.startswith(begin) for (what, raw), (begin, wanted_raw) in zip(found, wanted, strict=True)
    )


def _alike(found: Any, wanted: Any) -> bool:
    """Whether two values are equal and of the same types at every level: 0 is not False, a tuple no list; an atom is bytes."""
    kinds = type(found), type(wanted)
    if found != wanted or not issubclass(*kinds) or kinds == (bool, int):
        return False
    if isinstance(wanted, dict):
        return list(found) == list(wanted) and all(_alike(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, (list, tuple)):
        return all(map(_alike, found, wanted))
    return True


def _as_text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _toml(text: str) -> str:
    """A TOML string, in quotes that the text does not hold, else with escapes."""
    if text.isprintable():
        if '"' not in text and "\\" not in text:
            return f'"{text}"'
        for quotes in ("'", "'''"):
            if quotes not in text and not text.endswith("'"):
                return quotes + text + quotes
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _literal(value: Any) -> str:
    """A value as a Python literal, in double quotes where possible."""

    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_literal, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if not isinstance(value, (bytes, str)):
        return repr(value)
    shown = repr(bytes(value) if isinstance(value, bytes) else str(value))
    prefix, body = ("b", shown[2:-1]) if isinstance(value, bytes) else ("", shown[1:-1])
    return f'{prefix}"{body}"' if '"' not in body and "\\'" not in body else shown
