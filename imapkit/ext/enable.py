"""The family ``enable``: ENABLE, RFC 5161; and UTF8=ACCEPT, RFC 6855, which ENABLE switches on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, Unpack

from imapkit.errors import ArgumentError, error
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Cursor,
    Done,
    Enable,
    Family,
    Reply,
    Response,
    Result,
    Session,
    State,
    Token,
    TypedCommands,
    Untagged,
    Wire,
    as_it_is,
    atom,
    command,
    hookimpl,
)

__all__ = ["EnableCommands", "EnableSession", "imapkit_family"]

F = TypeVar("F")


class EnableCommands(Commands):
    """Switch on extensions that change what the server sends."""

    def enable(self, capability: str | Iterable[str], *, force: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Enable extensions; RFC 5161 section 3.1; capability ENABLE; state: authenticated.

        Returns the text of the tagged response; ``response("ENABLED")`` has what the server did enable, perhaps nothing, until
        the connection ends. Raises ``error`` if the server does not announce ENABLE, and ``ArgumentError`` for an extension that
        no installed family supports, unless ``force`` is true: then the caller must read what the server sends from then on.
        ``capability``: a name, several separated by spaces, or an iterable of names. With UTF8=ACCEPT (RFC 6855) mailbox names
        are sent in UTF-8 instead of modified UTF-7, and APPEND takes messages with 8-bit headers.
        """
        names = _names(capability)
        if not force:
            _understood(self._session, tuple(names))
        if "ENABLE" not in self._known_capabilities():
            raise error("the server does not announce ENABLE; nothing was sent")
        return self._call_with(options, "ENABLE", *names, force=force)


class EnableSession(TypedCommands[F]):
    """Switch on extensions that change what the server sends."""

    @command
    async def enable(self, *names: str) -> frozenset[str]:
        """Enable extensions, and return those that the server did enable; RFC 5161 section 3.1; capability ENABLE.

        State: authenticated. ``client.enable("UTF8=ACCEPT")``. The names are in upper case. The server leaves out what it does
        not support. Raises ``Missing``, and sends nothing, if the server has no ENABLE, and ``ArgumentError`` for an extension
        that no installed family supports.
        """
        await self._require("ENABLE", "enable()")
        return await Wire("ENABLE", *_names(names), result=("ENABLED",), parse=_enabled)


def _enabled(reply: Reply) -> frozenset[str]:
    return frozenset(name for names in reply.values("ENABLED") for name in names)


def _names(capability: str | Iterable[str]) -> list[str]:
    capability = as_it_is(capability)
    if not isinstance(capability, Iterable):
        raise ArgumentError(f"a capability is text, not {type(capability).__name__}")
    words = capability.split() if isinstance(capability, (str, bytes)) else list(capability)
    if not words:
        raise ArgumentError("nothing to enable")
    return [atom(word).decode("ascii").upper() for word in words]


def _atoms(args: tuple[Any, ...]) -> Iterable[Token]:
    """``enable = "ENABLE" 1*(SP capability)``, RFC 5161 section 4."""
    return map(atom, args)


def _understood(session: Session, args: tuple[Any, ...]) -> None:
    """Raise ``ArgumentError`` for an extension that no family supports: imapkit would misread what the server then sends."""
    for name in _names(args):
        if name not in session.understood:
            known = ", ".join(sorted(session.understood))
            why = f"no installed family supports it (supported: {known})"
            raise ArgumentError(f"{name} cannot be enabled: {why}; force=True sends it nevertheless")


def enabled(cursor: Cursor) -> tuple[str, ...]:
    """``enable-data = "ENABLED" *(SP capability)``, RFC 5161 section 4; in upper case."""
    return tuple(cursor.rest().decode("utf-8", "backslashreplace").upper().split())


def _asks(session: Session, args: tuple[Any, ...]) -> None:
    session.ask_for(atom(word).decode("ascii") for word in args)


def _is_over(session: Session, request: Done) -> None:
    session.ask_for(())


def _apply(session: Session, response: Untagged) -> None:
    session.enable(session.names(response.text))


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 5161 and RFC 6855."""
    return Family(
        name="enable",
        mixin=EnableCommands,
        session=EnableSession,
        commands=(Command("ENABLE", State.AUTH, rest=_atoms, exclusive=True, guard=_understood, before=_asks, done=_is_over),),
        capabilities=("ENABLE", "UTF8=ACCEPT"),
        enables=(Enable("UTF8=ACCEPT", utf8=True),),
        responses={"ENABLED": Response(enabled, _apply)},
        requires=("rev1",),
        contract=2,
    )
