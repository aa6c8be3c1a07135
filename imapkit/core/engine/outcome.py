"""The outcome of a command: its result, or the error that stands for it, with the responses received by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from imapkit.core.contract.result import Answer
from imapkit.core.support.shown import shown
from imapkit.core.wire.data import Data
from imapkit.errors import BadResponse, CommandNo, DeadlineExceeded, NoResponse, abort

if TYPE_CHECKING:
    from imapkit.core.engine.engine import Engine
    from imapkit.core.engine.request import Request

__all__ = ["check", "hand_over", "refusal", "refusal_by_code", "result"]

_Refusal = TypeVar("_Refusal", BadResponse, CommandNo, NoResponse)


def result(request: Request, engine: Engine, names: tuple[str, ...] | None = None) -> tuple[str, Data]:
    """The type and data of a finished command. Raises ``BadResponse`` for BAD.

    After OK the data is that of the untagged responses (of ``names`` only), or the text of the tagged one if ``names`` is empty.
    After NO it is the text; ``Answer`` also holds the responses that came before it.
    """
    typ, text, name = request.typ, request.text, request.call.name
    tables, log, nesting = engine.tables, engine.defects, engine.limits.nesting
    if typ == "BAD":
        raise refusal(BadResponse, request, engine)
    if typ == "NO":
        return typ, Answer([text], request.received, tables, typ, log=log, text=text, refused=name, nesting=nesting)
    names = request.call.result if names is None else names
    if not names:
        return typ, Answer([text], (), tables, typ, log=log, text=text, nesting=nesting)
    return typ, Answer.of((piece for piece in request.received if piece.name in names), tables, log, text, nesting)


def refusal(kind: type[_Refusal], request: Request, engine: Engine) -> _Refusal:
    """The error for a NO or BAD to the command."""
    text, name = request.text, request.call.name
    said = shown(text, 1000)
    message = f"{name} command error: BAD [{said}]. Data: {request.call!r}" if request.typ == "BAD" else f"{name}: NO {said}"
    error = kind(message, typ=request.typ, text=text, command=name)
    return error.with_data(_came(request, engine))


def refusal_by_code(request: Request, engine: Engine) -> BadResponse | NoResponse:
    """The error for a NO or BAD to a typed command; after NO that of the response code (``Code.raises``), else ``NoResponse``."""
    if request.typ == "BAD":
        return refusal(BadResponse, request, engine)
    said = Answer([], (), engine.tables, log=engine.defects, text=request.text, nesting=engine.limits.nesting).status()
    code = engine.tables.codes.get(said.code or "") if said is not None else None
    kind: type[NoResponse] = (code.raises if code is not None else None) or NoResponse
    error = refusal(kind, request, engine)
    if said is not None and not request.call.command.secret:
        error.value = said.value
    return error


def check(request: Request, engine: Engine) -> None:
    """Raise the error of the command, if it has one: the reason for the end of the connection, or a plugin's exception."""
    if request.aborted is not None:
        reason = request.aborted.fresh()
        raise reason.with_data(_came(request, engine)) if isinstance(reason, (abort, DeadlineExceeded)) else reason
    if request.defect is not None:
        raise request.defect


def _came(request: Request, engine: Engine) -> Data | None:
    """The responses that the server sent for the command; None if there are none, or if the command is secret."""
    pieces = request.came
    if not pieces or request.call.command.secret:
        return None
    return Answer.of(pieces, engine.tables, engine.defects, nesting=engine.limits.nesting)


def hand_over(
    engine: Engine,
    finish: Callable[[Request], tuple[str, Data]],
    callback: Callable[[tuple[Any, Any, Any]], object],
    cb_arg: Any,
    request: Request,
) -> None:
    """Call the callback with the result, or with the error. Further calls for the same command do nothing."""
    if request.called_back:
        return
    request.called_back = True
    try:
        check(request, engine)
        found = finish(request)
    except Exception as exc:
        callback((None, cb_arg, (type(exc), str(exc))))
    else:
        callback((found, cb_arg, None))
