"""The family ``proxyauth``: PROXYAUTH, by which an administrator becomes another user.

There is no RFC: the messaging servers of Netscape, iPlanet and Sun support it. The family is not tested against any of them.
"""

from __future__ import annotations

from typing import TypeVar, Unpack

from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Done,
    Family,
    Reply,
    Result,
    Secret,
    Session,
    State,
    TypedCommands,
    Wire,
    astring,
    command,
    hookimpl,
)

__all__ = ["ProxyauthCommands", "ProxyauthSession", "imapkit_family"]

F = TypeVar("F")


class ProxyauthCommands(Commands):
    """Act as another user."""

    def proxyauth(self, user: str | bytes, **options: Unpack[CallOptions]) -> Result:
        """Become ``user``, as an administrator may; no RFC (Netscape, Sun); capability PROXYAUTH; state: authenticated.

        Returns ``("NO", [reason])`` if the server refuses; then nothing has changed. A selected mailbox must be closed first. As
        at LOGIN, no other command is in flight meanwhile, and the client asks for the capabilities again when it next needs
        them. Logs and errors do not show ``user``.
        """
        secret, user = Secret(user), ""
        return self._call("PROXYAUTH", secret, **options)


class ProxyauthSession(TypedCommands[F]):
    """Act as another user."""

    @command
    def proxyauth(self, user: str | bytes) -> Wire[None]:
        """Become ``user``, as an administrator may; no RFC (Netscape, Sun); capability PROXYAUTH; state: authenticated.

        Raises ``NoResponse`` if the server refuses; then nothing has changed. A selected mailbox must be closed first.
        """
        secret, user = Secret(user), ""
        return Wire("PROXYAUTH", secret, parse=_nothing)


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""


def _became(session: Session, request: Done) -> None:
    # As at LOGIN (RFC 3501 section 6.2.3): the capabilities of the two users may differ.
    if request.typ == "OK":
        session.change_user()


@hookimpl
def imapkit_family() -> Family:
    """The family of PROXYAUTH."""
    return Family(
        name="proxyauth",
        mixin=ProxyauthCommands,
        session=ProxyauthSession,
        commands=(Command("PROXYAUTH", State.AUTH, args=(astring,), exclusive=True, secret=True, done=_became),),
        capabilities=("PROXYAUTH",),
        requires=("rev1",),
        contract=2,
    )
