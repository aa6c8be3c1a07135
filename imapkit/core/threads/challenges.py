"""Challenges (AUTHENTICATE): a caller or the callback thread answers them, without a lock."""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

from imapkit.errors import NestedCommandError

if TYPE_CHECKING:
    from imapkit.core.engine.engine import Engine
    from imapkit.core.engine.request import Request
    from imapkit.core.threads.courier import Courier

__all__ = ["Challenges"]

_ANSWERING: ContextVar[tuple[tuple[Challenges, Request], ...]] = ContextVar("_ANSWERING", default=())
"""The commands whose challenges this thread is answering, of all connections: an answer may need another connection."""


class Challenges:
    """Calls the program's functions that answer the challenges of one connection."""

    def __init__(self, courier: Courier, engine: Engine) -> None:
        self._courier, self._engine = courier, engine

    def check(self, name: str) -> None:
        """Raise ``NestedCommandError`` if the calling thread answers a challenge here: it would wait for itself."""
        for challenges, request in _ANSWERING.get():
            if challenges is self and not request.released:
                raise NestedCommandError(f"{name} was issued from inside the exchange of {request.call.name}")

    def answer(self, request: Request) -> None:
        """Call the program's function for ``request.question``, if there is one; the courier sends what it returns."""
        question, request.question = request.question, None
        if question is None:
            return
        value: bytes | None = None
        defect: Exception | None = None
        token = _ANSWERING.set((*_ANSWERING.get(), (self, request)))
        try:
            if request.defect is None:
                value = question.function(question.argument)
        except Exception as exc:
            defect = exc
        finally:
            _ANSWERING.reset(token)
        self._courier.run(partial(self._engine.answer, request, value), defect)
