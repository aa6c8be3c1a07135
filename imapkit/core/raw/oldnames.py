"""The private names of imaplib that old programs use: ``_command``, ``_get_response``, ``tagged_commands`` and the like.

For old programs; a new program calls the methods, or ``xatom``. imaplib has no threads: its programs send a command, then read
the connection line by line. Here the reader thread reads, so each command sent by these names is an ``OldCommand``: it is alone
in flight, its lines are queued in it, and ``_get_response`` takes them. A thread that uses these names sees its own commands. The
methods of other threads wait for the end of these commands, or end an IDLE, as with any command.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from imapkit.core.contract.call import Call
from imapkit.core.contract.calls import check_length
from imapkit.core.contract.command import Command
from imapkit.core.contract.session import State
from imapkit.core.grammar.strings import atom, raw
from imapkit.core.raw.oldcommand import Draft, OldCommand, PollSocket, inner_values
from imapkit.core.support.secrets import Secret, hidden, plain
from imapkit.errors import ArgumentError, BadResponse, abort, error

if TYPE_CHECKING:
    from imapkit.core.plugins.registry import Registry
    from imapkit.core.threads.connection import Connection

__all__ = ["OldNames"]

_UID = "UID"


class _Thread(threading.local):
    """The commands of one thread that uses the old names."""

    def __init__(self) -> None:
        self.draft: Draft | None = None
        self.latest: OldCommand | None = None
        self.answers: dict[str, list[Any]] = {}
        """The data of its last command, which ``_untagged_response`` takes."""


class _Old:
    """The part of a client that exists once an old name is used."""

    def __init__(self) -> None:
        self.thread = _Thread()
        self.tagged: dict[bytes, Any] = {}
        self.commands: dict[bytes, OldCommand] = {}
        self.number = itertools.count(1)
        self.prefix = b"OLD"
        self.idle: OldCommand | None = None


class OldNames:
    """imaplib's private names that existing programs use. For old programs only."""

    sock: Any
    _registry: Registry

    @property
    def _live(self) -> Connection:
        """See ``Client._live``."""
        raise NotImplementedError

    def _known_capabilities(self) -> tuple[str, ...]:
        """See ``Commands._known_capabilities``."""
        raise NotImplementedError

    @property
    def _olds(self) -> _Old:
        found: _Old = self.__dict__.setdefault("_old", _Old()) if "_old" not in self.__dict__ else self.__dict__["_old"]
        return found

    @property
    def tagged_commands(self) -> dict[bytes, Any]:
        """For old programs: ``{tag: None or (type, [text])}`` of the commands that were sent by ``_command``."""
        return self._olds.tagged

    @property
    def continuation_response(self) -> bytes:
        """For old programs: the text behind the last "+" for their commands."""
        latest = self._olds.thread.latest
        return latest.request.continuation if latest is not None and latest.request is not None else b""

    @property
    def _encoding(self) -> str:
        return "utf-8" if self._live.engine.session.utf8 else "ascii"

    def _quote(self, arg: str) -> str:
        """``arg`` between double quotes, escaped."""
        return '"{}"'.format(arg.replace("\\", "\\\\").replace('"', '\\"'))

    # sending

    def _command(self, name: str, *args: Any) -> bytes:
        """Send a command without quoting, and return its tag; for IDLE it waits until the server has accepted."""
        uid = name.upper() == _UID and bool(args)
        known = self._old_command(str(args[0]) if uid else name)
        given = tuple(value for value in args[uid:] if value is not None)
        if known.secret:
            given, args = hidden(given), ()
            # LOGINDISABLED must be noticed before a password is sent.
            self._known_capabilities()
        pieces = self._line(known, uid, given)
        old = self._olds
        command = OldCommand(b"%b%d" % (old.prefix, next(old.number)))
        self._start(command, known, uid, given, pieces)
        return command.tag

    def _new_tag(self) -> bytes:
        """A tag for a command that this thread writes with ``send`` next."""
        old = self._olds
        command = OldCommand(b"%b%d" % (old.prefix, next(old.number)))
        old.thread.draft = Draft(command)
        old.tagged[command.tag] = None
        return command.tag

    def _send_old(self, data: bytes) -> bool:
        """Take a piece of a draft, or the line that ends the program's IDLE; False if ``data`` is neither."""
        old: _Old | None = self.__dict__.get("_old")
        if old is None:
            return False
        draft, idle = old.thread.draft, old.idle
        if draft is not None:
            self._write_draft(old, draft, bytes(data))
            return True
        request = idle.request if idle is not None else None
        if request is None or bytes(data) != (request.call.command.interrupt or b"") + b"\r\n":
            return False
        if self._live.sends_here:
            # The courier thread sends the line, through a subclass's ``send``.
            return False
        self._live.interrupt(request)
        return True

    def _write_draft(self, old: _Old, draft: Draft, data: bytes) -> None:
        old.thread.draft = None
        if not draft.feed(data):
            old.thread.draft = draft
            return
        name, uid, pieces = draft.parsed()
        known = self._old_command(name)
        args = draft.words()[1 + uid :]
        self._start(draft.command, known, uid, hidden(args) if known.secret else args, pieces)

    def _old_command(self, name: str) -> Command:
        """The declaration of a command, changed so that it is alone in flight and gets its responses one by one."""
        name = atom(name.upper()).decode("ascii")
        known = self._registry.commands.get(name)
        if known is None:
            return Command(name, State.ANY, exclusive=True)
        if known.layer is not None:
            raise ArgumentError(f"{name} changes how the connection is read: call {name.lower()}()")
        return replace(known, exclusive=True, subject=None, matches=None, matches_all=None)

    def _line(self, known: Command, uid: bool, args: tuple[Any, ...]) -> Any:
        """The pieces of a command, without quoting; wrapped, if they hold a secret."""
        pieces = [b" ".join([*([b"UID"] if uid else []), known.name.encode("ascii"), *self._words(known, args)])]
        return Secret(pieces) if known.secret else pieces

    def _words(self, known: Command, args: tuple[Any, ...]) -> list[bytes]:
        try:
            return [raw(_encoded(plain(value), self._encoding)) for value in args]
        except error as exc:
            if not known.secret:
                raise
            why = type(exc).__name__
        # Not within the handler: the error must not have an error that quotes a secret as its context.
        raise ArgumentError(f"{known.name}: an argument cannot be sent ({why})")

    def _start(self, command: OldCommand, known: Command, uid: bool, args: tuple[Any, ...], pieces: Any) -> None:
        old = self._olds
        check_length(pieces, self._live.engine.session, known.name)
        command.names = known.result
        args = (*args, *inner_values(args)) if known.secret else args
        call = Call(replace(known, news=command.received), args, pieces, uid=uid)
        self._leave_behind()
        if known.interrupt is not None:
            command.poll = PollSocket(self.sock)
        old.tagged[command.tag], old.commands[command.tag] = None, command
        old.thread.latest = command
        try:
            command.request = self._live.callers.submit(
                call, renew=getattr(self, "idle_refresh", None), on_done=command.ended, on_accepted=command.accepted
            )
            if command.poll is not None:
                command.await_acceptance()
        except BaseException:
            self._forget_old(command)
            del old.tagged[command.tag]
            raise
        if command.poll is not None and command.request.accepted:
            command.continues, old.idle = True, command
            self.sock = command.poll

    def _leave_behind(self) -> None:
        """Put the responses of the thread's last command that were not taken into the store, for ``response``."""
        answers = self._olds.thread.answers
        for name, data in answers.items():
            self._live.engine.store.add(name, data, sum(map(_size, data)))
        answers.clear()

    # reading

    def _get_response(self) -> bytes | None:
        """The next line of the server while a command of the program is under way; None for "+".

        The last is the tagged line; ``tagged_commands`` has the answer by then. Raises ``abort`` and ``TimeoutError``.
        """
        draft = self._olds.thread.draft
        if draft is not None:
            if draft.asks:
                # imapkit waits for "+" itself, when it sends the whole command.
                return None
            raise ArgumentError("_get_response: the command written with send() is not complete")
        command = self._under_way()
        if command.continues:
            command.continues = False
            return None
        line = command.take(None)
        return self._finish_old(command) if line is None else line

    def _get_line(self) -> bytes:
        """The next line, as ``_get_response`` returns it; within an IDLE it waits for the time-out of ``sock``."""
        command = self._under_way()
        if command is not self._olds.idle:
            return self._get_response() or b"+"
        assert command.poll is not None
        line = command.take(command.poll.gettimeout())
        if line is not None:
            return line
        if not self._live.open:
            command.poll.make_readable()
            raise abort("socket error: EOF")
        command.poll.make_unreadable()
        raise BlockingIOError("the server has sent nothing more")

    def _command_complete(self, name: str, tag: bytes) -> tuple[str, list[Any]]:
        """Wait for the end of a command; returns its type and text. Raises ``error`` for BAD, and ``abort``."""
        old = self._olds
        command = old.commands.get(tag)
        if command is not None:
            while command.take(None) is not None:
                pass
            self._finish_old(command)
        result = old.tagged.pop(tag, None)
        if result is None:
            raise error(f"command: {name} => no such command is under way: {tag!r}")
        typ, data = result
        if typ == "BAD":
            raise BadResponse(f"{name} command error: BAD {data!r}", typ=typ, text=data[0], command=name)
        return typ, data

    def _simple_command(self, name: str, *args: Any) -> tuple[str, list[Any]]:
        """Send a command without quoting, and wait for its end; returns its type and text."""
        known = self._old_command(str(args[0]) if name.upper() == _UID and args else name)
        if known.secret:
            args = hidden(args)
        return self._command_complete(name, self._command(name, *args))

    def _untagged_response(self, typ: str, dat: list[Any], name: str) -> tuple[str, list[Any]]:
        """Take the responses called ``name`` of the thread's last command, or those that belong to no command."""
        if typ == "NO":
            return typ, dat
        thread = self._olds.thread
        found = thread.answers.pop(name, None)
        if found is None and not (thread.latest is not None and name in thread.latest.names):
            found = self._live.engine.store.take(name)
        return typ, found or [None]

    def _check_bye(self) -> None:
        """Raise ``abort`` if the server has ended the connection."""
        closed = self._live.engine.closed
        if closed is not None:
            raise closed.fresh()

    def _under_way(self) -> OldCommand:
        old = self._olds
        command = old.thread.latest
        if command is None or command.tag not in old.commands:
            # Another thread may have sent it, such as an IDLE that one thread begins and another ends.
            command = next(iter(list(old.commands.values())), None)
        if command is None:
            raise error("no command is under way: the reader thread reads the other responses")
        return command

    def _finish_old(self, command: OldCommand) -> bytes:
        """Note the answer, and return the tagged line."""
        old = self._olds
        self._forget_old(command)
        assert command.request is not None
        typ, data = command.outcome(self._live.engine)
        for response in command.request.untagged:
            old.thread.answers.setdefault(response.name, []).extend(response.data())
        old.tagged[command.tag] = (typ, data)
        return b"%b %b %b" % (command.tag, typ.encode("ascii"), data[0])

    def _forget_old(self, command: OldCommand) -> None:
        old = self._olds
        old.commands.pop(command.tag, None)
        if command.poll is not None:
            if self.sock is command.poll:
                self.sock = command.poll._sock
            if old.idle is command:
                old.idle = None
            command.poll.release()


def _encoded(value: Any, encoding: str) -> Any:
    return value.encode("utf-8") if encoding == "utf-8" and isinstance(value, str) else value


def _size(item: Any) -> int:
    return sum(map(len, item)) if isinstance(item, tuple) else len(item)
