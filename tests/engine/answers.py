"""Attribution alone: random commands in flight, random responses, and whose answer each is by brute force."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from random import Random

from imapkit.core.contract.call import Call
from imapkit.core.contract.command import Command
from imapkit.core.contract.session import State
from imapkit.core.engine.phases import DONE
from imapkit.core.engine.request import Request
from imapkit.core.wire.numbers import NumberSet
from imapkit.core.wire.pieces import Literal
from imapkit.core.wire.response import ResponseCode, Run, Untagged, response_code
from tests.core.support import Driver, call, probe_registry
from tests.engine.commands import IDLE

__all__ = ["AnswerEpisode"]


def _all_are_about(about: NumberSet, run: Run) -> bool:
    return not about.uid and about.may_hold_all(run.numbers)


def _verdict_of_code(about: str, code: ResponseCode) -> bool | None:
    """As the code says itself: "[MOVED a=yes b=perhaps]"."""
    words = dict(word.split("=") for word in (code.data or b"").decode().split())
    return {"yes": True, "perhaps": None, "no": False}[words.get(about, "no")]


FETCH = replace(probe_registry.commands["XFETCH"], matches_all=_all_are_about)
ESEARCH = probe_registry.commands["XESEARCH"]
LIST = probe_registry.commands["XLIST"]
MOVE = Command("XMOVE", State.ANY, codes=("MOVED",), subject=lambda args, uid: args[0], matches_code=_verdict_of_code)
REPLACE = Command("XREPLACE", State.ANY, codes=("MOVED", "XHERE"), result=("ABOUT", "LIST"))
"""These own the codes of untagged OK."""
ALERTED = replace(probe_registry.commands["XPING"], result=("OK",))
"""It awaits what has a meaning beside being an answer."""


def _fetch(rng: Random) -> Call:
    plain = call("XFETCH", rng.choice(("1", "2:4", "3", "5,7", "6:*")), "FLAGS", uid=rng.random() < 0.4)
    made = Call(FETCH, plain.args, plain.pieces, uid=plain.uid)
    return made if rng.random() < 0.8 else Call(FETCH, plain.args, [b"XFETCH ", Literal(b"1 FLAGS")], uid=plain.uid)


def _with_more(plain: Call, *result: str) -> Call:
    """The same call, which awaits other responses than its command does by itself."""
    return Call(plain.command, plain.args, plain.pieces, uid=plain.uid, result=result)


_KINDS: tuple[Callable[[Random], Call], ...] = (
    _fetch,
    _fetch,
    lambda rng: call("XABOUT", rng.choice("abc")),
    lambda rng: call("XABOUT", rng.choice("abc")),
    lambda rng: _with_more(call("XABOUT", rng.choice("abc")), "ABOUT", "LIST"),
    lambda rng: _with_more(_fetch(rng), "ABOUT", "FETCH"),
    lambda rng: call("XLIST"),
    lambda rng: Call(LIST, (), [b"XLIST ", Literal(b"x")]),
    lambda rng: call("XESEARCH"),
    lambda rng: Call(ESEARCH, (), [b"XESEARCH ", Literal(b"x")]),
    lambda rng: _with_more(call("XPING"), "ESEARCH", "LIST"),
    lambda rng: call("XPING"),
    lambda rng: Call(MOVE, (rng.choice("abc"),), [b"XMOVE"]),
    lambda rng: Call(MOVE, (rng.choice("abc"),), [b"XMOVE ", Literal(b"x")]),
    lambda rng: Call(REPLACE, (), [b"XREPLACE"]),
    lambda rng: call("XCAPA"),
    lambda rng: Call(ALERTED, (), [b"XPING"]),
    lambda rng: Call(IDLE, (), [b"XIDLE"]),
)


class AnswerEpisode:
    """Runs once, with ``run``."""

    def __init__(self, rng: Random, size: int) -> None:
        self.rng = rng
        self.driver = Driver(State.SELECTED)
        kinds = rng.sample(_KINDS, rng.choice((2, 4, len(_KINDS))))
        self.requests = [self.driver.submit(rng.choice(kinds)(rng)) for _ in range(size)]
        self.certain: dict[Request, list[bytes]] = {request: [] for request in self.requests}
        """What each command's answer is for sure, by the rules below."""
        self.doubtful: dict[Request, list[bytes]] = {request: [] for request in self.requests}
        """What is its answer if no better one comes."""
        self.codes: dict[Request, list[bytes | None]] = {request: [] for request in self.requests}
        """The codes that each command owns."""
        self.stored: list[bytes] = []
        self.said = 0
        self.unasked: list[bytes] = []
        """What no command asked for, which the subscribers get."""
        self.told: list[bytes] = []
        self.driver.engine.wanted = frozenset(("ABOUT", "EXISTS", "LIST", "ESEARCH", "[MOVED]", "[OTHER]"))

    def run(self) -> bool:
        """Play it; whether the connection ended early."""
        rng, driver = self.rng, self.driver
        for step in count():
            if driver.engine.idle:
                break
            assert step < 200 * len(self.requests), ("does not end", self.requests)
            driver.take()
            roll = rng.random()
            if roll < 0.6:
                self._say()
            elif roll < 0.8:
                driver.feed(b"+ go\r\n")
            elif flying := self._in_flight():
                self._end(rng.choice(flying))
        kept = sorted(item for _, items in driver.engine.store.runs() for item in items)
        assert kept == sorted(self.stored), ("kept", kept, self.stored)
        assert sorted(self.told) == sorted(self.unasked), ("unasked", self.told, self.unasked)
        return False

    def _in_flight(self) -> list[Request]:
        """Those whose answer may come, in the order in which they were sent."""
        return sorted((request for request in self.requests if request.sent and request.phase is not DONE), key=_order)

    def _say(self) -> None:
        rng = self.rng
        self.said += 1
        mark = b"m%d" % self.said
        name = rng.choice(("FETCH", "FETCH", "ABOUT", "ABOUT", "LIST", "CAPABILITY", "OK", "EXISTS", "ESEARCH"))
        if name == "FETCH":
            rows = [self._row(mark) for _ in range(rng.choice((1, 1, 3)))]
            run = Run(name, rows)
            self._expect(run.responses())
            self._take([run] if len(rows) > 1 else run.responses())
            return
        text = b"%b x=no" % mark
        if name == "OK" and rng.random() < 0.8:
            verdicts = b" ".join(b"%b=%b" % (each, rng.choice((b"yes", b"perhaps", b"no"))) for each in (b"a", b"b", b"c"))
            text = b"[%b mark=%b %b] moved" % (rng.choice((b"MOVED", b"MOVED", b"XHERE", b"OTHER")), mark, verdicts)
        if name == "ABOUT":
            words = [f"{each}={rng.choice(('yes', 'perhaps', 'else', 'no', 'no'))}".encode() for each in "abc"]
            text = b" ".join((*words, b"mark=" + mark))
        if name == "ESEARCH" and rng.random() < 0.7:
            tags = [request.tag for request in self.requests if request.tag] or [b"none"]
            text = b'(TAG "%b") %b' % (rng.choice(tags), mark)
        self._expect([response := Untagged(name, 3 if name == "EXISTS" else None, (text,))])
        self._take([response])

    def _row(self, mark: bytes) -> tuple[bytes, ...]:
        number = self.rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 9))
        return b"%d" % number, b"(%b UID %d)" % (mark, self.rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 9)))

    def _take(self, batch: Sequence[Untagged | Run]) -> None:
        self.driver.engine.receive(batch, self.driver.now)
        self._note_unasked()

    def _expect(self, responses: list[Untagged]) -> None:
        """Note which command each answers: the first that it is certainly about; else the only one
        that it is likely about; else the only one that it is possibly about."""
        for response in responses:
            [shaped] = response.data()
            code = response_code(response.text) if response.name == "OK" else None
            if code is not None:
                self.stored.append(code.data or b"")
            likely: list[Request] = []
            possible: list[Request] = []
            for request in self._in_flight():
                verdict = _verdict(request, response)
                if verdict is True:
                    self.certain[request].append(shaped)
                    break
                if verdict is None:
                    likely.append(request)
                elif verdict:
                    possible.append(request)
            else:
                if code is not None:
                    self._expect_code(code)
                candidates = likely or possible
                if len(candidates) != 1:
                    self.stored.append(shaped)
                    self._expect_unasked(response.name, shaped)
                elif response.name == "ESEARCH" or isinstance(candidates[0].call.about, NumberSet):
                    self.certain[candidates[0]].append(shaped)
                else:
                    self.doubtful[candidates[0]].append(shaped)

    def _expect_unasked(self, name: str, shaped: bytes) -> None:
        if name in self.driver.engine.wanted:
            self.unasked.append(shaped)

    def _note_unasked(self) -> None:
        """Take what the engine has left for the subscribers."""
        for each in self.driver.engine.effects.unasked:
            self.told += each.came.data() if isinstance(each.came, Untagged) else [each.came.data or b""]
        self.driver.engine.delivered()

    def _expect_code(self, code: ResponseCode) -> None:
        """Note which command owns the code of a status response that answers none."""
        owners = [request for request in self._in_flight() if code.name in request.call.command.codes]
        verdicts = [True if request.call.about is None else _verdict_of_code(request.call.about, code) for request in owners]
        for wanted in (True, None):
            found = [owner for owner, verdict in zip(owners, verdicts, strict=True) if verdict is wanted]
            if found and (wanted or len(found) == 1):
                if code.name == "XHERE":
                    self._part(found[0])
                self.codes[found[0]].append(code.data)
            if found:
                if not wanted and len(found) > 1:
                    found = []
                break
        else:
            found = []
        if not found:
            self._expect_unasked(f"[{code.name}]", code.data or b"")

    def _part(self, owner: Request) -> None:
        """What has come for a command belongs to none: its answer begins here."""
        for kept in (self.certain[owner], self.doubtful[owner]):
            self.stored += kept
            for shaped in kept:
                self._expect_unasked("ABOUT" if b"=" in shaped else "LIST", shaped)
            kept.clear()
        self.codes[owner].clear()

    def _end(self, request: Request) -> None:
        typ = self.rng.choice(("OK", "OK", "NO"))
        certain, doubtful = self.certain[request], self.doubtful[request]
        self.driver.end(request, typ)
        self._note_unasked()
        if typ == "NO":
            self.stored += certain + doubtful
        elif certain:
            self.stored += doubtful
            for shaped in doubtful:
                self._expect_unasked("ABOUT" if b"=" in shaped else "LIST", shaped)
        else:
            certain = doubtful
        assert self.driver.data(request) == certain, (request, self.driver.data(request), certain)
        assert [code.data for code in request.codes] == self.codes[request], (request, self.codes[request])
        assert request.defect is None, request.defect


def _order(request: Request) -> int:
    return request.order


def _verdict(request: Request, response: Untagged) -> object:
    """Whether a response is an answer to a command, that one alone: True, False, None for perhaps, a text for possibly."""
    wanted = request.call
    command, about = wanted.command, wanted.about
    if response.name not in wanted.result:
        return False
    if response.name == "ESEARCH":
        tag = response.text.partition(b'(TAG "')[2].partition(b'"')[0]
        return tag == request.tag if tag else "no tag"
    return True if about is None or response.name not in command.result else command.matches(about, response)  # type: ignore[misc]
