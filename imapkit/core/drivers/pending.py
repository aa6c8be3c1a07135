"""The face whose calls return futures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from imapkit.core.contract.wires import Begin, Flight, Offload, Wire
from imapkit.core.drivers.lease import Turn
from imapkit.core.drivers.link import Making, Sent, deadline_of
from imapkit.core.threads.futures import CalledBack, without_frames
from imapkit.core.threads.worker import Worker

if TYPE_CHECKING:
    from concurrent.futures import Future

    from imapkit.core.contract.typed import TypedCommands

__all__ = ["one", "several", "stream"]

_Result = TypeVar("_Result")


def one(obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Future[Any]:
    """See ``Face.one``."""
    link, wire = obj._link, function(obj, *args, **options)
    if not link.knows_capabilities:
        return _Series(obj, _once_capabilities_are_known(link, wire))
    call, left = link.prepared(wire, obj._box, deadline_of(obj))
    future: Future[Any] = link.raw._live.callers.submit_future(call, Making(link, wire), timeout=left)
    return future


async def _once_capabilities_are_known(link: Any, wire: Wire[Any]) -> Any:
    # (To write a command may need them; the caller must not wait for that.)
    await Offload(link.ask_capabilities)
    return await wire


def several(obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Future[Any]:
    """See ``Face.several``."""
    return _Series(obj, function(obj._within(), *args, **options))


def stream(obj: TypedCommands[Any], function: Callable[..., Any], *args: Any, **options: Any) -> Future[Any]:
    """See ``Face.stream``: the result is a list."""

    async def gathered() -> list[Any]:
        return [value async for value in function(obj._within(), *args, **options)]

    return _Series(obj, gathered())


class _Series(CalledBack[_Result]):
    """The future result of a family's coroutine. The futures thread runs it on from one command to the next.

    What it does before its first command runs on the caller's thread, and its errors are raised there.
    """

    def __init__(self, obj: TypedCommands[Any], work: Any) -> None:
        live = obj._link.raw._live
        super().__init__(live.callbacks)
        self._obj, self._work, self._deadline, self._worker = obj, work, deadline_of(obj), live.callers.futures
        self._stepping = threading.Lock()
        """Held while the coroutine runs: ``cancel`` may come at the same time, and then leaves its end to that thread."""
        self._awaited: Flight[Any] | Turn | Offload[Any] | None = None
        self._begun: Sent[Any] | None = None
        """A command that was sent by ``Begin``, until the coroutine has it."""
        self._own: Worker | None = None
        """The thread for what may block, which would hold up other futures; it ends with the coroutine."""
        try:
            with self._stepping:
                step = work.send(None)
        except StopIteration as end:
            self.set_result(end.value)
        else:
            self._go_on(step)

    def _resume(self, send: Callable[[], Any], awaited: Any) -> None:
        """Run the coroutine until it awaits a step that takes time, or ends; on the futures thread.

        A second call for the same ``awaited`` step does nothing.
        """
        with self._stepping:
            if awaited is not None and awaited is not self._awaited:
                return
            self._awaited = None
            begun, self._begun = self._begun, None
            if self.cancelled():
                if begun is not None:
                    begun.drop()
                self._close()
                return
            try:
                step = send()
            except BaseException as exc:
                self._end(without_frames(exc))
                return
        self._go_on(step)

    def _run(self, step: Offload[Any]) -> None:
        """Run what may block, on the future's own thread; then the coroutine goes on there."""
        try:
            value = step.run()
        except BaseException as exc:
            self._resume(partial(self._work.throw, exc), step)
        else:
            self._resume(partial(self._work.send, value), step)

    def _close(self) -> None:
        self._work.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._own is not None:
            self._own.stop(None)

    def _end(self, exc: BaseException) -> None:
        self._let_go()
        if self.claim():
            if isinstance(exc, StopIteration):
                self.set_result(exc.value)
            else:
                self.set_exception(exc)

    def _go_on(self, step: Any) -> None:
        """Begin a step, and have the coroutine run on when it is over."""
        post, work, obj = self._post, self._work, self._obj
        try:
            if isinstance(step, Wire):
                step = obj._link.begin(step, obj._box, self._deadline)
            if isinstance(step, Flight):
                self._awaited = step
                # (The connection wakes the thread behind its own commands.)
                hand_over = self._put if isinstance(step, Sent) else self._post
                step.when_over(partial(hand_over, partial(_taken, work, step.take), step))
                # (It may have been over before: then nothing else wakes the thread.)
                self._worker.wake()
            elif isinstance(step, Begin):
                self._begun = obj._link.begin(step.wire, obj._box, self._deadline)
                post(partial(work.send, self._begun))
            elif isinstance(step, Offload):
                # Never on the caller's thread, which must not wait.
                self._awaited = step
                if self._own is None:
                    self._own = Worker("imapkit taker")
                self._own.post(partial(self._run, step))
            elif isinstance(step, Turn):
                self._awaited = step
                step.when_given(partial(post, partial(work.send, None), step))
            else:
                raise TypeError(f"a typed command awaited a {type(step).__name__}, which is no step")
        except BaseException as exc:
            post(partial(work.throw, exc))
        if self._awaited is not None and self.cancelled():
            # ``cancel`` came before there was a step to give up.
            self._give_up()

    def _put(self, send: Callable[[], Any], awaited: Any = None) -> None:
        # (Under the state lock: the connection wakes the thread behind the step.)
        self._worker.put(partial(self._resume, send, awaited))

    def _post(self, send: Callable[[], Any], awaited: Any = None) -> None:
        self._worker.post(partial(self._resume, send, awaited))

    def cancel(self) -> bool:
        """Give up the command under way; the coroutine then ends. False if the result is there already."""
        if not super().cancel():
            return False
        self._give_up()
        return True

    def _give_up(self) -> None:
        awaited = self._awaited
        if isinstance(awaited, Flight):
            awaited.drop()
        elif isinstance(awaited, Turn):
            awaited.leave()
            self._post(self._work.close)
        elif isinstance(awaited, Offload) and awaited.leave is not None:
            awaited.leave()


def _taken(work: Any, take: Callable[[], Any]) -> Any:
    """The next step of the coroutine, which gets the result of ``take``, or its exception."""
    try:
        value = take()
    except BaseException as exc:
        return work.throw(exc)
    return work.send(value)
