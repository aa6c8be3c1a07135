"""Who reads: the reader thread, or a caller that waits for its answer and reads it itself; one at a time, whoever has the right.

To hand an answer from one thread to another takes longer than a short command does otherwise. So when the reader has brought
answers to the same waiting thread twice running, and nothing else is in flight, it rests for a moment: the next caller leads.
It polls, with its own deadline, and takes in what comes until its own answer is there; what else it meets on the way goes where
it belongs. The reader comes back when a moment has passed in which nobody read, and whenever something is in flight that nobody
reads for: a command with a callback, another thread's, or a long answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from imapkit.core.dispatcher import Dispatcher, Role, play
from imapkit.core.intake import Intake
from imapkit.core.layers import Layers
from imapkit.core.pace import SECONDS, Pace
from imapkit.core.protocol import Protocol
from imapkit.core.request import Request
from imapkit.errors import ConnectionClosed, RemoteProtocolError, error, lost_error

__all__ = ["Reading", "silences"]

_READ_SIZE = 1 << 16
"""Memory for more than 128 KiB is mapped and unmapped for each read, which costs more than a short answer does."""
_LARGE_READ_SIZE = 1 << 18
_LITERAL_READ_SIZE = 1 << 20
_REST = 0.005
"""Seconds: so late is noticed, at most, what a server says of its own accord right after an answer."""
_POLL = 1.0
"""Seconds: so late a caller that polls notices, at most, that it leads no more, a signal handler having issued a command."""
_LONG = 1e6
_SILENCE, _LONGEST_SILENCE = 0.25, 8.0
_SHORT = 2
"""So many reads bring a short answer; a longer one is for the reader."""


def silences() -> Iterator[float]:
    """Seconds after which a server that owes answers and is silent is prodded: each time in the same silence more."""
    silence = _SILENCE
    while True:
        yield silence
        silence = min(2 * silence, _LONGEST_SILENCE)


class Reading:
    """The right to read one connection; ``fail`` ends it, ``prod`` has a server look again at what it was sent."""

    def __init__(
        self,
        layers: Layers,
        protocol: Protocol,
        intake: Intake,
        dispatcher: Dispatcher,
        fail: Callable[[error], None],
        prod: Callable[[], None],
        name: str,
    ) -> None:
        self._layers, self._protocol, self._intake, self._dispatcher, self._fail = layers, protocol, intake, dispatcher, fail
        self._prod = prod
        self._name = f"{name} reader"
        self._size = _READ_SIZE
        self._pace = Pace()
        # Not a lock: of one that is taken only if it is free nobody can say, once a signal handler has raised, who took it.
        self._right: dict[None, Request | threading.Thread] = {}
        self._leads = 0
        self._torn = False
        """Octets have been read, and may not have been understood."""
        self.taker = 0
        """The ident of the thread that takes octets in: it may hold the state lock, and must not wait for an answer."""
        self._served = 0
        self._resting = self._wanted = False
        self._call = threading.Lock()
        """The latch that calls the reader back."""
        self._call.acquire()
        self.thread = threading.Thread(target=play, args=(self._serve,), name=self._name, daemon=True)

    # a caller's way

    def lead(self, request: Request, latch: threading.Lock) -> None:
        """Read until ``latch`` opens, or the command ends or is late or due; returns at once if somebody else reads."""
        if self._layers.transport.ready is None or request.call.command.layer is not None:
            # The handshake of a layer must not end half way because somebody interrupts a caller.
            self.call()
            return
        returns = False
        try:
            if self._right.setdefault(None, request) is request:
                self._leads += 1
                returns = self._follow(request, latch)
        finally:
            # Up to where it is given back nothing is called, so that no signal handler can come in between.
            try:
                leads = self._right[None] is request
            except KeyError:
                leads = False
            if leads:
                del self._right[None]
                # The reader says what it wants and then looks whether the right is held, so it is not missed here.
                if self._wanted or self._is_anything_left(request if returns else None):
                    self.call()

    def abdicate(self) -> None:
        """If this thread leads, a signal handler has interrupted it as it polled, and may wait for anything: the reader reads."""
        holder = self._right.get(None)
        if isinstance(holder, Request) and holder.thread == threading.get_ident():
            del self._right[None]
            self.call()

    def call(self) -> None:
        """Have the reader read, if it rests."""
        if self._resting:
            Request.open(self._call)

    def _is_anything_left(self, request: Request | None) -> bool:
        """Whether more is in flight than the command of somebody who will be back."""
        return len(self._protocol.pending) > (request is not None and not request.complete) or self._protocol.closed is not None

    def _follow(self, request: Request, latch: threading.Lock) -> bool:
        """Read; whether the caller sees to what is left of the command, which is the reader's otherwise."""
        ready, reads = self._layers.transport.ready, 0
        assert ready is not None
        self._size = _READ_SIZE
        self._check()
        while latch.locked() and not request.complete:
            rest = request.rest()
            if not ready(min(rest, _POLL)):
                if not rest:
                    return True
                if self._layers.filler is not None:
                    # To prod the server is the reader's.
                    return False
            elif reads == _SHORT:
                return False
            elif self._take(request):
                reads += 1
            else:
                return False
        return True

    def _take(self, request: Request) -> bool:
        """Read for ``request``, once; False if the right has gone to the reader."""
        # From here on a signal handler's command is refused, and the right stays where it is.
        self.taker, self._torn = threading.get_ident(), True
        try:
            if self._right.get(None) is not request:
                self._torn = False
                return False
            self._read()
        finally:
            self.taker = 0
        self._torn = False
        return True

    def _check(self) -> None:
        """End the connection if somebody was interrupted as he took in what he had read."""
        if self._torn:
            for request in self._intake.waking:
                request.wake()
            self._fail(ConnectionClosed("somebody was interrupted as an answer was taken in"))

    # the reader's

    def _serve(self) -> Role | None:
        self.thread = threading.current_thread()
        self.thread.name = self._name
        role = None
        try:
            self._take_right()
            self._dispatcher.collect()
            role = self._read_on()
        except BaseException as caught:
            # SystemExit, too: a plugin's function, or a subclass's read, can raise anything.
            self._fail(_reason(caught))
        finally:
            if role is None:
                # The right is kept: there is nothing to read any more.
                self._layers.transport.close()
                self.taker = 0
                self._dispatcher.let_go(None)
        return role

    def _read_on(self) -> Role | None:
        """Read until the end, or until this thread is to do something else."""
        self._intake.take_left()
        while self._protocol.closed is None:
            self._wait()
            self._read()
            if self._dispatcher.collected:
                self._pace.callbacks()
                change = self._dispatcher.let_go(self._serve)
                if change is not None:
                    role, self.thread = change
                    self._give_away()
                    return role
            elif self._is_served():
                self._rest()
        return None

    def _wait(self) -> None:
        """Before a read: while no answer is expected, without the memory that it takes; where many are, until some have come.

        There may be hundreds of connections on which nothing happens. And who has many commands in flight gets the answers sooner
        if the thread that sends is not stopped for each of them. One that owes answers and is silent is prodded.
        """
        transport, protocol = self._layers.transport, self._protocol
        if self._size == _READ_SIZE and self._pace.lets_gather(len(protocol.pending), protocol.sent):
            # (After a full read there is more already.)
            transport.gather(SECONDS)
            self._pace.gathered(protocol.sent)
        if transport.ready is None:
            return
        if self._layers.filler is not None:
            self._break_silence(transport.ready)
        if not self._is_owed():
            transport.ready(_LONG)

    def _is_owed(self) -> bool:
        """Whether an answer is expected."""
        listener = self._protocol.listener
        return len(self._protocol.pending) != (listener is not None and listener.goes_on)

    def _break_silence(self, ready: Callable[[float], bool]) -> None:
        for silence in silences():
            # (Each time anew: it may be owed none after all.)
            if not self._is_owed() or ready(silence):
                return
            self._prod()

    def _take_right(self) -> None:
        self._resting, me = True, threading.current_thread()
        while self._right.setdefault(None, me) is not me:
            self._wanted = True
            if None in self._right:
                # Whoever leads calls as he leaves, unless he is interrupted just then.
                self._call.acquire(timeout=_POLL)
        self._resting = self._wanted = False
        self.taker = threading.get_ident()
        self._check()

    def _give_away(self) -> None:
        self.taker, self._resting = 0, True
        del self._right[None]
        if self._wanted:
            # Whoever stands in has been quicker, and waits.
            self.call()

    def _is_served(self) -> bool:
        """Whether the same thread as the last time has its answer, and may soon ask again: then it could read by itself."""
        before, served = self._served, self._intake.served
        self._served, self._intake.served = served or before, 0
        return served == before != 0 and self._is_quiet() and self._layers.transport.ready is not None

    def _is_quiet(self) -> bool:
        return not self._protocol.pending and self._protocol.closed is None

    def _rest(self) -> None:
        """Let callers read for themselves, until nobody has for a moment."""
        leads = self._leads
        self._give_away()
        # Who has found the right taken up to now waits, and his command is in flight. From now on whoever leads calls if he
        # leaves something in flight.
        if self._is_quiet():
            while not self._call.acquire(timeout=_REST) and leads != self._leads:
                leads = self._leads
        self._take_right()

    def _read(self) -> None:
        """Read once, and take in what has come; whatever goes wrong with it ends the connection."""
        try:
            data = self._receive()
            self._size = _LARGE_READ_SIZE if len(data) >= _READ_SIZE else _READ_SIZE
            if data:
                self._intake.take_in(data)
            else:
                reason = self._intake.end()
                self._intake.take_torn()
                self._fail(reason)
        except Exception as caught:
            self._fail(_reason(caught))

    def _receive(self) -> bytes:
        """What has come; b"" at the end."""
        try:
            return self._layers.transport.read(_LITERAL_READ_SIZE if self._intake.missing > _LARGE_READ_SIZE else self._size)
        except OSError:
            self._intake.take_torn()
            raise


def _reason(caught: BaseException) -> error:
    """What an exception means for the connection."""
    if isinstance(caught, error):
        return caught
    if isinstance(caught, OSError):
        return lost_error(caught, "connection lost")
    reason = RemoteProtocolError(f"internal error while reading: {caught!r}")
    reason.__cause__ = caught
    return reason
