"""Every wire vector through framing, classification and grammar, however it arrives; and mutated ones."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from imapkit import ext
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.support.limits import Limits
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.response import Untagged, classify
from imapkit.errors import ParseError, RemoteProtocolError
from imapkit.ext.rev1 import fetch
from imapkit.testing import LOCALHOST, check_vector, check_vector_on_wire, load_only, load_vectors
from imapkit.testing.meaning import frame, meaning, of_data
from imapkit.testing.vectors import AFTER

VECTORS = load_vectors(Path(__file__).parent / "vectors")
REGISTRY = load_only(*ext.INDEX)
RESPONSES = {name: response.parse for name, response in REGISTRY.responses.items() if response.parse is not None}
CODES = {name: code.parse for name, code in REGISTRY.codes.items() if code.parse is not None}


@pytest.mark.parametrize("source", sorted({vector.source for vector in VECTORS}))
def test_a_vector_means_what_it_says_however_it_arrives(source: str) -> None:
    """All vectors of a file; each that fails is named."""
    failures = []
    for vector in VECTORS:
        if vector.source == source:
            try:
                check_vector(vector, REGISTRY)
            except Exception as exc:
                exc.add_note(str(vector))
                failures.append(exc)
    if failures:
        raise ExceptionGroup(source, failures)


@pytest.mark.heavy
@pytest.mark.parametrize("way", [{"chunks": 1}, {"tls": LOCALHOST, "compress": True}], ids=lambda way: "+".join(way))
def test_a_vector_means_the_same_from_a_server(way: dict[str, Any]) -> None:
    for vector in VECTORS:
        check_vector_on_wire(vector, *ext.INDEX, **way)


def test_a_vector_at_least_for_each_name() -> None:
    assert {vector.expected.get("name") for vector in VECTORS} >= set(RESPONSES)
    assert {vector.expected.get("code") for vector in VECTORS} >= set(CODES)


def test_every_quirk_names_its_server() -> None:
    unnamed = [str(vector) for vector in VECTORS if vector.source.startswith("quirks") and not vector.server]
    assert unnamed == []


def test_the_uid_found_on_the_way_is_the_uid_parsed_later() -> None:
    fetched = [vector for vector in VECTORS if vector.expected.get("name") == "FETCH"]
    assert len(fetched) > 100
    for vector in fetched:
        [parts] = frame([vector.wire])
        assert isinstance(parts, list)
        untagged = classify(parts)
        assert isinstance(untagged, Untagged)
        assert fetch.fetch_uid(untagged) == parsed_uid(untagged), vector


def parsed_uid(untagged: Untagged) -> Any:
    try:
        return fetch.fetch(Cursor(untagged.parts, 1)).items.get("UID")
    except ParseError:
        return None


# Mutations

SPICE = [bytes((byte,)) for byte in b'()"\\{}[]%* \r\n\0\xff']
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
    chance, streams = random.Random(seed), [vector.wire for vector in VECTORS]
    limits = Limits(line=4000, literal=4000, response=8000, literals=20, nesting=20)
    started, framed = time.process_time(), 0
    for _ in range(1500):
        framer = Framer(limits)
        framer.push(mutate(chance, chance.choice(streams)) + AFTER * 3)
        try:
            while (parts := framer.pop()) is not None:
                framed += 1
                meaning(parts, REGISTRY)
                response = classify(parts)
                if isinstance(response, Untagged):
                    assert fetch.fetch_uid(response) == parsed_uid(response)
                    read_as_everything(response)
        except RemoteProtocolError:
            continue
    assert framed > 3000
    assert time.process_time() - started < 20


def read_as_everything(untagged: Untagged) -> None:
    for parse in RESPONSES.values():
        of_data(parse, Cursor(untagged.parts, 1, nesting=20))
