"""Vectors as data files, and their check, which fails for each wrong expectation of a vector."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imapkit import ext
from imapkit.core.contract.extension import Response
from imapkit.core.contract.family import Family
from imapkit.core.plugins.registry import Registry
from imapkit.plugin import Cursor
from imapkit.testing import LOCALHOST, Vector, check_vector, check_vector_on_wire, load_only, load_vectors, vector_text
from imapkit.testing.meaning import frame, meaning
from imapkit.testing.vectors import compare

EVERYTHING = load_only(*ext.INDEX)
WEATHER = """
[[vector]]
id = "rain"
wire = ['* X-WEATHER Bremen 14']
"""
EXPECTED = 'name = "X-WEATHER"\nvalue = \'(b"Bremen", 14)\'\n'

Write = Callable[[str], Path]


def weather(cursor: Cursor) -> tuple[bytes, int]:
    city = bytes(cursor.astring())
    cursor.sp()
    return city, cursor.number()


def broken(cursor: Cursor) -> None:
    raise LookupError("a mistake of its own")


WEATHER_FAMILY = Family("weather", responses={"X-WEATHER": Response(parse=weather)})
REGISTRY = load_only(WEATHER_FAMILY)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of vectors."""

    def write(text: str) -> Path:
        path = tmp_path / "weather.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def one(path: Path) -> Vector:
    (vector,) = load_vectors(path)
    return vector


def refusal(vector: Vector, registry: Registry = REGISTRY) -> str:
    with pytest.raises(AssertionError) as caught:
        check_vector(vector, registry)
    return str(caught.value)


def test_a_vector_that_holds(write: Write) -> None:
    vector = one(write(WEATHER + EXPECTED))
    assert (str(vector), vector.wire) == ("weather: rain", b"* X-WEATHER Bremen 14\r\n")
    assert vector.expected == {"name": "X-WEATHER", "value": (b"Bremen", 14)}
    check_vector(vector, REGISTRY)


def test_a_vector_without_expectations_fails_with_text_to_paste(write: Write) -> None:
    message = refusal(one(write(WEATHER)))
    assert "weather: rain" in message
    lines = message.partition("paste\n\n")[2]
    check_vector(one(write(WEATHER + lines)), REGISTRY)


def test_a_vector_without_expectations_fails_with_the_parse_error(write: Write) -> None:
    message = refusal(one(write("[[vector]]\nid = 'a'\nwire = ['* X-WEATHER Bremen']\n")))
    assert "it expects no meaning: expected SP at byte 6" in message


def test_the_text_to_paste_has_all_that_was_found(write: Write) -> None:
    entries, shipped = [], load_vectors(Path(__file__).parents[1] / "vectors")
    for number, vector in enumerate(shipped):
        wire = json.dumps(vector.wire.decode("latin-1").removesuffix("\r\n").split("\r\n")).replace("\x7f", "\\u007f")
        found = meaning(frame([vector.wire])[0], EVERYTHING)
        entries.append(f"[[vector]]\nid = '{number}'\nwire = {wire}\n{vector_text(found)}")
    again = load_vectors(write("".join(entries)))
    assert [vector.wire for vector in again] == [vector.wire for vector in shipped]
    for vector in again:
        compare(vector, meaning(frame([vector.wire])[0], EVERYTHING))


@pytest.mark.parametrize(
    ("expectations", "complaint"),
    [
        ("name = 'X-WETTER'\n", "name: 'X-WETTER' is expected, 'X-WEATHER' was found"),
        ("value = '(b\"Bremen\", 15)'\n", "value: (b'Bremen', 15) is expected, (b'Bremen', 14) was found"),
        ("value = '[b\"Bremen\", 14]'\n", "value: [b'Bremen', 14] is expected"),
        ("value = '(b\"Bremen\", 14.0)'\n", "value: (b'Bremen', 14.0) is expected"),
        ("name = 'X-WEATHER'\n", "value: nothing is expected, (b'Bremen', 14) was found"),
        (EXPECTED + "number = 3\n", "number: 3 is expected, nothing was found"),
        (EXPECTED + "kind = 'tagged'\n", "kind: 'tagged' is expected, 'untagged' was found"),
        (EXPECTED + "code = 'ALERT'\n", "code: 'ALERT' is expected"),
        (EXPECTED + "mailbox = 'Bremen'\n", "mailbox: 'Bremen' is expected"),
        (EXPECTED + "text = 'Bremen'\n", "text: b'Bremen' is expected"),
        (EXPECTED + "error = 'ParseError'\n", "error: 'ParseError' is expected"),
        (EXPECTED + "defects = [['a colon', ':']]\n", "defects: [('a colon', b':')] is expected"),
        ("error = 'LimitExceeded'\n", "kind: nothing is expected, 'untagged' was found"),
    ],
)
def test_a_vector_that_does_not_hold(write: Write, expectations: str, complaint: str) -> None:
    message = refusal(one(write(WEATHER + expectations)))
    assert message.startswith("weather: rain\n")
    assert complaint in message
    assert message.endswith(f"paste\n\n{EXPECTED}")


def test_defects_are_compared_by_their_bytes_and_the_beginning_of_their_text(write: Write) -> None:
    wire = "[[vector]]\nid = 'a'\nwire = ['* STATUS INBOX (DELETED 4294967296)']\n"
    found = vector_text(meaning([b"* STATUS INBOX (DELETED 4294967296)"], EVERYTHING))
    defects = next(line for line in found.splitlines() if line.startswith("defects"))
    check_vector(one(write(wire + found)), EVERYTHING)
    [[what, raw]] = tomllib.loads(defects)["defects"]
    check_vector(one(write(wire + found.replace(what, what[:5]))), EVERYTHING)
    for wrong in defects.replace(what, "x" + what), defects.replace(raw, raw + "x"), "defects = []":
        assert "defects: " in refusal(one(write(wire + found.replace(defects, wrong))), EVERYTHING)


def test_true_is_not_one(write: Write) -> None:
    registry = load_only(Family("truth", responses={"X-TRUE": Response(parse=lambda cursor: (True, 0))}))
    wire = "[[vector]]\nid = 'a'\nwire = ['* X-TRUE']\nname = 'X-TRUE'\n"
    check_vector(one(write(wire + "value = '(True, 0)'")), registry)
    for wrong in "(1, 0)", "(True, False)":
        assert "value: " in refusal(one(write(f"{wire}value = '{wrong}'")), registry)


def test_a_vector_has_one_response(write: Write) -> None:
    two = WEATHER.replace("14']", "14', '* X-WEATHER Ulm 20']")
    assert "a vector has one response, but these are 2" in refusal(one(write(two + EXPECTED)))
    unfinished = WEATHER.replace("14']", "{400}']")
    assert "a good response after it was read as" in refusal(one(write(unfinished + EXPECTED)))


def test_a_response_that_does_not_follow_the_grammar(write: Write) -> None:
    vector = WEATHER.replace("14", "warm")
    assert "error: nothing is expected, 'ParseError' was found: expected " in refusal(one(write(vector + EXPECTED)))
    check_vector(one(write(vector + "name = 'X-WEATHER'\nerror = 'ParseError'")), REGISTRY)


WAYS: list[dict[str, Any]] = [{}, {"chunks": 1}, {"tls": LOCALHOST}, {"compress": True}]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_from_a_server(write: Write, way: dict[str, Any]) -> None:
    check_vector_on_wire(one(write(WEATHER + EXPECTED)), "rev1", WEATHER_FAMILY, **way)
    with pytest.raises(AssertionError, match=r"value: \(b'Bremen', 15\) is expected, \(b'Bremen', 14\) was found"):
        check_vector_on_wire(one(write(WEATHER + EXPECTED.replace("14", "15"))), "rev1", WEATHER_FAMILY, **way)


@pytest.mark.parametrize(
    "text",
    [
        "wire = ['A1 NO [ALERT] no']\nkind = 'tagged'\ntag = 'A1'\ntyp = 'NO'\ncode = 'ALERT'\nvalue = 'None'",
        "wire = ['A1 BYE gone']\nkind = 'tagged'\ntag = 'A1'\ntyp = 'BYE'\ntext = 'gone'",
        "wire = ['* BYE gone']\nname = 'BYE'\ntext = 'gone'",
        "wire = ['+ go on']\nkind = 'continuation'\ntext = 'go on'",
        "wire = ['* 7 EXISTS']\nname = 'EXISTS'\nnumber = 7\nvalue = '7'",
        "wire = ['* 7 EXISTS {-1}']\nerror = 'RemoteProtocolError'",
        "wire = ['what is this?']\nname = ''\ntext = 'what is this?'",
        "wire = ['* OK [READ-ONLY] now']\nname = 'OK'\ncode = 'READ-ONLY'\nvalue = 'None'",
    ],
)
def test_every_kind_of_response_from_a_server(write: Write, text: str) -> None:
    vector = one(write(f"[[vector]]\nid = 'a'\n{text}\n"))
    check_vector(vector, EVERYTHING)
    check_vector_on_wire(vector, "rev1")
    wrong = Vector(vector.id, vector.source, vector.wire, {**vector.expected, "number": 70})
    with pytest.raises(AssertionError, match="number: 70 is expected"):
        check_vector(wrong, EVERYTHING)
    if vector.expected.get("typ") != "BYE":  # a client reports only that the connection is over
        with pytest.raises(AssertionError, match="number: 70 is expected"):
            check_vector_on_wire(wrong, "rev1")


def test_other_exceptions_of_a_parser_are_raised(write: Write) -> None:
    registry = load_only(Family("weather", responses={"X-WEATHER": Response(parse=broken)}))
    with pytest.raises(LookupError):
        check_vector(one(write(WEATHER + EXPECTED)), registry)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[vector]\n", "weather.toml: "),
        ("", "[[vector]] tables only; this one has nothing"),
        ("title = 'x'\n" + WEATHER, "[[vector]] tables only; this one has title, vector"),
        ("[vector]\nid = 'x'\n", "[[vector]] tables only"),
        (WEATHER + WEATHER, "weather.toml: vector 'rain': two vectors have this id"),
        ("[[vector]]\nwire = ['* OK']\n", "weather.toml: vector 1 has no id"),
        ("[[vector]]\nid = 'a'\n", "vector 'a': wire is a list of lines"),
        ("[[vector]]\nid = 'a'\nwire = '* OK'\n", "wire is a list of lines"),
        ("[[vector]]\nid = 'a'\nwire = ['* OK \u20ac']\n", "wire: '\u20ac' is no byte"),
        (WEATHER + "naem = 'X'\n", "vector 'rain': unknown: naem; known are id, wire"),
        (WEATHER + "name = 5\n", "name is a string"),
        (WEATHER + "number = '5'\n", "number is a number"),
        (WEATHER + "kind = 'answer'\n", "kind is one of untagged, tagged, continuation"),
        (WEATHER + "value = 'Bremen'\n", "value is no Python literal in a string"),
        (WEATHER + "value = '(b'\n", "value is no Python literal in a string"),
        (WEATHER + "value = 5\n", "value is no Python literal in a string"),
        (WEATHER + "defects = ['x']\n", "defects are pairs"),
        (WEATHER + "defects = 7\n", "defects are pairs"),
    ],
)
def test_an_invalid_file_is_refused(write: Write, text: str, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        load_vectors(write(text))
    assert complaint in str(caught.value)
    assert "weather.toml" in str(caught.value)


def test_a_directory_is_read_in_order(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no \*\.toml"):
        load_vectors(tmp_path)
    for name in "b", "a":
        (tmp_path / f"{name}.toml").write_text(WEATHER + EXPECTED)
    assert list(map(str, load_vectors(tmp_path))) == ["a: rain", "b: rain"]
    with pytest.raises(FileNotFoundError):
        load_vectors(tmp_path / "c.toml")
