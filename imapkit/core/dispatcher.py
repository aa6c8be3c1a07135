"""The callback thread: results of commands that nobody waits for are made, and handed over, here.

What such a command needs done in time (an end to its patience, or to a connection on which it is late) is done here, too, once
the clock has found it. The thread is started for the first job, and ends when there has been none for a while.

To hand a job from the thread that reads to this one takes longer than a small job does. So if this one has nothing to do, the two
change places: this one reads on, and the one that has read runs the jobs.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from math import inf
from typing import Any, NamedTuple

from imapkit.core.clock import CLOCK, Clock
from imapkit.core.log import logger
from imapkit.core.request import Request
from imapkit.errors import error

__all__ = ["Dispatcher"]

Job = Callable[[], object]
Role = Callable[[], Any]
"""What a thread does, until it is over (None is returned) or the thread is to do something else (that is returned)."""

_LINGER = 5.0
"""Seconds without a job after which the thread ends; to start it anew takes some 100 us."""
_RETRY = 1.0
"""When there can be no more threads: seconds until the next try."""


class _StandIn(NamedTuple):
    """Not a job: ``thread`` is to do this from now on."""

    role: Role
    thread: threading.Thread


def play(role: Role | None) -> None:
    """What a thread that can change its role runs."""
    while role is not None:
        role = role()


class Dispatcher:
    """Runs jobs one after the other on one thread."""

    def __init__(
        self,
        name: str,
        late: Callable[[Request], None],
        watched: Callable[[], Iterable[Request]],
        clock: Clock = CLOCK,
        linger: float = _LINGER,
    ) -> None:
        self._name, self._late, self._watched, self._clock, self._linger = name, late, watched, clock, linger
        self._jobs: queue.SimpleQueue[Job | _StandIn | None] = queue.SimpleQueue()
        self._put = self._ran = 0
        """How many jobs have been put, and how many of them have been run."""
        self._collecting = 0
        self.collected: deque[Job] = deque()
        """What the thread that collects has posted."""
        self._lock = threading.Lock()
        self._next_look = inf
        """The clock has been asked for a look at this moment, or before it."""
        self._thread: threading.Thread | None = None
        self._beginner: threading.Thread | None = None
        """The thread that is being started."""
        self._stopped = False
        self._ended = True
        """The thread has taken its last job; it may be alive for a moment yet."""

    @property
    def held(self) -> bool:
        """Whether somebody is putting a job, or asking the clock, just now."""
        return self._lock.locked()

    def watch(self, request: Request) -> None:
        """Keep the time of ``request``, which is in flight, until it is over."""
        request.watched = True
        self._ask(request.deadline())

    def _ask(self, moment: float) -> None:
        if moment >= self._next_look:
            # It will be looked at in time, with those before it.
            return
        with self._lock:
            if not self._stopped and moment < self._next_look:
                # In this order: an interruption between the two must not leave a moment that nobody waits for.
                try:
                    self._clock.at(moment, self)
                except RuntimeError as exc:
                    raise error(f"no thread can be had to keep the time of commands: {exc}") from exc
                self._next_look = moment

    def look(self, now: float) -> None:
        """Have those seen to who are late; the others are looked at again when the first of them may be."""
        with self._lock:
            # From here on whoever is watched sees to it that it is looked at in time.
            self._next_look = inf
            self._begin_if_owed()
        earliest, late = inf, []
        for request in self._watched():
            deadline = request.deadline()
            if deadline <= now:
                request.watched = False
                late.append(request)
            else:
                earliest = min(earliest, deadline)
        if late:
            self.post(partial(self._see_to, late))
        self._ask(earliest)

    def _see_to(self, late: list[Request]) -> None:
        for request in late:
            _run(partial(self._late, request))
            if not request.complete and not request.watched:
                self.watch(request)

    def post(self, job: Job) -> None:
        """Have ``job`` run; what it raises is logged. After the end, too, it runs on a thread of its own.

        Whoever posts it may be the reader, which a callback must not hold up.
        """
        with self._lock:
            if self._collecting == threading.get_ident():
                self.collected.append(job)
                return
            self._add_collected()
            self._add(job)

    def _add_collected(self) -> None:
        """What has been collected comes first."""
        while self.collected:
            # In this order: whoever is interrupted here must not lose what is another's.
            self._add(self.collected[0])
            self.collected.popleft()

    def _add(self, job: Job) -> None:
        if self._ended:
            self._begin_or_owe()
        # In this order: whoever is interrupted between the two leaves a count that is too high (then no two threads change places
        # any more), and not a job that is put a second time.
        self._put += 1
        self._jobs.put(job)
        if self._stopped:
            self._jobs.put(None)

    def _begin_or_owe(self) -> None:
        """Start the thread; if there is none to be had, the jobs wait in the queue, and the clock has it tried again."""
        try:
            self._begin()
        except RuntimeError as exc:
            logger().warning("no thread can be had for callbacks and late commands, which wait: %s", exc)
            with contextlib.suppress(RuntimeError):
                self._clock.at(time.monotonic() + _RETRY, self)

    def _begin_if_owed(self) -> None:
        if self._ended and not self._jobs.empty():
            self._begin_or_owe()

    def collect(self) -> None:
        """Keep what this thread posts, until it lets go."""
        self._collecting = threading.get_ident()

    def let_go(self, role: Role | None) -> tuple[Role, threading.Thread] | None:
        """Have run what was collected; if this thread is to do so, its next role is returned, and who does ``role`` instead."""
        with self._lock:
            other = self._thread
            if role is None:
                self._collecting = 0
            if role is None or other is None or self._ended or self._stopped or self._put != self._ran:
                self._add_collected()
                return None
            jobs, self.collected = self.collected, deque()
            self._put += len(jobs)
            self._collecting, self._thread = 0, threading.current_thread()
            self._jobs.put(_StandIn(role, other))
        jobs.reverse()
        return partial(self._serve, jobs), other

    def stop(self, patience: float | None) -> None:
        """End the thread once it has run what is left; wait so many seconds for that, unless called on it."""
        if self._next_look < inf:
            self._clock.forget(self)
        with self._lock:
            self._begin_if_owed()
            thread = self._thread
            if not self._stopped:
                self._stopped = True
                self._jobs.put(None)
        if patience is not None and thread is not None and thread is not threading.current_thread():
            thread.join(patience)
            if thread.is_alive():
                logger().warning("a callback is still running after the connection has ended")

    def _begin(self) -> None:
        """Start the thread. Under the lock."""
        self._beginner = thread = threading.Thread(target=play, args=(self._enter,), name=self._name, daemon=True)
        try:
            thread.start()
            self._thread, self._ended = thread, False
        except BaseException:
            # Whoever is interrupted here cannot know whether it has been started: if so, it goes.
            self._beginner = None
            raise

    def _enter(self) -> Role | None:
        with self._lock:
            begins = self._beginner is threading.current_thread()
            if begins:
                self._beginner = None
        return self._serve(deque()) if begins else None

    def _is_the_end(self) -> bool:
        with self._lock:
            self._ended = self._jobs.empty()
            if self._ended and not self._stopped:
                # Nobody need wait for it, and its stack can go.
                self._thread = None
            return self._ended

    def _serve(self, jobs: deque[Job]) -> Role | None:
        """Run ``jobs``, the last of them first, and then what comes."""
        threading.current_thread().name = self._name
        while True:
            job = jobs.pop() if jobs else self._next()
            if isinstance(job, _StandIn):
                if job.thread is not threading.current_thread():
                    # This thread has been quicker than the one that was to stand in for it: all is as before.
                    self._thread = job.thread
                return job.role
            if job is not None:
                _run(job)
                self._ran += 1
                # While this thread waits it must not keep alive what the job did: a client that nobody holds must go.
                del job
            elif self._is_the_end():
                return None

    def _next(self) -> Job | _StandIn | None:
        try:
            return self._jobs.get(timeout=self._linger)
        except queue.Empty:
            return None


def _run(job: Job) -> None:
    try:
        job()
    except BaseException:
        # Neither sys.exit() in a callback nor a handler of the program's that breaks may end this thread: others wait for it.
        with contextlib.suppress(Exception):
            logger().exception("a callback raised")
