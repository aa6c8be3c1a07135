"""Every bound of ``imapkit.Limits``, at the bound and one beyond it, and real mail far below the defaults."""

from __future__ import annotations

import re
import traceback
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields, replace
from itertools import cycle, islice
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import imapkit
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.memory import memory_of
from imapkit.errors import ArgumentError, LimitExceeded
from imapkit.ext.compress import DeflateLayer
from imapkit.testing import Conversation, ReceivedCommand, answering
from tests.core.rig import MARGIN, connect, selected, serving, within

pytestmark = pytest.mark.heavy

LIMITS = imapkit.Limits()
BOUND = 40
MEMORY = memory_of("LIST", (b"",))
BOUNDS = {"answers_bytes": MEMORY + BOUND}
"""What is counted as memory counts a response that is empty, too."""

#   What exceeds the limit if it holds one more than the bound.
MADE: dict[str, Callable[[int], bytes]] = {
    "line": lambda size: b"* OK " + b"x" * (size - 5) + b"\r\n",
    "literal": lambda size: b"* X {%d}\r\n%b\r\n" % (size, b"x" * size),
    "response": lambda size: b"* X {8}\r\n12345678 {8}\r\n12345678 %b\r\n" % (b"x" * (size - 28)),
    "literals": lambda count: b"* X" + b" {0}\r\n" * count + b"\r\n",
    "nesting": lambda depth: b"* X " + b"(" * depth + b")" * depth + b"\r\n",
    "answers": lambda count: b'* LIST () "/" a\r\n' * count,
    "strays": lambda count: b"".join(islice(cycle((b"what is this\r\n", b"\r\n", b"* \r\n")), count)),
    "answers_bytes": lambda size: b'* LIST () "/" %b\r\n' % (b"a" * (size - MEMORY - 7)),
}
#   What is dropped instead, what is for the layer below, and what is for the client itself.
OTHERS = {"stored", "stored_bytes", "defects", "inflation", "challenges", "command"}


def test_every_limit_is_tested() -> None:
    assert {field.name for field in fields(imapkit.Limits)} == MADE.keys() | OTHERS


@pytest.mark.parametrize("what", MADE)
def test_every_limit_is_kept_and_no_less_is_allowed(what: str) -> None:
    sizes: list[int] = []
    bound = BOUNDS.get(what, BOUND)

    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=MADE[what](sizes[-1]))

    with serving({"LIST": answer}, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server:
        with connect(server, limits=replace(LIMITS, **{what: bound})) as client:
            sizes.append(bound)
            assert client.list()[0] == "OK"
            sizes.append(bound + 1)
            with pytest.raises(LimitExceeded, match=rf"\(Limits\.{what}\)"), within(MARGIN):
                client.list()
            assert not client._live.open
        with connect(server) as client:
            assert client.list()[0] == "OK", "another client has other limits"


def test_an_exchange_without_end_is_the_end() -> None:
    """Each answer is to be hidden from then on: a thousand of them took two seconds, two thousand ten."""

    def authenticate(conversation: Conversation, command: ReceivedCommand) -> None:
        for _ in range(int(command.args.split()[-1])):
            conversation.send(b"+ \r\n")
            conversation.read_line()
        conversation.ok(command)

    limits = imapkit.Limits(challenges=BOUND)
    with serving({"AUTHENTICATE": authenticate}) as server:
        with connect(server, limits=limits) as client:
            assert client.authenticate(str(BOUND), lambda challenge: b"secret")[0] == "OK"
        with connect(server, limits=limits) as client:
            with pytest.raises(LimitExceeded, match=r"AUTHENTICATE brings more than 40 .*\(Limits\.challenges\)"), within(MARGIN):
                client.authenticate(str(BOUND + 1), lambda challenge: b"secret")
            assert not client._live.open


@pytest.mark.parametrize("value", [0, -1, None, "16", 1.5, True, float("inf")])
@pytest.mark.parametrize("what", [field.name for field in fields(imapkit.Limits)])
def test_a_limit_that_is_none_is_refused_at_once(what: str, value: Any) -> None:
    if value == 0 and type(value) is int and what in ("stored", "stored_bytes", "defects"):
        assert asdict(imapkit.Limits(**{what: value}))[what] == 0
    else:
        with pytest.raises(ValueError, match=rf"Limits\.{what} must be a whole number"):
            imapkit.Limits(**{what: value})


def test_nothing_need_be_kept() -> None:
    with selected(limits=replace(LIMITS, stored=0, stored_bytes=0, defects=0)) as (client, _):
        assert client.noop()[0] == "OK"
        assert client.untagged_responses == []
        assert client.defects == ()


def test_answers_of_other_commands_do_not_count() -> None:
    flood = b"* 3 EXISTS\r\n" * 100
    with selected({"NOOP": lambda c, command: c.ok(command, untagged=flood)}, limits=imapkit.Limits(answers=5)) as (client, _):
        assert client.noop()[0] == "OK"


def test_a_line_without_an_end_is_the_end_before_it_ends() -> None:
    framer = Framer(imapkit.Limits(line=1000))
    framer.push(b"* OK " + b"x" * 995)
    assert framer.pop() is None
    framer.push(b"x")
    with pytest.raises(LimitExceeded, match=r"\(Limits\.line\)"):
        framer.pop()


def inflating(most: int, data: bytes) -> Iterable[bytes]:
    packed = zlib.compressobj(9, wbits=-15)
    return DeflateLayer(most).decode(packed.compress(data) + packed.flush(zlib.Z_SYNC_FLUSH))


def test_inflation_at_the_bound() -> None:
    data = bytes(1 << 20)
    packed = zlib.compressobj(9, wbits=-15)
    size = len(packed.compress(data) + packed.flush(zlib.Z_SYNC_FLUSH))
    excess = len(data) - 100 * size
    assert 0 < excess < len(data)
    assert b"".join(inflating(excess, data)) == data
    came: list[bytes] = []
    with pytest.raises(LimitExceeded, match=r"\(Limits\.inflation\)"):
        came.extend(inflating(excess - 1, data))
    assert sum(map(len, came)) < len(data), "what is too much is not handed on"


def test_inflation_counts_what_is_beyond_a_hundred_times() -> None:
    """Text may come to as much as it likes, whatever the limit."""
    layer, packer = DeflateLayer(1000), zlib.compressobj(9, wbits=-15)
    for i in range(200):
        text = b"".join(b'* LIST (\\HasNoChildren) "/" "folder %d"\r\n' % (i * 1000 + j) for j in range(50))
        packed = packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
        assert b"".join(layer.decode(packed)) == text


def test_the_client_has_the_layer_keep_its_limit() -> None:
    def compress(conversation: Conversation, command: ReceivedCommand) -> None:
        packer = zlib.compressobj(9, wbits=-15)
        conversation.ok(command)
        # All of NOOP, up to the end of its flush: a CR and LF left in the compressed bytes would be read as a command line.
        came = b""
        while not came.endswith(b"\x00\x00\xff\xff"):
            came += conversation.read_literal(1)
        conversation.send(packer.compress(b"* OK " + b"x" * 100_000) + packer.flush(zlib.Z_SYNC_FLUSH))
        conversation.wait_closed()

    limits = imapkit.Limits(inflation=50_000)
    with serving({"COMPRESS": compress}) as server, connect(server, families=["rev1", "compress"], limits=limits) as client:
        client.enable_compression()
        with pytest.raises(LimitExceeded, match=r"\(Limits.inflation\)"):
            client.noop()


@pytest.mark.parametrize(
    ("limit", "kept"),
    [({"stored": 3}, 3), ({"stored_bytes": 4 * memory_of("X", (b"a",))}, 4)],
    ids=["stored", "stored_bytes"],
)
def test_unasked_responses_make_room_for_newer_ones(limit: dict[str, int], kept: int) -> None:
    lines = b"* X a\r\n" * 9
    with selected({"NOOP": lambda c, command: c.ok(command, untagged=lines)}, limits=replace(LIMITS, **limit)) as (client, _):
        client.noop()
        assert len(client.response("X")[1]) == kept
        client.noop()
        assert [defect.what[:41] for defect in client.defects] == ["responses that no command asked for are d"], "noted once"
        assert client.noop()[0] == "OK"


def test_real_mail_meets_no_limit() -> None:
    """Gmail and Exchange take messages of 150 MB at most; a million messages are a very large mailbox."""
    assert LIMITS.literal >= 1000 << 20
    assert LIMITS.line >= 16 << 20, "a SEARCH of two million messages"
    assert LIMITS.answers >= 5_000_000
    assert LIMITS.nesting >= 1000, "a message in a message, a hundred deep"
    assert LIMITS.literals >= 100_000
    assert LIMITS.response > LIMITS.literal
    assert LIMITS.answers_bytes > LIMITS.response
    assert LIMITS.inflation >= LIMITS.literal, "a message of nothing but zeros"


def ways(client: Any, numbers: str) -> list[Callable[[], object]]:
    """Commands of this many bytes, by every way that leads to the wire: ``FETCH 1,3,5 (FLAGS)``."""
    return [
        lambda: client.fetch(numbers, "(FLAGS)"),
        lambda: client.fetch(numbers, "(FLAGS)", callback=print),
        lambda: client.xatom("FETCH", numbers, "(FLAGS)"),
        lambda: client.submit("FETCH", numbers, "(FLAGS)"),
        lambda: client._simple_command("FETCH", numbers, "(FLAGS)"),
    ]


def test_a_command_that_is_too_long_is_not_sent() -> None:
    """Cyrus ends the connection for a word of more than 128 KiB."""
    numbers = ",".join(map(str, range(100_001, 300_000, 2)))
    most = len(f"FETCH {numbers} (FLAGS)")
    assert most > 600_000
    said = dict.fromkeys(("FETCH", "SEARCH"), answering())
    with selected(said) as (client, server):
        for way in ways(client, numbers):
            with pytest.raises(ArgumentError, match=rf"FETCH: {most} bytes .*\(Limits\.command\)"):
                way()
        assert client.fetch(range(1, 300_000), "(FLAGS)") == ("OK", [None]), "numbers that follow one another are a range"
        assert client.search(None, "TEXT", "x" * 600_000)[0] == "OK", "text goes as a literal"
        assert server.names.count("FETCH") == 1
    with selected(said, limits=replace(LIMITS, command=len("FETCH 1,3,5 (FLAGS)"))) as (client, server):
        for way in ways(client, "1,3,5"):
            way()
        client.noop()
        assert server.names.count("FETCH") == 5
        for way in ways(client, "1,3,57"):
            with pytest.raises(ArgumentError):
                way()
        assert server.names.count("FETCH") == 5


def test_a_name_with_two_forms_counts_as_the_longer_one() -> None:
    with selected(limits=replace(LIMITS, command=30)) as (client, server):
        with pytest.raises(ArgumentError, match=r"Limits\.command"):
            client.status("\u00e9" * 8, "(MESSAGES)")
        assert client.noop()[0] == "OK"
        assert "STATUS" not in server.names


def test_a_secret_that_is_too_long_is_not_shown() -> None:
    password = "hunter2-Canary" * 5
    with serving() as server, connect(server, limits=replace(LIMITS, command=60)) as client:
        with pytest.raises(ArgumentError, match=r"LOGIN: .* bytes") as caught:
            client.login("me", password)
        assert "Canary" not in "".join(traceback.format_exception(caught.value))
        assert not any("Canary" in repr(frame.f_locals) for frame in frames(caught.value))


def frames(exc: BaseException) -> list[FrameType]:
    """The frames of the library that an error's traceback keeps."""
    found = [frame for frame, _ in traceback.walk_tb(exc.__traceback__)]
    return [frame for frame in found if "tests" not in frame.f_code.co_filename]


def test_little_is_kept_of_unasked_responses() -> None:
    """A program may hold a thousand connections, and never ask for ``response()``."""
    news = b"".join(b"* %d FETCH (BODY[] {1048576}\r\n%b)\r\n" % (i, b"x" * (1 << 20)) for i in range(1, 41))
    with selected({"NOOP": lambda conversation, command: conversation.ok(command, untagged=news)}) as (client, _):
        assert client.noop()[0] == "OK"
        kept = client.response("FETCH")[1]
        assert kept[-2][0].startswith(b"40 "), "the newest are kept"
        assert sum(len(item[1]) for item in kept if isinstance(item, tuple)) <= 32 << 20
    assert LIMITS.stored_bytes >= LIMITS.stored * memory_of("EXPUNGE", (b"1000000",)), "no bound makes the other one useless"


def test_the_page_has_the_defaults() -> None:
    text = (Path(imapkit.__file__).parents[1] / "SECURITY.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+(?: [KMG]iB)?) \|", text, re.MULTILINE))
    sizes = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
    values = {}
    for name, value in told.items():
        number, _, unit = value.partition(" ")
        values[name] = int(number.replace(",", "")) * sizes.get(unit, 1)
    assert values == asdict(LIMITS)
