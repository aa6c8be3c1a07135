"""Mistakes, one for each rule of the gate, of attribution and of the phases: the model must find every one of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from imapkit.core.engine import attribution, engine, exchange, flight, gate, inbound, lanes, outbound, request, resources, upload

__all__ = ["MISTAKES", "Mistake", "seeded"]


class Mistake(NamedTuple):
    """``old`` becomes ``new`` in the source of ``module``; ``shown_by``: the kind of episode that finds it first, "" for any."""

    rule: str
    module: ModuleType
    old: str
    new: str
    shown_by: str = ""


MISTAKES = (
    Mistake(
        "an exclusive command is alone in flight",
        gate,
        "while members and not (segment.exclusive and self.live):",
        "while members:",
    ),
    Mistake(
        "sequence numbers begin a segment behind EXPUNGE", lanes, "return not (call.seqnums and self.expungers)", "return True"
    ),
    Mistake("a segment waits for EXPUNGE to be over", gate, "first.waiting or first.expungers or", "first.waiting or"),
    Mistake("no segment overtakes", gate, "first.waiting or first.expungers or", "first.expungers or"),
    Mistake(
        "nothing follows an exclusive command in flight",
        gate,
        " or (first.exclusive and first.live)",
        "",
    ),
    Mistake(
        "EXPUNGE is held until sequence numbers are sent",
        lanes,
        "return self.unsent > bool(call.seqnums)",
        "return False",
    ),
    Mistake(
        "what was held is let go",
        gate,
        "while held and (held[0].withdrawn or not segment.must_hold(held[0].call)):",
        "while False:",
    ),
    Mistake("what was withdrawn holds nothing", gate, "held[0].withdrawn or not", "not"),
    Mistake("what waited for others to land is opened", gate, "or self._first.exclusive:", ":"),
    Mistake(
        "a withdrawn command lets go of its lanes",
        gate,
        "self.live -= 1\n            self._leave_lanes(command)",
        "self.live -= 1",
    ),
    Mistake("a command without a subject waits for all", lanes, "if self._granted:", "if False:"),
    Mistake(
        "a command has no subject in a response that its call alone awaits",
        lanes,
        "return None if self._name in call.added else call.about",
        "return call.about",
    ),
    Mistake("a command enters the lanes of its call", gate, "for name in call.awaits:", "for name in call.command.result:"),
    Mistake("a reader follows the last writer", resources, "if self._written:", "if False:"),
    Mistake("a writer follows all readers", resources, "elif self._readers:", "elif False:"),
    Mistake("nothing passes a writer that waits", resources, "if self._tail or not self._try", "if not self._try"),
    Mistake("a withdrawn command reads nothing", resources, "if not head.withdrawn:", "if True:"),
    Mistake(
        "a writer that has ended lets the readers in", resources, "self._written = False\n        else", "pass\n        else"
    ),
    Mistake("nothing passes a command without a subject", lanes, "elif self._anything:", "elif False:"),
    Mistake(
        "a tail is not overtaken",
        lanes,
        "if self._tail:\n            self._tail = joined(self._tail, command)\n            return False",
        "if False:\n            pass",
    ),
    Mistake(
        "equal subjects follow one another",
        lanes,
        "elif subject in self._keys:\n            self._park(subject, command)\n            return False",
        "elif False:\n            pass",
    ),
    Mistake(
        "the next of equal subjects is let in",
        lanes,
        "waiting = self._keys.pop(subject)",
        "waiting = self._keys.pop(subject) and None",
    ),
    Mistake("number sets that meet follow one another", lanes, "elif self.spans.meets(subject):", "elif False:"),
    Mistake("equal parts of a message follow one another", lanes, "if parts is None or part in parts:", "if parts is None:"),
    Mistake(
        "a part of a message follows the whole",
        lanes,
        "parts = self.parts.get(number)\n        if",
        "parts = self.parts.setdefault(number, set())\n        if",
    ),
    Mistake(
        "the whole of a message follows its parts",
        lanes,
        "if parts:\n                return",
        "if False:\n                pass",
    ),
    Mistake(
        "nothing passes a set that may hold any number",
        lanes,
        "if self.loose:\n            return False",
        "if False:\n            pass",
    ),
    Mistake(
        "a set that may hold any number waits for all",
        lanes,
        "if self.spans.starts:\n                return False",
        "if False:\n                pass",
    ),
    Mistake(
        "numbers and UIDs are not compared", lanes, "or not other.empty or not own.grant(subject):", "or not own.grant(subject):"
    ),
    Mistake("a number set joins no key", lanes, "if self._keys or not other.empty", "if not other.empty"),
    Mistake("a key joins no number set", lanes, "if not (self._numbers.empty and self._uids.empty):", "if False:"),
    Mistake("keys of two types are not compared", lanes, "elif type(subject) is not self._type:", "elif False:"),
    Mistake("an exclusive command joins nothing", lanes, "return not self.live", "return True"),
    Mistake("a command does not hold itself", lanes, "self.unsent > bool(call.seqnums)", "self.unsent > 0"),
    Mistake(
        "a withdrawn command lets the next segment in",
        gate,
        "self._leave_lanes(command)\n        self._advance()",
        "self._leave_lanes(command)",
    ),
    Mistake(
        "a withdrawn command is not opened",
        gate,
        "if not command.withdrawn:\n                self._open(command)",
        "self._open(command)",
    ),
    Mistake(
        "a withdrawn command brings no EXPUNGE",
        gate,
        "if command.call.expunges:\n            segment.expungers",
        "if command.call.expunges and not command.withdrawn:\n            segment.expungers",
    ),
    Mistake(
        "a command is ready once all lanes have granted it",
        gate,
        "if not command.blocks:\n                self.ready",
        "if True:\n                self.ready",
    ),
    Mistake("a parked command that was withdrawn is passed over", lanes, "if not following.withdrawn:", "if True:"),
    Mistake("a command of the tail that was withdrawn is passed over", lanes, "if not head.withdrawn:", "if True:"),
    Mistake(
        "only a command that has been sent is answered",
        attribution,
        "if not request.sent:\n                continue\n            call = request.call\n            if",
        "call = request.call\n            if",
    ),
    Mistake(
        "a command without a subject takes every response of its name",
        attribution,
        'return request, "", False\n            verdict',
        "pass\n            verdict",
    ),
    Mistake(
        "a command takes every response of a name that its call alone awaits",
        attribution,
        " or response.name in call.added",
        "",
    ),
    Mistake(
        "perhaps is better than none",
        attribution,
        "if verdict is None:\n                likely.append(request)\n            el",
        "if verdict is None:\n                pass\n            el",
    ),
    Mistake(
        "perhaps is not for certain",
        attribution,
        "if verdict is None:\n                likely.append(request)\n            el",
        "",
    ),
    Mistake("what is only possible is not for certain", attribution, "elif isinstance(verdict, str):", "elif False:"),
    Mistake("a possible answer is better than none", attribution, "possible.append((request, verdict))", "pass"),
    Mistake(
        "likely goes before possible", attribution, "for request in likely] or possible", "for request in likely] + possible"
    ),
    Mistake(
        "possible does not go before likely", attribution, "for request in likely] or possible", "for request in ()] + possible"
    ),
    Mistake(
        "what may be the answer of several is given to none",
        attribution,
        "for request in likely] or",
        "for request in likely[:1]] or",
    ),
    Mistake(
        "what is possibly the answer of several is given to none", attribution, "likely] or possible", "likely] or possible[:1]"
    ),
    Mistake(
        "a code belongs to a command that has been sent",
        attribution,
        "if not request.sent:\n                continue\n            call = request.call\n            matches",
        "call = request.call\n            matches",
    ),
    Mistake(
        "a code that matches belongs to its command",
        attribution,
        "if verdict:\n                return request",
        "if False:\n                pass",
    ),
    Mistake(
        "perhaps is better than none for a code",
        attribution,
        "if verdict is None:\n                likely.append(request)\n        return",
        "return",
    ),
    Mistake(
        "a code that may be of several commands is of none",
        attribution,
        "likely[0] if len(likely) == 1 else None",
        "likely[0] if likely else None",
    ),
    Mistake("a code that a command owns is in its answer", inbound, "owner.codes.append(code)", "pass"),
    Mistake("a response goes to the command whose tag it names", inbound, "named=bool(tag))", "named=False)"),
    Mistake(
        "a response names the tag of a command that awaits it", attribution, "owner in awaiting and owner.sent", "owner.sent"
    ),
    Mistake(
        "a response names the tag of a command that was sent",
        attribution,
        "owner in awaiting and owner.sent",
        "owner in awaiting",
    ),
    Mistake("a response without a tag is that of the only command", attribution, "if len(sent) == 1:", "if False:"),
    Mistake(
        "a response without a tag answers a command that was sent",
        attribution,
        "for request in awaiting if request.sent), 2",
        "for request in awaiting), 2",
    ),
    Mistake(
        "a response that no command asked for is left to the subscribers",
        inbound,
        "self._add_unasked(response.name, response)\n        elif",
        "pass\n        elif",
    ),
    Mistake("the code of no command is left to the subscribers", inbound, 'self._add_unasked(f"[{code.name}]", code)', "pass"),
    Mistake(
        "what turns out to be no answer is left to the subscribers",
        inbound,
        'if request.typ == "OK":\n                    self._add_unasked',
        "if False:\n                    self._add_unasked",
    ),
    Mistake(
        "what came before a boundary is left to the subscribers",
        inbound,
        "for response in piece.responses():\n                self._add_unasked",
        "for response in ():\n                self._add_unasked",
    ),
    Mistake("a boundary parts an answer", inbound, "if known is not None and known.boundary:", "if False:"),
    Mistake("what came before a boundary is kept", inbound, "self._release(before)", "pass"),
    Mistake(
        "of number sets there is an answer for each message",
        attribution,
        "if isinstance(request.call.about, NumberSet):",
        "if False:",
    ),
    Mistake("a doubtful answer gives way", attribution, 'asked for", True', 'asked for", False'),
    Mistake("a command that is over awaits nothing", attribution, "awaiting.pop(request, None)", "pass"),
    Mistake("a run is given to a command that has been sent", inbound, "return owner if owner.sent else None", "return owner"),
    Mistake(
        "a run is taken whole only if all of it is the answer",
        inbound,
        "if claims is None or not self._plugins.ask(owner, holds, claims, call.about, run):",
        "if False:",
    ),
    Mistake(
        "a doubtful answer gives way to one before or behind it",
        inbound,
        'if request.received or request.typ != "OK":',
        'if request.typ != "OK":',
    ),
    Mistake(
        "a refused command has no doubtful answer", inbound, 'if request.received or request.typ != "OK":', "if request.received:"
    ),
    Mistake("a doubtful answer counts if there is no better one", inbound, "request.received.append(response)", "pass"),
    Mistake("a refused command gives back what came", inbound, "self._release(request.received)", "pass"),
    Mistake(
        "a response that no command awaits is stored",
        inbound,
        "if owner is None:\n            self._keep(response.name, response, response.memory)",
        "if owner is None:\n            pass",
    ),
    Mistake(
        "an orphan collects nothing",
        inbound,
        "if not owner.abandoned:\n            owner.received.append(piece)",
        "if True:\n            owner.received.append(piece)",
    ),
    Mistake(
        "an orphan keeps its place",
        engine,
        'request.move("abandon")',
        'request.move("abandon"); request.move("answer"); self._flight.land(request)',
    ),
    Mistake("an orphan's question is answered", engine, 'elif request.awaits == "ask":', "elif False:"),
    Mistake("a command that comes ends IDLE", engine, 'self.outbound.interrupt(listener, "turn")', "pass", shown_by="Episode"),
    Mistake("IDLE ends at once when something waits", outbound, 'else "turn" if flight.gate.queued else ""', 'else ""'),
    Mistake(
        "IDLE is renewed only when its interrupt was sent",
        inbound,
        "if request.phase is not IN_FLIGHT:",
        "if False:",
        shown_by="HostileEpisode",
    ),
    Mistake(
        "news ends IDLE",
        inbound,
        'self._outbound.interrupt(request, "news")',
        "pass",
    ),
    Mistake("an answer ends the exchange", outbound, "request.end_exchange()", "pass", shown_by="HostileEpisode"),
    Mistake(
        "the wire is free once all is sent",
        outbound,
        "self.owner = None\n        if request.phase is SENDING:",
        "if request.phase is SENDING:",
    ),
    Mistake(
        "one exchange at a time",
        outbound,
        "or not may_begin or self.owner is not None or",
        "or not may_begin or",
    ),
    Mistake(
        "all but the last bytes leave the command unsent",
        outbound,
        "request if wanted.complete else None",
        "request",
        shown_by="HostileEpisode",
    ),
    Mistake(
        "a literal waits for its continuation",
        exchange,
        "yield Send(bytes(out))\n            yield CONTINUE",
        "yield Send(bytes(out))",
    ),
    Mistake("no more than the bound is in flight", outbound, " and len(flight.pending) < self.high and", " and"),
    Mistake(
        "a late command in the queue is not sent",
        flight,
        'request.move("abandon")\n        self.gate.withdraw(request)',
        'request.move("abandon")',
    ),
    Mistake("each waiter is notified once", flight, "if not request.released:", "if True:"),
    Mistake(
        "a waiter is notified before that is noted",
        flight,
        "effects.done.append(request)\n            effects.due = True\n            request.released = True",
        "request.released = True\n            effects.done.append(request)\n            effects.due = True",
    ),
    Mistake(
        "a command is live until it has been told",
        flight,
        "if not request.released:",
        "self.live.pop(request, None)\n        if not request.released:",
    ),
    Mistake("a listener that is over is none", flight, "if self.listener is request:", "if False:"),
    Mistake(
        "a continuation settles nothing while bytes lie ready",
        outbound,
        'request.awaits != "+" or self.out',
        'request.awaits != "+"',
        shown_by="HostileEpisode",
    ),
    Mistake("an orphan's later questions are answered", outbound, "if request.abandoned:", "if False:"),
    Mistake("news before the continuation end IDLE", outbound, '"news" if request.news else ', "", shown_by="DeadServerEpisode"),
    Mistake(
        "an orphan that is let listen is ended", outbound, '"abandoned" if request.abandoned else ', "", shown_by="HostileEpisode"
    ),
    Mistake(
        "a command that is answered early waits no more",
        outbound,
        "if request.phase is SENDING and not request.accepted:",
        "if False:",
    ),
    Mistake(
        "a command leaves the queue once",
        outbound,
        "if not request.accepted:\n                self.flight.gate.sent(request)",
        "self.flight.gate.sent(request)",
    ),
    Mistake("a command that was dropped is not sent", outbound, "ready[at].phase is not QUEUED:", "False:"),
    Mistake(
        "the last words are awaited for a moment only", engine, "self._send_error[1] <= now", "self._send_error[1] + 1e9 <= now"
    ),
    Mistake("OK before all was sent is fatal", inbound, "if not request.sent:", "if False:"),
    Mistake(
        "only a refresh renews IDLE",
        inbound,
        'if request.interrupted_by == "refresh" and self',
        "if request.interrupted_by and self",
    ),
    Mistake(
        "any other reason takes the place of a refresh",
        request,
        'if not before or before == "refresh" or',
        "if not before or",
        shown_by="DeadServerEpisode",
    ),
    Mistake("a renewed command has one tag", flight, "if request.tag:\n            del pending[request.tag]", "pass"),
    Mistake("a layer that is there pends no more", flight, "self.layer_pending = False\n        self.gate", "self.gate"),
    Mistake("a command that was answered frees its place", flight, "self.gate.land(request)", "pass"),
    Mistake(
        "a command in flight is late after the window",
        flight,
        "moment = max(shared, request.progress) + self.window",
        'moment = float("inf")',
        shown_by="DeadServerEpisode",
    ),
    Mistake(
        "what a source has announced is sent although it is refused",
        upload,
        "while rest := self.source.size - self.sent:",
        "while rest := 0:",
    ),
    Mistake(
        "a source leaves behind its announcement",
        exchange,
        'if out:\n                yield Send(bytes(out))\n            yield Send(b"", source',
        'yield Send(b"", source',
    ),
    Mistake(
        "a layer is switched on before more is taken in",
        inbound,
        "flight.effects.switch, flight.effects.due = request, True\n            return",
        "flight.effects.switch, flight.effects.due = request, True",
    ),
)


@contextmanager
def seeded(mistake: Mistake) -> Iterator[None]:
    """The module's classes with the mistake in them, for as long as this lasts."""
    module, source = mistake.module, inspect.getsource(mistake.module)
    assert source.count(mistake.old) == 1, (mistake.rule, source.count(mistake.old))
    namespace: dict[str, Any] = {"__name__": module.__name__}
    exec(compile(source.replace(mistake.old, mistake.new), f"{module.__file__} with a mistake", "exec"), namespace)
    before = _swap(module, namespace)
    try:
        yield
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)


def _swap(module: ModuleType, namespace: dict[str, Any]) -> list[tuple[Any, str, Any]]:
    """Put the functions of ``namespace`` in place of the module's own; returns what was there."""
    before: list[tuple[Any, str, Any]] = []
    for name, found in list(namespace.items()):
        real = getattr(module, name, None)
        if getattr(real, "__module__", None) != module.__name__:
            continue
        if isinstance(real, type):
            namespace[name] = real
            for attribute, value in vars(found).items():
                if isinstance(value, (FunctionType, staticmethod, property)):
                    before.append((real, attribute, vars(real)[attribute]))
                    setattr(real, attribute, value)
        elif isinstance(real, FunctionType):
            before.append((module, name, real))
            setattr(module, name, found)
    return before
