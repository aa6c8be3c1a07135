"""The face that is awaited: the threads of the connection hand over to the event loop, and wake it once for all that has come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary, ref

from imapkit.core.contract.wires import Begin, Flight, Offload, Wire
from imapkit.core.drivers.lease import Turn
from imapkit.core.drivers.link import Sent, deadline_of, seconds_left
from imapkit.errors import DeadlineExceeded

if TYPE_CHECKING:
    from imapkit.core.contract.typed import TypedCommands

__all__ = ["one", "run", "several", "stream"]

T = TypeVar("T")


class _Bridge:
    """From other threads to one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # (Weakly: the bridge is kept as long as its loop.)
        self._loop = ref(loop)
        self._ready: deque[asyncio.Future[None]] = deque()
        self._scheduled = False

    def put(self, waiter: asyncio.Future[None]) -> None:
        """Have the task that awaits ``waiter`` go on; from any thread."""
        self._ready.append(waiter)
        loop = self._loop()
        if self._scheduled or loop is None:
            return
        self._scheduled = True
        try:
            loop.call_soon_threadsafe(self._drain)
        except RuntimeError:
            # The loop is closed: no task waits any more.
            self._ready.clear()
        except BaseException:
            # This thread was interrupted: the next call schedules it.
            self._scheduled = False
            raise

    def _drain(self) -> None:
        # In this order: what is put from here on is seen below, or schedules another call.
        self._scheduled = False
        while self._ready:
            waiter = self._ready.popleft()
            if not waiter.done():
                waiter.set_result(None)


_bridges: WeakKeyDictionary[asyncio.AbstractEventLoop, _Bridge] = WeakKeyDictionary()


def _waiter() -> tuple[asyncio.Future[None], Callable[[], None]]:
    """A future of the running loop, and the function that completes it from any thread."""
    loop = asyncio.get_running_loop()
    bridge = _bridges.get(loop)
    if bridge is None:
        bridge = _bridges[loop] = _Bridge(loop)
    waiter = loop.create_future()
    return waiter, partial(bridge.put, waiter)


async def _landed(sent: Flight[T]) -> T:
    """The result of a command, once it is over. A task that is cancelled meanwhile gives the command up."""
    if not sent.over:
        waiter, tell = _waiter()
        sent.when_over(tell)
        try:
            await waiter
        except BaseException:
            sent.drop()
            raise
    return sent.take()


async def one(obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """See ``Face.one``."""
    wire = function(obj, *args, **options)
    # (The frame would be in the traceback of an error, with an argument that may be secret.)
    del args, options
    return await _landed(await _begun(obj, wire, deadline_of(obj)))


async def _begun(obj: TypedCommands[Any], wire: Wire[T], deadline: float | None) -> Sent[T]:
    link = obj._link
    if not link.knows_capabilities:
        # (To write a command may need them; the loop must not wait for that.)
        await asyncio.get_running_loop().run_in_executor(None, link.ask_capabilities)
    sent: Sent[T] = link.begin(wire, obj._box, deadline)
    return sent


async def several(obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """See ``Face.several``."""
    return await run(obj, function(obj._within(), *args, **options), deadline_of(obj))


async def run(obj: Any, work: Any, deadline: float | None) -> Any:
    """Carry out what a family's coroutine awaits; returns its result."""
    try:
        step = work.send(None)
    except StopIteration as end:
        return end.value
    return await _run_on(obj, work, step, deadline)


async def _run_on(obj: Any, work: Any, step: Any, deadline: float | None) -> Any:
    """Carry out ``step``, which the coroutine awaits, and those after it; returns the coroutine's result."""
    try:
        while True:
            try:
                value = await _carried_out(obj, step, deadline)
            except BaseException as exc:
                step = work.throw(exc)
            else:
                step = work.send(value)
    except StopIteration as end:
        return end.value


async def _carried_out(obj: Any, step: Any, deadline: float | None) -> Any:
    if isinstance(step, Wire):
        return await _landed(await _begun(obj, step, deadline))
    if isinstance(step, Begin):
        return await _begun(obj, step.wire, deadline)
    if isinstance(step, Flight):
        return await _landed(step)
    if isinstance(step, Offload):
        return await _offloaded(step)
    if isinstance(step, Turn):
        return await _given(step, deadline)
    raise TypeError(f"a typed command awaited a {type(step).__name__}, which is no step")


async def _offloaded(step: Offload[T]) -> T:
    try:
        return await asyncio.get_running_loop().run_in_executor(None, step.run)
    except asyncio.CancelledError:
        if step.leave is not None:
            step.leave()
        raise


async def _given(turn: Turn, deadline: float | None) -> None:
    # (After an exception the coroutine leaves the line.)
    waiter, tell = _waiter()
    turn.when_given(tell)
    try:
        async with asyncio.timeout(None if deadline is None else seconds_left(deadline, "the mailbox")):
            await waiter
    except TimeoutError:
        raise DeadlineExceeded("another thread or task has the mailbox selected; nothing was sent") from None


async def stream(obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> AsyncIterator[Any]:
    """See ``Face.stream``. Each step has its own deadline: the time in between is the program's."""
    # (Most steps await nothing, and need no deadline.)
    results: Any = function(obj._within(), *args, **options)
    following = results.__anext__
    try:
        while True:
            work = following()
            try:
                step = work.send(None)
                value = await _run_on(obj, work, step, deadline_of(obj))
            except StopIteration as end:
                value = end.value
            except StopAsyncIteration:
                return
            yield value
    finally:
        await run(obj, results.aclose(), None)
