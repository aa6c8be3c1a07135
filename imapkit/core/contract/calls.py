"""Making a ``Call``: the command is looked up, its arguments are checked and written; nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from imapkit.core.contract.call import Call, is_uid_form, wire_name
from imapkit.core.contract.command import Command
from imapkit.core.contract.commands import CallOptions
from imapkit.core.contract.extended import as_given, is_extended
from imapkit.core.contract.needs import require
from imapkit.core.contract.option import Chosen, inserted
from imapkit.core.contract.session import Session, State
from imapkit.core.grammar.encode import encode, quotes_removed
from imapkit.core.grammar.strings import atom
from imapkit.core.support.secrets import Hidden, Secret, hidden, plain, plain_all, secret_arguments
from imapkit.core.wire.pieces import line_size
from imapkit.core.wire.source import is_file
from imapkit.errors import ArgumentError

__all__ = ["check_length", "check_options", "hide_secret", "make_call"]

_OPTIONS = CallOptions.__optional_keys__


def check_options(name: str, options: CallOptions) -> None:
    """Raise ``TypeError`` for what is no option of ``CallOptions``, as a caller of a public method may give."""
    if not options.keys() <= _OPTIONS:
        raise TypeError(f"{name}: unexpected keyword argument {min(options.keys() - _OPTIONS)!r}")


def check_length(pieces: Any, session: Session, name: str) -> None:
    """Raise ``ArgumentError`` for a command that is longer than ``Limits.command`` without its literals."""
    size, most = line_size(plain(pieces)), session.limits.command
    if size > most:
        raise ArgumentError(
            f"{name}: {size} bytes without literals are more than {most} (Limits.command), and most servers refuse so long a"
            " command: give fewer messages, or words, at a time"
        )


def hide_secret(commands: Mapping[str, Command], name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of a command that a program chose by its name; wrapped if the command is secret."""
    command = commands.get(name)
    return hidden(args) if command is not None and command.secret else args


def make_call(
    commands: Mapping[str, Command],
    session: Session,
    name: str,
    args: tuple[Any, ...],
    uid: bool = False,
    reply: Callable[[bytes], bytes | None] | None = None,
    layer: Any = None,
    generic: bool = False,
    force: bool = False,
    result: tuple[str, ...] | None = None,
    writes: tuple[str, ...] = (),
    options: Sequence[Chosen] = (),
    ask: Callable[[], object] | None = None,
) -> Call:
    """The command called ``name`` with its arguments written; the keywords are those of ``Commands._call_with``.

    ``result`` names the responses that answer it (default: ``Command.result``), ``writes`` the resources that it changes.
    ``options`` are those of other families (``Family.extends``): they are written in their places, and the responses that they
    add answer the call, too. ``ask`` asks for the server's capabilities, if the command or an option needs one and they are not
    known.

    Raises ``ArgumentError`` for what cannot be sent or is too long; ``Missing`` for what the server lacks; ``TypeError`` for
    ``uid`` if the command has no such form.
    """
    command = commands.get(name)
    if uid:
        command = commands.get(f"UID {name}", command)
        if command is not None and not (command.uid or is_uid_form(command) or generic):
            raise TypeError(f"{name} has no form with UIDs: unexpected keyword argument 'uid'")
    elif args and name.startswith("UID "):
        uid, name = True, name.removeprefix("UID ")
    if command is None or (uid and not command.uid and not is_uid_form(command)):
        # Its responses are unknown: it is exclusive, so that none of them can go to another command.
        secret = command is not None and command.secret
        command = Command(atom(name).decode("ascii"), State.ANY, exclusive=True, secret=secret)
    # An iterator can be read only once, and several functions read the arguments.
    if args:
        args = tuple([list(value) if isinstance(value, Iterator) and not is_file(value) else value for value in args])
    if generic and is_extended(command, plain_all(args), uid=uid):
        command = as_given(command)
    write: Callable[..., Any] = partial(_encode_secret, encode) if command.secret else encode
    sent_as = wire_name(command) if uid else command.name
    if options and ask is not None and session.capabilities is None and command.states & session.state:
        ask()
    additions = inserted(command.places, sent_as, options, session) if options else None
    if additions is not None and additions.adds:
        result = (*(command.result if result is None else result), *additions.adds)
    pieces = write(command.args, command.rest, args, sent_as, additions)
    if args:
        check_length(pieces, session, sent_as)
    if not command.secret:
        args = quotes_removed(command.args, args, sent_as)
    if not force and command.states & session.state:
        if command.needs is not None and not generic:
            if session.capabilities is None and ask is not None:
                ask()
            require(session, command.needs, sent_as)
        _check_rules(command, session, args, uid)
    return Call(command, args, pieces, uid=uid, reply=reply, options=layer, result=result, writes=writes)


def _check_rules(command: Command, session: Session, args: tuple[Any, ...], uid: bool) -> None:
    """Raise what the guard of a command's own family raises, or a rule of another."""
    if command.guard is not None:
        command.guard(session, args)
    for rule in command.rules:
        rule(session, command.name, args, uid)


def _encode_secret(
    encode: Callable[..., Any], kinds: Any, rest: Any, args: tuple[Any, ...], name: str, additions: Any = None
) -> Secret:
    """The result of ``encode``, wrapped. Neither an error nor a frame of its traceback holds a part of a secret."""
    try:
        return Secret(encode(kinds, rest, plain_all(args), name, additions))
    except ArgumentError as exc:
        why = str(exc)
    except Exception as exc:
        why = f"{name}: an argument cannot be sent ({type(exc).__name__})"
    except BaseException as exc:
        exc.__traceback__ = exc.__context__ = None
        raise
    secrets = secret_arguments(args)
    wrong = next((type(value).__name__ for value in plain_all(secrets) if not isinstance(value, (str, bytes))), "")
    # Not within the handler: the error that this one replaces would be its context.
    raise ArgumentError(f"{name}: a secret is text or bytes, not {wrong}" if wrong else Hidden(*secrets).hide_text(why))
