"""What a command has come to: its result, or the error that stands for it, with what the server had sent by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from imapkit.core.contract.result import Answer
from imapkit.core.support.shown import shown
from imapkit.core.wire.data import Data
from imapkit.errors import BadResponse, CommandNo, DeadlineExceeded, abort

if TYPE_CHECKING:
    from imapkit.core.engine.engine import Engine
    from imapkit.core.engine.request import Request

__all__ = ["check", "hand_over", "refusal", "result"]

_Refusal = TypeVar("_Refusal", BadResponse, CommandNo)


def result(request: Request, engine: Engine, names: tuple[str, ...] | None = None) -> tuple[str, Data]:
    """The usual result: the data of the command's untagged responses (of ``names`` only), else the text of its tagged response.

    With a NO it is the text, and the responses that came before it are the data's. Raises ``BadResponse`` for BAD.
    """
    typ, text, name = request.typ, request.text, request.call.name
    tables, log, nesting = engine.tables, engine.defects, engine.limits.nesting
    if typ == "BAD":
        raise refusal(BadResponse, request, engine)
    if typ == "NO":
        return typ, Answer([text], request.received, tables, typ, log=log, text=text, refused=name, nesting=nesting)
    names = request.call.command.result if names is None else names
    if not names:
        return typ, Answer([text], (), tables, typ, log=log, text=text, nesting=nesting)
    return typ, Answer.of((piece for piece in request.received if piece.name in names), tables, log, text, nesting)


def refusal(kind: type[_Refusal], request: Request, engine: Engine) -> _Refusal:
    """The error for a NO or BAD to the command."""
    text, name = request.text, request.call.name
    told = shown(text, 1000)
    message = f"{name} command error: BAD [{told}]. Data: {request.call!r}" if request.typ == "BAD" else f"{name}: NO {told}"
    error = kind(message, typ=request.typ, text=text, command=name)
    return error.with_data(_came(request, engine))


def check(request: Request, engine: Engine) -> None:
    """Raise what went wrong with the command, if anything did: what ended the connection, or a plugin's error."""
    if request.aborted is not None:
        reason = request.aborted.fresh()
        raise reason.with_data(_came(request, engine)) if isinstance(reason, (abort, DeadlineExceeded)) else reason
    if request.defect is not None:
        raise request.defect


def _came(request: Request, engine: Engine) -> Data | None:
    """What the server has sent in answer to the command; None if that is nothing, or if the command is a secret one."""
    pieces = request.came
    if not pieces or request.call.command.secret:
        return None
    return Answer.of(pieces, engine.tables, engine.defects, nesting=engine.limits.nesting)


def hand_over(
    request: Request,
    engine: Engine,
    finish: Callable[[Request], tuple[str, Data]],
    callback: Callable[[tuple[Any, Any, Any]], object],
    cb_arg: Any,
) -> None:
    """Make a result, and give it, or the reason why there is none, to the callback; once, however often it is woken."""
    if request.told:
        return
    request.told = True
    try:
        check(request, engine)
        found = finish(request)
    except Exception as exc:
        callback((None, cb_arg, (type(exc), str(exc))))
    else:
        callback((found, cb_arg, None))
