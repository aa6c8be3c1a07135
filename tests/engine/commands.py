"""Commands made for the model: one for each rule of the gate, of attribution and of the phases."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from imapkit.core.contract.call import Call
from imapkit.core.contract.command import Command
from imapkit.core.contract.session import State
from imapkit.core.wire.pieces import Literal, Piece
from imapkit.core.wire.source import Source
from tests.core.support import call

__all__ = ["AUTH", "IDLE", "PUT", "UNZIP", "ZIP", "some_kinds"]

AUTH = Command("XAUTH", State.ANY, exclusive=True)
ZIP = Command("XZIP", State.ANY, exclusive=True, layer="x")
UNZIP = Command("XUNZIP", State.ANY, exclusive=True, ends_layers=("x",))
PUT = Command("XPUT", State.ANY)
IDLE = Command("XIDLE", State.ANY, exclusive=True, interrupt=b"DONE", news=lambda response: response.name == "EXISTS")


def _numbers(rng: Random) -> str:
    low = rng.randrange(1, 12)
    return rng.choice((f"{low}", f"{low}:{low + rng.randrange(3)}", f"{low},{low + 5}", f"{low}:*"))


def _fetch(rng: Random) -> Call:
    return call("XFETCH", _numbers(rng), "FLAGS", uid=rng.random() < 0.3)


def _put(rng: Random) -> Call:
    """One literal, or two; larger ones do not leave together with the line (see ``SMALL``), nor do sources."""
    pieces: list[Piece] = [b"XPUT box "]
    for _ in range(rng.choice((1, 1, 2))):
        lines = [b"lit\r\n"] * rng.randrange(30)
        pieces += [_source(lines) if rng.random() < 0.3 else Literal(b"".join(lines)), b" "]
    return Call(PUT, (), pieces[:-1])


def _source(lines: list[bytes]) -> Source:
    """A source that can be read once only: reading it twice would be a mistake."""
    return Source(sum(map(len, lines)), iter(lines))


def _auth(rng: Random) -> Call:
    return Call(AUTH, (), [b"XAUTH"], reply=lambda challenge: None if rng.random() < 0.2 else b"r" + challenge)


_KINDS: tuple[Callable[[Random], Call], ...] = (
    *(_fetch,) * 4,
    lambda rng: call("XSTATUS", f"box{rng.randrange(3)}"),
    lambda rng: call("XSEARCH"),
    lambda rng: call("XLIST"),
    lambda rng: call("XPING"),
    _put,
    lambda rng: Call(IDLE, (), [b"XIDLE"]),
    _auth,
    lambda rng: Call(ZIP, (), [b"XZIP"]),
    lambda rng: Call(UNZIP, (), [b"XUNZIP"]),
)


def some_kinds(rng: Random) -> list[Callable[[Random], Call]]:
    """A few kinds for one episode: a pair that is rare among all of them is common among few."""
    return rng.sample(_KINDS, rng.choice((2, 4, len(_KINDS))))
