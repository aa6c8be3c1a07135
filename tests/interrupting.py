"""Interrupts at a chosen point: an exception in the middle of the core, as a signal handler or another thread raises it.

CPython looks whether there is one at the entry of a function, after a call and at the end of a loop's body: it is raised there.
Only the thread that is in the ``with`` block is interrupted, and once.
"""

from __future__ import annotations

import dis
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType, FrameType
from typing import Any

__all__ = ["Interrupted", "Point", "interrupting"]

_LOOKS = frozenset(("CALL", "CALL_KW", "CALL_FUNCTION_EX", "JUMP_BACKWARD"))
_LOST = frozenset(("__del__", "open", "<genexpr>", "plain", "settled"))
"""Where the interpreter may swallow it: a finalizer, what that calls, and a generator that is being closed."""


class Interrupted(BaseException):
    """The exception that interrupts a thread."""


@cache
def _names(code: CodeType) -> dict[int, str]:
    return {instruction.offset: instruction.opname for instruction in dis.get_instructions(code)}


class Point:
    """Raises when ``is_here(frame)`` says so; ``where`` is then where that was, "" before."""

    def __init__(self, is_here: Callable[[FrameType], bool]) -> None:
        self.where = ""
        self._is_here = is_here
        self._before: dict[FrameType, str] = {}

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        """For ``sys.settrace``."""
        if self.where or "imapkit/core/" not in frame.f_code.co_filename:
            return None
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            self._look(frame)
        elif event == "opcode":
            if self._before.get(frame) in _LOOKS:
                self._look(frame)
            self._before[frame] = _names(frame.f_code).get(frame.f_lasti, "")
        else:
            # A call that raises does not look.
            self._before.pop(frame, None)
        return self.trace

    def _look(self, frame: FrameType) -> None:
        if frame.f_code.co_name not in _LOST and self._is_here(frame):
            self.where = f"{frame.f_code.co_qualname}, line {frame.f_lineno}"
            raise Interrupted(self.where)


@contextmanager
def interrupting(at: int) -> Iterator[Point]:
    """Interrupt this thread at the ``at``-th point, if it comes so far."""
    left = itertools.count(at, -1)
    before, point = sys.gettrace(), Point(lambda frame: next(left) <= 0)
    sys.settrace(point.trace)
    try:
        yield point
    finally:
        sys.settrace(before)
        point._before.clear()
