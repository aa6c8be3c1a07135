"""One episode: random commands, a random server, and every rule of the engine checked by brute force."""

from __future__ import annotations

from random import Random
from typing import Any

from imapkit.core.contract.session import State
from imapkit.core.engine import exchange
from imapkit.core.engine.engine import Engine
from imapkit.core.engine.phases import DONE, LISTENING, QUEUED, SENDING
from imapkit.core.engine.request import Request
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.numbers import NumberSet
from imapkit.core.wire.response import Continuation, Tagged, Untagged, classify
from tests.core.support import call, probe_registry
from tests.engine.commands import IDLE, some_kinds
from tests.engine.rules import check_sent
from tests.engine.server import LegalServer

__all__ = ["Asked", "Episode"]

SMALL = 64
"""Bytes of a literal that leave together with the line around it, here."""


class Asked(Request):
    """A command, with the answer that it must get."""

    mark = b""
    """In every line of its answer; set once it is sent."""
    expected = 0
    number = 0


class Episode:
    """Runs once, with ``run``; an ``AssertionError`` says which rule was broken."""

    window = 1e9
    """A server that keeps to the standard answers every command: none is ever ended because it took too long."""

    hard = 0.0
    """How often a command that is late ends the connection."""

    def __init__(self, rng: Random, size: int) -> None:
        self.rng, self.size, self.now = rng, size, 0.0
        self.kinds = some_kinds(rng)
        self.steps = (self._submit, self._pump, self._serve, self._feed, self._wait, self._abandon, self._reply)
        self.weights = (rng.choice((25, 25, 4)), 20, 20, 20, rng.choice((5, 5, 20)), rng.choice((3, 3, 20)), 7)
        self.engine = Engine(probe_registry, window=self.window, high=rng.choice((2, 5, 1000)), low=rng.choice((2, 128)))
        self.server = LegalServer(rng, self._answer)
        self.framer = Framer()
        self.commands: list[Asked] = []
        self.by_tag: dict[bytes, Asked] = {}
        self.flying: list[Asked] = []
        """Sent and not answered, as the server sees it."""
        self.told: set[Asked] = set()
        self.had: dict[Asked, int] = {}
        """How many responses each command had received when it was given up."""
        self.questions: list[Asked] = []
        self.switching: Request | None = None
        self.last_told = self.last_moved = 0.0
        """When bytes went either way last."""
        self._feed(all_of_it=True)
        self.engine.session.enter(State.SELECTED)
        self.engine.session.set_capabilities(["IMAP4REV1", *(["LITERAL+"] if rng.random() < 0.5 else [])])

    def run(self) -> bool:
        """Play it to the end; whether the connection ended early."""
        usual, exchange.ONE_SEND = exchange.ONE_SEND, SMALL
        try:
            return self._play()
        finally:
            exchange.ONE_SEND = usual

    def _play(self) -> bool:
        for _ in range(self.size * 6):
            self._random_step()
            if self.engine.closed is not None:
                break
        self._drain()
        self._check_the_end()
        return self.engine.closed is not None

    def _random_step(self) -> None:
        self.rng.choices(self.steps, self.weights)[0]()

    def _wait(self) -> None:
        self.now += self.rng.choice((0.1, 1.0, 3.0))
        self.engine.tick(self.now)
        self._deliver()

    # the client's side

    def _submit(self) -> None:
        rng = self.rng
        if len(self.commands) >= self.size:
            return
        last = len(self.commands) == self.size - 3 and rng.random() < 0.3
        request = Asked(call("XBYE") if last else rng.choice(self.kinds)(rng))
        request.number, request.hard = len(self.commands), rng.random() < self.hard
        if rng.random() < 0.15:
            request.limit = self.now + rng.choice((0.0, 1.0, 5.0))
        if request.call.command is IDLE:
            request.renew = rng.choice((1.0, 3.0, float("inf")))
            if rng.random() < 0.4:
                request.until = self.now + rng.choice((0.0, 2.0, 6.0))
        self.commands.append(request)
        if self.engine.idle:
            self.last_moved = self.now
        self.engine.submit(request, self.now)
        self._deliver()

    def _abandon(self) -> None:
        if not self.commands:
            return
        request = self.rng.choice(self.commands)
        if request.phase is not SENDING or request.sent or self.rng.random() < 0.02:
            self.engine.abandon(request, self.now)
            self._deliver()

    def _reply(self) -> None:
        if not self.questions:
            return
        request = self.questions.pop(0)
        if request.abandoned:
            # The thread that would have called the function is gone.
            return
        question = request.question
        value = None if question is None else question.function(question.argument)
        self.engine.answer(request, value, None, self.now)
        self._deliver()

    def _serve(self) -> None:
        self.server.step()

    def _pump(self) -> bool:
        """Send what leaves next; whether there was anything."""
        out = self.engine.outgoing(self.now)
        self._note_sent()
        if out is not None:
            self.last_moved = self.now
            self.server.to_server += out.data if out.source is None else b"".join(out.source.pieces())
            if self.rng.random() < 0.5:
                self.engine.written(out.order, self.now)
        self._deliver()
        return out is not None

    def _note_sent(self) -> None:
        """Look at those that have a tag since the last look: the rules of the gate, by brute force."""
        pending = self.engine.flight.pending
        assert len(pending) <= self.engine.outbound.high, "more than the bound in flight"
        for tag, request in pending.items():
            if tag in self.by_tag:
                continue
            assert isinstance(request, Asked)
            assert self.engine.session.state is not State.LOGOUT, ("sent behind the end of the session", request)
            if not request.mark:
                check_sent(request, self.flying, [each for each in self.commands[: request.number] if each.phase is QUEUED])
                request.mark = b"m%d" % request.number
                self.flying.append(request)
            self.by_tag[tag] = request

    def _deliver(self) -> None:
        engine = self.engine
        effects = engine.effects
        there = [effects.done, effects.asks, effects.switch, effects.greeted, effects.closed]
        assert effects.due == any(each for each in there), ("is not told of", there)
        for request in effects.done:
            self.last_told = self.now
            assert isinstance(request, Asked)
            assert request not in self.told, ("told twice", request)
            self.told.add(request)
            self._check_answer(request)
        self.questions += [request for request in effects.asks if isinstance(request, Asked) and request.question is not None]
        self.switching = effects.switch or self.switching
        engine.delivered()
        self._check_orphans()
        listener = engine.flight.listener
        if listener is not None and listener.phase is LISTENING:
            reasons = [engine.queued, listener.news, listener.abandoned]
            assert not any(reasons), ("listens on", listener, reasons)

    def _check_orphans(self) -> None:
        """A command that was given up keeps what it had received by then, and collects nothing more."""
        for request in self.engine.flight.live:
            if request.abandoned:
                assert isinstance(request, Asked)
                had = self.had.setdefault(request, len(request.came))
                assert len(request.came) == had, ("an orphan collects", request)

    def _check_answer(self, request: Asked) -> None:
        if request.aborted is not None or request.defect is not None:
            return
        assert request.typ in ("OK", "NO"), request
        own = [response for response in request.untagged if b"unasked" not in response.text]
        for response in own:
            assert request.mark in response.text.split(), ("the answer of another command", request.mark, response)
        if request.typ == "OK":
            self._check_complete(request, len(own))

    def _check_complete(self, request: Asked, count: int) -> None:
        assert count == request.expected, ("not all of its answer", request, request.expected, count)

    def _feed(self, *, all_of_it: bool = False) -> None:
        """Hand over some of what the server has sent."""
        to_client = self.server.to_client
        size = len(to_client) if all_of_it else self.rng.randrange(len(to_client) + 1)
        if not size:
            return
        self.last_moved = self.now
        self.framer.push(bytes(to_client[:size]))
        del to_client[:size]
        batch: list[Any] = []
        while (parts := self.framer.pop()) is not None:
            response = classify(parts)
            batch.append(response)
            if isinstance(response, Tagged):
                self._landed(response)
                if self.engine.flight.layer_pending or self.rng.random() < 0.3:
                    self._receive(batch)
                    batch = []
        if batch:
            self._receive(batch)

    def _landed(self, response: Tagged) -> None:
        request = self.by_tag.get(response.tag)
        if request in self.flying:
            self.flying.remove(request)

    def _receive(self, batch: list[Any]) -> None:
        engine, listener = self.engine, self.engine.flight.listener
        tag, queued = None if listener is None else listener.tag, engine.queued
        waits, lies_ready = self._waits_for_continuation(), bool(engine.outbound.out)
        self._take(batch)
        if listener is not None and listener.phase is LISTENING:
            assert not any(isinstance(each, Untagged) and each.name == "EXISTS" for each in batch), (
                "news does not end",
                listener,
            )
        assert listener is None or listener.tag == tag or not queued, ("renewed while others wait", listener)
        if lies_ready and waits is not None and all(isinstance(each, Continuation) for each in batch):
            assert waits.awaits == "+", ("settled before it was sent", waits)
        self._note_sent()
        self._deliver()
        if self.switching is not None:
            switching, self.switching = self.switching, None
            self.engine.switched(switching, self.now)
            self._deliver()

    def _take(self, batch: list[Any]) -> None:
        self.engine.receive(batch, self.now)

    def _waits_for_continuation(self) -> Request | None:
        owner = self.engine.outbound.owner
        return owner if owner is not None and owner.awaits == "+" else None

    # the server's side

    def _answer(self, tag: bytes, rng: Random) -> tuple[list[bytes], bytes]:
        assert tag in self.by_tag, ("not a command", tag)
        request = self.by_tag[tag]
        if rng.random() < 0.1:
            return [], b" NO"
        if request.call.command.ends:
            return [b"* BYE bye"], b" OK done"
        name, count, mark = request.call.command.name, rng.randrange(4), request.mark
        lines: list[bytes] = []
        if name == "XFETCH":
            lines = [self._row(request, rng) for _ in range(count)]
        elif name == "XSTATUS":
            lines = [b"* STATUS %b %b" % (request.call.args[0].encode(), mark)] * min(count, 1)
        elif name in ("XSEARCH", "XLIST"):
            lines = [b"* %b %b" % (name[1:].encode(), mark)] * count
        request.expected = len(lines)
        return lines, b" OK done"

    @staticmethod
    def _row(request: Asked, rng: Random) -> bytes:
        about = request.call.about
        assert isinstance(about, NumberSet)
        number = rng.choice(about.starts)
        text = b"x " + request.mark + b" y"
        return b"* %d FETCH (%b UID %d)" % ((1000, text, number) if about.uid else (number, text, 5000))

    # the end

    def _drain(self) -> None:
        engine = self.engine
        for turn in range(10_000):
            if engine.closed is not None or engine.idle:
                break
            while self.questions:
                self._reply()
            moved = self._pump()
            self._serve()
            moved = bool(self.server.to_client) or moved
            self._feed(all_of_it=True)
            if not moved and turn % 7 == 6:
                self.now += 1.0
                engine.tick(self.now)
                self._deliver()
            listener = engine.flight.listener
            if turn % 500 == 499 and listener is not None and listener.phase is LISTENING:
                # It goes on for ever, if the server does not end it.
                engine.abandon(listener, self.now)
                self._deliver()
        else:
            raise AssertionError(("does not end", list(engine.flight.live), engine.queued, bytes(self.server.to_server)))
        self._deliver()

    def _check_the_end(self) -> None:
        engine = self.engine
        for request in self.commands:
            assert request in self.told, ("never told", request)
            assert request.phase is DONE, ("never over", request)
        if engine.closed is None:
            flight = engine.flight
            assert not flight.pending, flight.pending
            assert flight.gate.empty
            assert flight.listener is None
            assert flight.attribution.empty
            while self._pump():
                pass
            assert engine.outbound.empty
            assert flight.gate.steps <= 4 * len(self.commands) + 4, (flight.gate.steps, len(self.commands))
