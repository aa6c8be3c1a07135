"""A literal on its way into a sink, on the thread that reads: what goes wrong with the sink is its command's alone."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from imapkit.core.threads.channel import Flow

if TYPE_CHECKING:
    from imapkit.core.engine.engine import Engine
    from imapkit.core.engine.request import Request
    from imapkit.core.threads.steps import Steps
    from imapkit.core.wire.response import Untagged
    from imapkit.core.wire.sinks import Sink

__all__ = ["Claimed"]

_LOOK = 1.0


class Claimed:
    """Passes a literal on to a sink; without one, or once that has failed, it passes the literal over."""

    __slots__ = ("_request", "_sink", "_steps")

    def __init__(self, sink: Sink | None, request: Request, steps: Steps) -> None:
        self._sink, self._request, self._steps = sink, request, steps

    @classmethod
    def by(cls, request: Request, response: Untagged, size: int, steps: Steps) -> Claimed | None:
        """What the command's own function says of a literal of its answer; None: it is kept as ever.

        Of a command that was given up, it is passed over.
        """
        if request.abandoned:
            return cls(None, request, steps)
        try:
            sink = request.call.sink(response, size)
        except Exception as exc:
            request.defect = request.defect or exc
            return cls(None, request, steps)
        return None if sink is None else cls(sink, request, steps)

    def write(self, data: memoryview) -> None:
        """Pass bytes on."""
        sink = self._sink
        if sink is None:
            return
        self._do(sink.write, data)
        if isinstance(sink, Flow) and sink.is_full:
            self._wait(sink)

    def end(self) -> None:
        """The literal has ended."""
        if self._sink is not None:
            self._do(self._sink.end)

    def _do(self, work: Any, *args: Any) -> None:
        try:
            work(*args)
        except Exception as exc:
            self._sink = None
            self._request.defect = self._request.defect or exc

    def _wait(self, flow: Flow) -> None:
        """Wait for a taker, as long as it takes something. Meanwhile no command is late, for nothing that it awaits is read."""
        steps, taken = self._steps, flow.taken
        end = monotonic() + flow.patience
        while flow.is_full and steps.engine.closed is None:
            now = monotonic()
            if flow.taken != taken:
                taken, end = flow.taken, now + flow.patience
            elif now >= end:
                flow.give_up()
                return
            steps.step(_hold_up, steps.engine)
            flow.wait(min(_LOOK, steps.engine.window / 4, end - now))


def _hold_up(engine: Engine, now: float) -> None:
    engine.held_up(now)
