"""The face whose calls block: everything runs on the caller's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from imapkit.core.contract.wires import Begin, Flight, Offload, Wire
from imapkit.core.drivers.lease import Turn
from imapkit.core.drivers.link import deadline_of
from imapkit.core.threads.waiters import open_latch

if TYPE_CHECKING:
    from imapkit.core.contract.typed import Face, TypedCommands

__all__ = ["BLOCKING", "run"]


class _Blocking:
    """See ``Face``."""

    def one(self, obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        wire = function(obj, *args, **options)
        # (The frame would be in the traceback of an error, with an argument that may be secret.)
        del args, options
        return obj._link.perform(wire, obj._box, deadline_of(obj))

    def several(self, obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return run(obj, function(obj._within(), *args, **options), deadline_of(obj))

    def stream(self, obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return _iterate(obj, function(obj._within(), *args, **options))


def _iterate(obj: TypedCommands[Any], results: Any) -> Iterator[Any]:
    # (Each step has its own deadline: the time in between is the program's. Most steps await nothing, and need none.)
    following = results.__anext__
    try:
        while True:
            work = following()
            try:
                step = work.send(None)
                _run_on(obj, work, step, deadline_of(obj))
            except StopIteration as end:
                value = end.value
            except StopAsyncIteration:
                return
            except Exception:
                raise
            except BaseException:
                _end(work)
                raise
            yield value
    finally:
        run(obj, results.aclose(), None)


def run(obj: Any, work: Any, deadline: float | None) -> Any:
    """Carry out what a family's coroutine awaits, on this thread; returns its result."""
    # (In a function of its own: CPython leaves the beginning of an inner ``try`` out of the outer one.)
    try:
        return _run(obj, work, deadline)
    except Exception:
        raise
    except BaseException:
        # This thread was interrupted between two steps. (The exception may keep the coroutine alive for long.)
        _end(work)
        raise


def _run(obj: Any, work: Any, deadline: float | None) -> Any:
    try:
        _run_on(obj, work, work.send(None), deadline)
    except StopIteration as end:
        return end.value


def _run_on(obj: Any, work: Any, step: Any, deadline: float | None) -> NoReturn:
    """Carry out ``step``, which the coroutine awaits, and those after it, until it raises ``StopIteration`` with its result."""
    while True:
        try:
            value = _carried_out(obj, step, deadline)
        except BaseException as exc:
            step = work.throw(exc)
        else:
            step = work.send(value)


def _end(work: Any) -> None:
    # (``close`` of a step of an asynchronous generator does not reach the generator before Python 3.13.)
    with suppress(GeneratorExit, StopIteration, StopAsyncIteration, RuntimeError):
        work.throw(GeneratorExit())


def _carried_out(obj: Any, step: Any, deadline: float | None) -> Any:
    if isinstance(step, Wire):
        return obj._link.perform(step, obj._box, deadline)
    if isinstance(step, Begin):
        obj._link.raw._live.callers.check_not_nested(step.wire.name)
        return obj._link.begin(step.wire, obj._box, deadline)
    if isinstance(step, Offload):
        return step.run()
    if isinstance(step, Flight):
        if not step.over:
            _wait(step)
        return step.take()
    if isinstance(step, Turn):
        return step.wait(deadline)
    raise TypeError(f"a typed command awaited a {type(step).__name__}, which is no step")


def _wait(sent: Flight[Any]) -> None:
    latch = threading.Lock()
    latch.acquire()
    sent.when_over(lambda: open_latch(latch))
    latch.acquire()


BLOCKING: Face = _Blocking()
