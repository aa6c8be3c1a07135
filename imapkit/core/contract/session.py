"""The state of a session: RFC 3501 section 3, capabilities, the mailbox.

This is the only place where it changes. Every change happens under the state lock of the connection, by the ``before``,
``done`` and ``apply`` functions of the families; reading needs no lock.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from imapkit.core.contract.enable import Enable, Numbering
from imapkit.core.contract.implied import NOTHING_IMPLIED, Implied, has
from imapkit.core.contract.slot import Slot, Slots
from imapkit.core.support.limits import Limits
from imapkit.errors import StateError

__all__ = ["Numbering", "Session", "State"]

T = TypeVar("T")
_LONGEST = 1 << 13
"""Bytes of an announcement that are looked at: servers announce some hundred names at most."""


class State(enum.Flag):
    """The states of a connection, RFC 3501 section 3; LOGGED_IN is AUTH or SELECTED, ANY all but LOGOUT."""

    NONAUTH = enum.auto()
    AUTH = enum.auto()
    SELECTED = enum.auto()
    LOGOUT = enum.auto()
    LOGGED_IN = AUTH | SELECTED
    ANY = NONAUTH | AUTH | SELECTED


_MESSAGES = {
    Numbering.MOVING: "may change at any time now",
    Numbering.ABSENT: "the server does not use now",
}

_NOTHING: frozenset[str] = frozenset()
_NO_NAMES: Mapping[str, Enable] = MappingProxyType({})


class Session:
    """The state of one connection, as the families see and change it."""

    def __init__(
        self,
        understood: Mapping[str, Enable] = _NO_NAMES,
        limits: Limits | None = None,
        implied: Implied = NOTHING_IMPLIED,
    ) -> None:
        self._implied = implied
        self.limits = limits or Limits()
        """Upper bounds on what the server may send."""
        self.state = State.NONAUTH
        self.secure = False
        """Whether a layer protects the connection."""
        self.awaits_tls = False
        """The program has asked for a layer that protects the connection; until that is on, no secret may be sent."""
        self.understood = understood
        """The names that may be enabled (RFC 5161), since a family understands them, with what each changes."""
        self.utf8 = False
        """Whether mailbox names and strings are UTF-8 (RFC 6855)."""
        self.capabilities: tuple[str, ...] | None = None
        """The server's capabilities, in upper case; None while they are not known."""
        self.hidden = _NOTHING
        """Capabilities that the server announces and that do not work (``Quirk.hides``)."""
        self._slots = Slots()
        self._as_written: tuple[str, ...] = ()
        self.enabled = self.asked_for = _NOTHING
        """The names that a command in flight asks the server to switch on."""
        self.mailbox: str | bytes | None = None
        self.readonly = False
        self.selections = 0
        """How often a mailbox was selected or left: a handle on a mailbox is valid while this stays the same."""
        self.readonly_news: str | None = None
        """Why the next command is to be refused with ``readonly``, once; None for nothing."""
        self.exists: int | None = None
        self.numbering = Numbering.STABLE
        """While it is not STABLE, commands that name sequence numbers are refused. The family that changes it sets it back."""
        self.flush = False
        """Set by a command that empties the store of untagged responses as it is sent."""

    def has(self, capability: str) -> bool:
        """Whether the server is known to have ``capability``: it announced it, or one that implies it, or switched it on.

        The families say what implies what (``Family.implies``): QRESYNC implies CONDSTORE. While IMAP4rev2 is the protocol, the
        server has what RFC 9051 appendix E took in.
        """
        name = capability.upper()
        announced = self.capabilities or ()
        if self.hidden:
            announced = tuple(known for known in announced if known not in self.hidden)
        return name not in self.hidden and has(name, announced, self.enabled, self._implied)

    def slot(self, slot: Slot[T]) -> T:
        """A family's own value (``imapkit.plugin.Slot``); a new one if it has been reset."""
        return self._slots.get(slot)

    def put(self, slot: Slot[T], value: T) -> None:
        """Set a family's own value."""
        self._slots.put(slot, value)

    def hide(self, names: Iterable[str]) -> None:
        """Have ``has`` be False for these, which the server announces and which do not work."""
        self.hidden |= {name.upper() for name in names}

    def value(self, capability: str) -> str | None:
        """The first value that the server announced for a capability, as it wrote it; None if there is none.

        "1000" of "APPENDLIMIT=1000".
        """
        return next(iter(self.values(capability)), None)

    def values(self, capability: str) -> tuple[str, ...]:
        """All values that the server announced for a capability, as it wrote them: of "AUTH", the names of mechanisms."""
        start = f"{capability.upper()}="
        known = self.capabilities or ()
        as_written = self._as_written if tuple(map(str.upper, self._as_written)) == known else known
        found = (name for name in as_written if name.upper().startswith(start) and name.upper() not in self.hidden)
        return tuple(name[len(start) :] for name in found)

    @staticmethod
    def names(text: bytes) -> list[str]:
        """The names that a server announces, separated by spaces; of very many the first, since they are kept."""
        if len(text) > _LONGEST:
            text = text[:_LONGEST].rpartition(b" ")[0]
        return text.decode("ascii", "replace").split()

    def set_capabilities(self, names: Iterable[str]) -> None:
        """Set what the server has just announced; an empty announcement changes nothing."""
        written = tuple(names)
        if written:
            self.capabilities, self._as_written = tuple(map(str.upper, written)), written

    def forget_capabilities(self) -> None:
        """After a change of state or of security layer, RFC 3501 sections 6.2.1 and 6.2.3: the server must be asked again."""
        self.capabilities = None

    def change_user(self) -> None:
        """Another user is logged in: forget what was announced to, and kept for, the last one."""
        self.forget_capabilities()
        self._slots.reset("login")

    def enable(self, names: Iterable[str]) -> None:
        """The server has switched these on, RFC 5161 section 3.2; that holds until the connection ends.

        Names that the command in flight has not asked for, or that no family understands, are left out.
        """
        self.switch_on(self.asked_for & {name.upper() for name in names})

    def switch_on(self, names: Iterable[str]) -> None:
        """These are on, with what they imply, in answer to ENABLE or because of another command, as CONDSTORE may be."""
        for name in names:
            effect = self.understood.get(name)
            if effect is not None:
                self.enabled |= {name, *effect.implies}
                self.utf8 = self.utf8 or effect.utf8
                self.numbering = effect.numbering or self.numbering

    def switch_all_off(self) -> None:
        """Nothing is enabled any more: that is so after UNAUTHENTICATE (RFC 8437 section 3)."""
        self.enabled = self.asked_for = _NOTHING
        self.utf8, self.numbering = False, Numbering.STABLE

    def ask_for(self, names: Iterable[str]) -> None:
        """A command asks the server to switch these on; none, when it is over."""
        self.asked_for = frozenset(name.upper() for name in names)

    def distrust(self) -> None:
        """The connection has become secure: forget what was received before, which an attacker may have sent."""
        self.secure = True
        self.forget_capabilities()
        self.switch_all_off()
        self.exists = self.readonly_news = None
        self._slots.reset("close")

    def check_numbers(self, name: str) -> None:
        """Raise ``StateError`` for a command that names sequence numbers while these cannot be used."""
        if self.numbering is not Numbering.STABLE:
            raise StateError(
                f"{name} names message sequence numbers, which {_MESSAGES[self.numbering]}; nothing was sent: use UIDs"
            )

    def remove_messages(self, count: int = 1) -> None:
        """The selected mailbox has ``count`` messages less: EXPUNGE stands for one, VANISHED for each of its UIDs (RFC 7162
        section 3.2.10.2), and VANISHED (EARLIER) for none, since the client has not counted these."""
        if self.exists:
            self.exists = max(0, self.exists - count)

    def enter(self, state: State) -> None:
        """Change the state."""
        was, self.state = self.state, state
        self._slots.reset("select" if was & State.LOGGED_IN and state & State.LOGGED_IN else "login")
        self.readonly_news = None
        if state is not State.SELECTED:
            self.selections += 1
            self.mailbox, self.exists, self.readonly = None, None, False

    def select(self, mailbox: str | bytes, *, readonly: bool) -> None:
        """Enter the selected state."""
        self.enter(State.SELECTED)
        # (In this order: another thread that reads the new count, and then the mailbox, reads this one.)
        self.mailbox, self.readonly = mailbox, readonly
        self.selections += 1

    def became_readonly(self) -> None:
        """The server changed the selected mailbox to READ-ONLY, RFC 3501 section 7.1."""
        if self.state is State.SELECTED and not self.readonly:
            self.readonly = True
            self.readonly_news = "mailbox status changed to READ-ONLY"
