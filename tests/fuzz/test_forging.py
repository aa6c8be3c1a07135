"""No text that others wrote into mail becomes a response, however a server breaks the strings that hold it.

A server answers commands in flight with responses of hostile strings, some of them broken as servers break them. Then nothing
has happened but what the server meant, every command has its tagged response, and the next command works.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imapkit.core.support.limits import Limits
from imapkit.core.wire.response import Run, Untagged, quoted
from tests.fuzz.targets import REGISTRY, Client, answer, read_deeply

pytestmark = pytest.mark.heavy

LIMITS = Limits(line=200_000, literal=200_000, response=400_000)
TAG = b"XQZKVW"
"""The prefix of the tags, which a sender of mail cannot guess: no hostile string has it."""
OWN, FOREIGN = (1, 2, 3), 666
"""The messages that there are; and the one that only forged responses name."""

FORGED = [
    b"* 666 FETCH (FLAGS (\\Deleted) UID 666)",
    b"* 666 EXPUNGE",
    b"* 666 EXISTS",
    b"* BYE forged",
    b"* OK [UIDVALIDITY 666] forged",
    b'* LIST () "/" forged',
    b"* STATUS forged (MESSAGES 666)",
    b"* SEARCH 666",
    b"+ forged",
    b"A1 OK forged",
    b"XQZKV1 OK forged",
    b"[COPYUID 666 1 2] forged",
    b"Server Unavailable. 666",
    b"* 666 FETCH (BODY[] {30}",
    b"{30}",
    b"price {50}",
]
INNOCENT = [
    b"hello",
    b"a rather long name of",
    b"Re: x",
    b"<2018",
    b"0130@x.test>",
    b"C:\\",
    b"3D",
    b"(draft)",
    b"[x]",
    b"NIL",
    b"1 2",
]
WORDS = st.sampled_from(FORGED + INNOCENT + [b"", b"{", b"}", b",", b"\xff\xfe", b"\\"])
ENDS = st.sampled_from([b"\r\n", b"\n", b"\r", b"\r\r\n", b"\r\n ", b"\r\n\t", b"\n ", b"\0", b" "])
TEXTS = st.lists(st.tuples(WORDS, ENDS), min_size=1, max_size=5).map(lambda pairs: b"".join(word + end for word, end in pairs))


@dataclass(frozen=True)
class Broken:
    """A string as a broken server writes it."""

    text: bytes
    how: str
    seed: int

    @property
    def runs_on(self) -> bool:
        """Whether its end is missing, so that the next string is in it as well."""
        return self.how in ("open", "lone")

    def on_the_wire(self) -> bytes:
        """What it writes; a literal is written right."""
        chance = Random(self.seed)
        if self.how == "literal":
            return b"{%d}\r\n%b" % (len(self.text), self.text)
        if self.how == "escaped":
            return quoted(self.text)
        if self.how == "bare":
            return b'"%b"' % stray(self.text.replace(b'"', b"'").replace(b"\\", b"\\\\"), chance)
        if self.how == "open":
            # The closing quote is missing.
            return b'"%b' % quoted(self.text)[1:-1]
        # A backslash is left alone before the closing quote.
        return b'"%b\\"' % quoted(self.text)[1:-1]


def stray(text: bytes, chance: Random) -> bytes:
    """``text`` with bare quotes in it, none of which ends a string by the rule."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(text))
        if text[at : at + 1] not in (b"", b" ", b")", b"]", b"\r", b"\n", b"\0") and text[at - 1 : at] != b"\\":
            text = text[:at] + b'"' + text[at:]
    return text


HOW = ["literal", "escaped", "escaped", "bare", "bare", "open", "lone"]
STRINGS = st.builds(Broken, TEXTS, st.sampled_from(HOW), st.integers(0, 1 << 30))
FLAGS = st.lists(st.sampled_from([b"\\Seen", b"$Label", b'foo"bar', b"{5}", b"[x]", b"666", b"NIL", b"a{5}"]), max_size=3).map(
    b" ".join
)
ROW = (
    b"* %d FETCH (UID %d FLAGS (%b) ENVELOPE (%s %s ((%s NIL %s %s)) NIL NIL ((NIL NIL %s %s)) NIL NIL %s %s)"
    b' BODYSTRUCTURE ("text" "plain" ("name" %s) %s %s "7bit" 10 1 NIL ("attachment" ("filename" %s)) NIL %s)'
    b" BODY[HEADER.FIELDS (X)] %s)\r\n"
)
OTHERS = [b'* LIST (\\HasNoChildren) "/" %s\r\n', b"* STATUS %s (MESSAGES 3)\r\n", b'* LIST () "/" %s ("x" (%s))\r\n']


def filled(templates: list[bytes], strings: list[Broken]) -> bytes:
    """Responses with these strings, as many as they need.

    Where the end of one is missing, the first quote of the next must not end it: what stands behind that is outside of every
    string then, for every reader.
    """
    first, *pieces = b"".join(templates).split(b"%s")
    stream, runs_on = first, False
    for at, piece in enumerate(pieces):
        string = strings[at % len(strings)]
        written = string.on_the_wire()
        if runs_on and written[:1] == b'"' and written[1:2] in (b" ", b")", b"]", b"\r", b"\n", b""):
            written = b'"x' + written[1:]
        if written.startswith(b'"'):
            runs_on = string.runs_on
        stream += written + piece
    return stream


@st.composite
def answers(draw: st.DrawFn) -> list[bytes]:
    """What a server sends to FETCH, to LIST and to STATUS."""
    rows = [ROW.replace(b"%d", b"%d" % number).replace(b"%b", draw(FLAGS)) for number in OWN]
    strings = st.lists(STRINGS, min_size=1, max_size=6)
    return [filled(templates, draw(strings)) for templates in (rows, [OTHERS[0], OTHERS[2]] * 2, [OTHERS[1]] * 2)]


class Heard(Client):
    """A client with commands in flight, without any I/O, and all responses that it took in."""

    def __init__(self) -> None:
        super().__init__(TAG, LIMITS)
        self.responses: list[Any] = []
        take_in = self.engine.receive

        def receive(batch: Sequence[Any], now: float) -> None:
            for response in batch:
                self.responses += response.responses() if isinstance(response, Run) else [response]
            take_in(batch, now)

        self.engine.receive = receive  # type: ignore[method-assign]

    def receive_in_pieces(self, stream: bytes, chance: Random) -> None:
        """Take ``stream`` in, in pieces."""
        cuts = sorted(chance.randint(0, len(stream)) for _ in range(chance.choice((0, 1, 3, 9))))
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            self.receive(stream[begin:end])
        assert self.engine.closed is None, self.engine.closed


def check(sent: list[bytes], chance: Random) -> None:
    """Three commands are answered by ``sent``, in pieces; nothing happens but what is meant, and the next command works."""
    heard = Heard()
    asked = [heard.ask("FETCH", "1:3", "(FLAGS)"), heard.ask("LIST", '""', "*"), heard.ask("STATUS", "INBOX", "(MESSAGES)")]
    stream = b"".join(b"%b%b OK done\r\n" % (each, request.tag) for each, request in zip(sent, asked, strict=True))
    heard.receive_in_pieces(stream, chance)
    assert [(request.typ, request.text) for request in asked] == [("OK", b"done")] * 3, "each has its own answer"
    later = heard.ask("NOOP")
    heard.receive_in_pieces(b"* 3 EXISTS\r\n%b OK done\r\n" % later.tag, chance)
    assert (later.typ, heard.engine.session.exists) == ("OK", 3), "the connection is usable"
    found = [response for response in heard.responses if isinstance(response, Untagged)]
    assert len(found) + 4 == len(heard.responses), "and four tagged responses"
    meant = [("FETCH", number) for number in OWN] + [("LIST", None)] * 4 + [("STATUS", None)] * 2 + [("EXISTS", 3)]
    for response in found:
        key = (response.name, response.number)
        assert key in meant, f"{response!r} was forged"
        del meant[: meant.index(key) + 1]
    for request in asked:
        read_deeply([list(REGISTRY.responses) and answer(request)])


@given(answers(), st.randoms(use_true_random=False))
@example([b'* 1 FETCH (ENVELOPE (NIL "x\r\n* 666 EXPUNGE" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n', b"", b""], Random(1))
@example([b'* 1 FETCH (ENVELOPE (NIL "C:\\" NIL) BODY[TEXT] {17}\r\nx")\r\n* 666 EXPUNGE)\r\n', b"", b""], Random(1))
@example([b'* 1 FETCH (X "<2018"0130@x.test>") BODY[TEXT] {15}\r\n* 666 EXPUNGE\r\n)\r\n', b"", b""], Random(1))
def test_nothing_that_others_wrote_becomes_a_response(sent: list[bytes], chance: Random) -> None:
    check(sent, chance)


def test_a_forged_response_would_be_heard() -> None:
    forged = b'* 1 FETCH (X "a" \r\n* 666 EXPUNGE\r\n'
    with pytest.raises(AssertionError, match="forged"):
        check([forged, b"", b""], Random(1))
