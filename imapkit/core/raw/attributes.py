"""imaplib2's attributes of a client, its private functions for untagged responses and debug output, and the reading of data."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, TextIO

from imapkit.core.contract.result import note, parse_shape
from imapkit.core.contract.session import State
from imapkit.core.raw.calling import Calling
from imapkit.core.wire.data import Defect, Parsed
from imapkit.errors import ArgumentError

__all__ = ["Attributes"]

_STATES = {state.name: state for state in State}


class Attributes(Calling):
    """The part of a client that programs for imaplib2 look at and set."""

    debug_file: TextIO

    @property
    def state(self) -> str:
        """ "NONAUTH", "AUTH", "SELECTED" or "LOGOUT", RFC 3501 section 3.

        To be set only after a command that no family knows has changed it.
        """
        return str(self._session.state.name)

    @state.setter
    def state(self, name: str) -> None:
        if name not in _STATES:
            raise ArgumentError(f"no state of a connection: {name!r:.40}")
        self._live.enter(_STATES[name])

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What the server announces, in upper case; asked for when it is not known (after STARTTLS and login)."""
        return self._known_capabilities()

    @capabilities.setter
    def capabilities(self, names: Iterable[str]) -> None:
        self._session.set_capabilities(names)

    @property
    def literal(self) -> None:
        """Nothing: a literal is a command's argument here, not the connection's. Setting it raises ``ArgumentError``."""
        return None

    @literal.setter
    def literal(self, value: object) -> None:
        if value is not None:
            raise ArgumentError("a literal belongs to one command: give the text, or octets, as an argument")

    @property
    def Terminate(self) -> bool:
        """Whether the connection has ended, for good."""
        return self._connection is None or not self._connection.open

    @property
    def mailbox(self) -> str | bytes | None:
        """The selected mailbox, as it was given."""
        return self._session.mailbox

    @property
    def is_readonly(self) -> bool:
        """Whether the selected mailbox is READ-ONLY."""
        return self._session.readonly

    @property
    def untagged_responses(self) -> list[list[Any]]:
        """A copy of the untagged responses that belong to no command: ``[[name, [data, ...]], ...]``; can only be emptied."""
        return self._live.engine.store.runs()

    @untagged_responses.setter
    def untagged_responses(self, value: object) -> None:
        if value:
            raise ValueError("untagged_responses can only be emptied")
        self._live.engine.store.clear()

    @property
    def debug(self) -> int:
        """The debug level; may be set at any time."""
        return self._trace.level

    @debug.setter
    def debug(self, level: int) -> None:
        self._trace.level = level

    @property
    def debug_buf_lvl(self) -> int:
        """The level up to which debug output is kept back; may be set at any time."""
        return self._trace.buffer_level

    @debug_buf_lvl.setter
    def debug_buf_lvl(self, level: int) -> None:
        self._trace.buffer_level = level

    def _get_untagged_response(self, name: str, leave: bool = False) -> list[Any] | None:
        store = self._live.engine.store
        return (store.peek(name) or None) if leave else store.take_first(name)

    def _mesg(self, s: str, tn: str | None = None, secs: float | None = None) -> None:
        """Write a line of debug output; for a subclass to override."""
        seconds = time.time() if secs is None else secs
        clock = time.strftime("%M:%S", time.localtime(seconds))
        self.debug_file.write(f"  {clock}.{int(seconds * 100) % 100:02} {tn or ''} {s}\n")
        self.debug_file.flush()

    def _emit(self, text: str, thread: str, seconds: float) -> None:
        # Looked up at each call: a program may have put another one in its place.
        self._mesg(text, thread, seconds)

    def _log(self, lvl: int, line: str) -> None:
        self._trace.log(lvl, line)

    def _print_log(self) -> None:
        self._trace.dump()

    # reading

    def parse(self, typ: str, data: Any) -> Parsed[Any]:
        """What data in imaplib's shape says, in records: as a command returned it, or ``response(name)``; later than that, too.

        ``typ, data``: a result; or the name of a response ("FETCH", "LIST") or response code ("UIDVALIDITY"), and its data.
        Returns a list with a value for each response (``StatusText`` for a status text), and what was wrong in ``.defects``.
        Never raises for what a server sent. The families' modules have the records: ``imapkit.ext.rev1``, ``imapkit.ext.quota``.
        """
        limits = self._first_session.limits
        found = parse_shape(typ, data, self._registry, utf8=self._names_are_utf8, nesting=limits.nesting)
        note(data, found.defects, None if self._connection is None else self._connection.engine.defects)
        return found

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What was odd in what the server sent, the oldest first: what is odd as it comes, and what turned out so when read.

        Each ``Defect`` says ``what`` it was, and the octets (``raw``, at most 4096). The last ``Limits.defects`` are kept.
        """
        return self._live.engine.defects.all()
