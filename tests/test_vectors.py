"""Every wire vector, whole and cut at every octet, through framing, classification and grammar; and mutated ones."""

from __future__ import annotations

import ast
import random
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from imapkit import ext
from imapkit.core.cursor import Cursor
from imapkit.core.fragment import Framer
from imapkit.core.limits import Limits
from imapkit.core.response import Continuation, Tagged, Untagged, classify, response_code
from imapkit.errors import ParseError, RemoteProtocolError, ServerBye
from imapkit.ext.rev1 import fetch
from imapkit.testing import load_only

BEFORE, AFTER = b"* 3 EXISTS\r\n", b"* 4 EXISTS\r\n"

REGISTRY = load_only(*ext.INDEX)
RESPONSES: dict[str, Callable[[Cursor], Any]] = {
    name: response.parse for name, response in REGISTRY.responses.items() if response.parse is not None
}
CODES: dict[str, Callable[[Cursor], Any]] = {name: code.parse for name, code in REGISTRY.codes.items() if code.parse is not None}

Outcome = dict[str, Any]


def load() -> dict[str, Outcome]:
    vectors: dict[str, Outcome] = {}
    for path in sorted((Path(__file__).parent / "vectors").glob("*.toml")):
        for vector in tomllib.loads(path.read_text("utf-8"))["vector"]:
            key = f"{path.stem}: {vector['id']}"
            assert key not in vectors, f"two vectors are called {key}"
            vectors[key] = vector
    return vectors


VECTORS = load()


def wire(vector: Outcome) -> bytes:
    return b"".join(line.encode("latin-1") + b"\r\n" for line in vector["wire"])


def plain(value: Any) -> Any:
    """A parsed value as vectors write it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    if is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name)) for field in fields(value) if field.compare and field.name != "defects"
        }
    return {key: plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def understand(parts: list[bytes]) -> Outcome:
    """What stages 1 and 2 make of one framed response."""
    try:
        response = classify(parts)
    except ServerBye:
        return {"error": "ServerBye"}
    outcome: Outcome = {"kind": type(response).__name__.lower()}
    if isinstance(response, Continuation):
        return outcome | {"text": response.text}
    if isinstance(response, Tagged):
        return outcome | {"tag": response.tag, "typ": response.typ} | understand_text(response.text)
    outcome |= {"name": response.name, "number": response.number}
    if response.name in RESPONSES:
        cursor = Cursor(response.parts, response.number, REGISTRY.items)
        return outcome | understand_data(RESPONSES[response.name], cursor)
    return outcome | understand_text(response.text)


def understand_text(text: bytes) -> Outcome:
    outcome: Outcome = {"text": text}
    code = response_code(text)
    if code is None:
        return outcome
    outcome["code"] = code.name
    if code.name in CODES:
        outcome |= understand_data(CODES[code.name], Cursor((code.data or b"",), None, REGISTRY.items))
    return outcome


def understand_data(parse: Callable[[Cursor], Any], cursor: Cursor) -> Outcome:
    try:
        value = parse(cursor)
    except ParseError:
        return {"error": "ParseError"}
    outcome: Outcome = {"value": plain(value), "defects": [(defect.what, defect.raw) for defect in cursor.defects]}
    if hasattr(value, "mailbox"):
        outcome["mailbox"] = value.mailbox
    return outcome


def frame(chunks: Iterable[bytes]) -> Iterator[list[bytes] | str]:
    """The responses in ``chunks``, and the name of the error that ends them."""
    framer = Framer()
    try:
        for chunk in chunks:
            framer.push(chunk)
            while (parts := framer.pop()) is not None:
                yield parts
    except RemoteProtocolError as error:
        yield type(error).__name__


def read(*chunks: bytes) -> list[Outcome]:
    return [{"error": parts} if isinstance(parts, str) else understand(parts) for parts in frame(chunks)]


@pytest.mark.parametrize("key", VECTORS)
def test_a_vector_means_what_it_says(key: str) -> None:
    vector = VECTORS[key]
    outcomes = read(BEFORE + wire(vector) + AFTER)
    assert outcomes[0]["value"] == 3
    if vector.get("error") in ("RemoteProtocolError", "LimitExceeded"):
        assert outcomes[1:] == [{"error": vector["error"]}]
        return
    assert len(outcomes) == 3
    assert outcomes[2]["value"] == 4
    compare(outcomes[1], vector)


def compare(outcome: Outcome, vector: Outcome) -> None:
    if vector.get("error") == "ServerBye":
        assert outcome == {"error": "ServerBye"}
        return
    assert outcome["kind"] == vector.get("kind", "untagged")
    for key in ("text", "tag"):
        if key in vector:
            assert outcome[key] == vector[key].encode("latin-1")
    for key in ("name", "number", "typ", "code", "error"):
        assert outcome.get(key) == vector.get(key)
    if "value" in vector:
        value = ast.literal_eval(vector["value"])
        assert outcome["value"] == value
        assert_same_types(outcome["value"], value)
    if "mailbox" in vector:
        assert outcome["mailbox"] == vector["mailbox"]
    expected = [(what, raw.encode("latin-1")) for what, raw in vector.get("defects", [])]
    found = outcome.get("defects", [])
    assert [raw for _, raw in found] == [raw for _, raw in expected]
    assert all(what.startswith(begin) for (what, _), (begin, _) in zip(found, expected, strict=True)), found


def assert_same_types(found: Any, expected: Any) -> None:
    """0 is not False, and a tuple is not a list; an atom is bytes."""
    assert isinstance(found, type(expected))
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same_types(found[key], expected[key])
    elif isinstance(expected, (list, tuple)):
        for one, other in zip(found, expected, strict=True):
            assert_same_types(one, other)


@pytest.mark.parametrize("key", VECTORS)
def test_a_vector_cut_anywhere_means_the_same(key: str) -> None:
    stream = BEFORE + wire(VECTORS[key]) + AFTER
    whole = read(stream)
    assert read(*(stream[at : at + 1] for at in range(len(stream)))) == whole
    for cut in range(1, len(stream)):
        assert read(stream[:cut], stream[cut:]) == whole, f"cut at {cut}"


def test_a_vector_at_least_for_each_name() -> None:
    assert {vector.get("name") for vector in VECTORS.values()} >= set(RESPONSES)
    assert {vector.get("code") for vector in VECTORS.values()} >= set(CODES)


def test_every_quirk_names_its_server() -> None:
    unnamed = [key for key, vector in VECTORS.items() if key.startswith("quirks") and not vector.get("server")]
    assert unnamed == []


@pytest.mark.parametrize("key", [key for key, vector in VECTORS.items() if vector.get("name") == "FETCH"])
def test_the_uid_found_on_the_way_is_the_uid_parsed_later(key: str) -> None:
    [parts] = frame([wire(VECTORS[key])])
    assert isinstance(parts, list)
    untagged = classify(parts)
    assert isinstance(untagged, Untagged)
    assert fetch.fetch_uid(untagged) == parsed_uid(untagged)


def parsed_uid(untagged: Untagged) -> Any:
    try:
        return fetch.fetch(Cursor(untagged.parts, 1)).items.get("UID")
    except ParseError:
        return None


# Mutations

SPICE = [bytes((octet,)) for octet in b'()"\\{}[]%* \r\n\0\xff']
SPICE += [b"\r\n", b"NIL", b"UID 5", b"<0>", b"9" * 30, b"* ", b"+ ", b"A1 OK "]
SPICE += [b"{3}\r\n", b"{-1}\r\n", b"{99999}\r\n", b"~{2}\r\nab"]


def mutate(chance: random.Random, data: bytes) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(data))
        length = chance.choice((0, 0, 1, 1, 2, 9))
        piece = chance.choice(SPICE) if chance.random() < 0.8 else data[at : at + 20] * chance.randint(1, 3)
        data = data[:at] + piece + data[at + length :]
    return data


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [3501, 9051])
def test_mutations_are_understood_or_refused_but_never_worse(seed: int) -> None:
    chance, streams = random.Random(seed), [wire(vector) for vector in VECTORS.values()]
    limits = Limits(line=4000, literal=4000, response=8000, literals=20, nesting=20)
    started, framed = time.process_time(), 0
    for _ in range(1500):
        framer = Framer(limits)
        framer.push(mutate(chance, chance.choice(streams)) + AFTER * 3)
        try:
            while (parts := framer.pop()) is not None:
                framed += 1
                understand(parts)
                response = classify(parts)
                if isinstance(response, Untagged):
                    assert fetch.fetch_uid(response) == parsed_uid(response)
                    read_as_everything(response)
        except (RemoteProtocolError, ServerBye):
            continue
    assert framed > 3000
    assert time.process_time() - started < 20


def read_as_everything(untagged: Untagged) -> None:
    for parse in RESPONSES.values():
        understand_data(parse, Cursor(untagged.parts, 1, nesting=20))
