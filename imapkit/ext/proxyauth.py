"""The family ``proxyauth``: PROXYAUTH, by which an administrator becomes another user.

There is no RFC: Netscape's, iPlanet's and Sun's messaging servers have it. None of those could be tested against.
"""

from __future__ import annotations

from typing import Unpack

from imapkit.plugin import CallOptions, Command, Commands, Done, Family, Result, Secret, Session, State, astring, hookimpl

__all__ = ["ProxyauthCommands", "imapkit_family"]


class ProxyauthCommands(Commands):
    """Acting for another user."""

    def proxyauth(self, user: str | bytes, **options: Unpack[CallOptions]) -> Result:
        """Become ``user``, as an administrator may; no RFC (Netscape, Sun); capability PROXYAUTH; state: authenticated.

        A mailbox that is selected must be closed first. It is like a second login: nothing else is in flight meanwhile, and once
        the server agrees its capabilities must be asked for anew. Returns ``("NO", [reason])`` if it refuses: then nothing has
        changed. Logs and errors do not show who it was.
        """
        secret, user = Secret(user), ""
        return self._call("PROXYAUTH", secret, **options)


def _became(session: Session, request: Done) -> None:
    # As at LOGIN (RFC 3501 section 6.2.3): what was announced to the one need not hold for the other.
    if request.typ == "OK":
        session.forget_capabilities()


@hookimpl
def imapkit_family() -> Family:
    """The family of PROXYAUTH."""
    return Family(
        name="proxyauth",
        mixin=ProxyauthCommands,
        commands=(Command("PROXYAUTH", State.AUTH, args=(astring,), exclusive=True, secret=True, done=_became),),
        capabilities=("PROXYAUTH",),
        requires=("rev1",),
    )
