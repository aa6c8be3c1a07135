"""Typed commands as values: what is sent, and what is made of the answer. Making a ``Wire`` sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from imapkit.core.contract.result import code_value, parse, status_text
from imapkit.core.support.shown import shown
from imapkit.core.wire.data import Defect, StatusText
from imapkit.core.wire.response import Run, Untagged
from imapkit.errors import NoAnswer

if TYPE_CHECKING:
    from imapkit.core.contract.command import Done
    from imapkit.core.contract.option import Chosen
    from imapkit.core.contract.result import Log
    from imapkit.core.contract.tables import Tables
    from imapkit.core.wire.sinks import Choose

__all__ = ["Arrivals", "Begin", "Flight", "Grammar", "Listening", "Offload", "Reading", "Reply", "Step", "Wire"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Grammar(Protocol):
    """How the answers of one connection are read."""

    @property
    def tables(self) -> Tables:
        """What the families of the client read."""
        ...

    @property
    def log(self) -> Log:
        """Where defects are noted."""
        ...

    @property
    def nesting(self) -> int:
        """``Limits.nesting``."""
        ...


class Reading:
    """Reads untagged responses by the families' grammar; for values that are read later, which need not keep the whole answer."""

    __slots__ = ("_log", "nesting", "tables")

    def __init__(self, grammar: Grammar) -> None:
        self.tables, self.nesting, self._log = grammar.tables, grammar.nesting, grammar.log

    def values(self, responses: Iterable[Untagged]) -> list[Any]:
        """What they say; what cannot be read is noted."""
        found = parse(responses, self.tables, self.nesting)
        if found.defects:
            self._log.extend(found.defects)
        return list(found)


class Reply:
    """The answer of one command: its tagged response, which is OK, and the untagged responses that belong to it."""

    __slots__ = ("_done", "_grammar")

    def __init__(self, done: Done, grammar: Grammar) -> None:
        self._done, self._grammar = done, grammar

    @property
    def text(self) -> bytes:
        """The text of the tagged response, its response code included."""
        return self._done.text

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments of the command."""
        return self._done.args

    @property
    def received(self) -> Sequence[Untagged | Run]:
        """The untagged responses; those of one name that follow one another may be one ``Run``."""
        return self._done.received

    @property
    def nesting(self) -> int:
        """How deep a value may be nested, for ``Cursor``."""
        return self._grammar.nesting

    @property
    def tables(self) -> Tables:
        """The tables by which the values are read, for ``Cursor``."""
        return self._grammar.tables

    @property
    def reading(self) -> Reading:
        """What reads the responses, for values that are read when they are first looked at."""
        return Reading(self._grammar)

    def responses(self, *names: str) -> list[Untagged]:
        """The untagged responses of these names, each for itself, in order."""
        return [response for piece in self._done.received if piece.name in names for response in piece.responses()]

    def values(self, *names: str) -> list[Any]:
        """What the untagged responses of these names say, by their families' grammar; what cannot be read is noted."""
        return self.reading.values(self.responses(*names))

    def one(self, values: Sequence[T], name: str) -> T:
        """The last of ``values``. Raises ``NoAnswer`` if the server has said OK without a response of that name."""
        if not values:
            raise NoAnswer(f"the server said OK without a readable {name} response: {shown(self.text, 200)}")
        return values[-1]

    def note(self, defects: Iterable[Defect]) -> None:
        """Note deviations of the server in ``imap.defects``."""
        self._grammar.log.extend(defects)

    def status(self) -> StatusText:
        """The tagged response's text: its code, the value of the code, and what is for people."""
        defects: list[Defect] = []
        said = status_text(self._done.text, self._grammar.tables, defects, self._grammar.nesting)
        self.note(defects)
        return said

    def codes(self) -> dict[str, Any]:
        """The response codes of the answer, by name, with their values by their families' grammar; the last of each name.

        These are the codes of untagged responses that the command owns (``Command.codes``), and the tagged response's.
        """
        defects: list[Defect] = []
        found = {code.name: code_value(code, self._grammar.tables, defects, self._grammar.nesting) for code in self._done.codes}
        self.note(defects)
        tagged = self.status()
        return {**found, tagged.code: tagged.value} if tagged.code else found


class Step(Generic[T_co]):
    """What an ``async def`` of a family may await. The face on which it was called carries it out."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, T_co]:
        return (yield self)  # type: ignore[no-any-return]


class Listening:
    """How long a command listens (IDLE): it ends after ``patience`` seconds, or never; after ``renew`` seconds it is ended and
    sent again. Any other command ends it. News do not end it: subscribers get them."""

    __slots__ = ("patience", "renew")

    def __init__(self, patience: float | None, renew: float) -> None:
        self.patience, self.renew = patience, renew


class Wire(Step[T_co]):
    """One command: its name, its arguments as its kinds take them, and what is made of its answer.

    ``parse(reply)`` runs on the thread that asks for the result, and for OK only. NO raises ``NoResponse``, or a class below
    it for some response codes; BAD raises ``BadResponse``.

    ``uid``: send it as ``UID name``. ``result``: the names of the untagged responses that belong to this call, where they differ
    from the command's. ``options``: those that other families add to the command. ``writes``: the resources of the server that
    it changes (``Command.reads``). ``reply(challenge)`` answers continuation requests. ``sink``: chooses the sinks of literals
    of its answer; such a command is sent by ``Begin`` only. ``listening``: how long a command listens that does; it is sent by
    ``Begin`` only, and no time-out of the call (``with_options``) limits it.
    """

    __slots__ = ("args", "layer", "listening", "name", "options", "parse", "reply", "result", "sink", "uid", "writes")

    def __init__(
        self,
        name: str,
        *args: Any,
        parse: Callable[[Reply], T_co],
        uid: bool = False,
        result: Sequence[str] | None = None,
        options: Sequence[Chosen] = (),
        writes: tuple[str, ...] = (),
        sink: Choose | None = None,
        reply: Callable[[bytes], bytes | None] | None = None,
        layer: Any = None,
        listening: Listening | None = None,
    ) -> None:
        self.name, self.args, self.parse, self.uid = name, args, parse, uid
        self.result = None if result is None else tuple(result)
        self.options, self.writes, self.sink, self.reply, self.layer = options, writes, sink, reply, layer
        self.listening = listening

    def __repr__(self) -> str:
        return f"<Wire {'UID ' if self.uid else ''}{self.name}>"


class Begin(Step["Flight[T]"]):
    """Sends a command without waiting for its answer: ``flight = await Begin(wire)``, and later ``await flight``."""

    __slots__ = ("wire",)

    def __init__(self, wire: Wire[T]) -> None:
        self.wire = wire


class Flight(Step[T_co]):
    """A command on its way; await it for its result. The faces' drivers make it."""

    __slots__ = ()

    @property
    def over(self) -> bool:
        """Whether its answer has come, or will not come."""
        raise NotImplementedError

    def drop(self) -> None:
        """Give the command up, unless it is over: queued it is never sent, and a late answer is dropped."""
        raise NotImplementedError

    def when_over(self, tell: Callable[[], object]) -> None:
        """Have ``tell`` called when it is over, perhaps at once; under the state lock: it may only hand over. After an
        interruption it may be called twice."""
        raise NotImplementedError

    def take(self) -> T_co:
        """The result of a command that is over. Raises the error of the command."""
        raise NotImplementedError


class Offload(Step[T_co]):
    """Runs a function that may block, such as one that reads a file, on a thread that may wait; returns its result.

    That is the caller's thread, a thread of this one future, or one of the event loop's executor. ``leave`` is called, on any
    thread, if the result is not wanted any more: it may make the function end early.
    """

    __slots__ = ("leave", "run")

    def __init__(self, run: Callable[[], T_co], leave: Callable[[], object] | None = None) -> None:
        self.run, self.leave = run, leave


class Arrivals(Protocol):
    """Events that a stream of a family takes as they arrive; see ``TypedCommands._arrivals``."""

    def take(self) -> Any:
        """The next event; None if there is none now."""
        ...

    def next_during(self, flight: Flight[Any]) -> Flight[None]:
        """To be awaited: over when there is an event, or when ``flight``, a command that listens, is over."""
        ...

    def close(self) -> None:
        """End the subscription."""
        ...
