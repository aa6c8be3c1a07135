"""The family ``starttls``: STARTTLS, RFC 3501 section 6.2.1 and RFC 2595."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

from imapkit.errors import NoResponse, abort
from imapkit.plugin import (
    TLS_ORDER,
    CallOptions,
    Command,
    Commands,
    Done,
    Family,
    LayerSpec,
    Result,
    Session,
    State,
    hookimpl,
    no_arguments,
    shown,
)

if TYPE_CHECKING:
    import ssl

__all__ = ["StartTLSCommands", "imapkit_family"]


class StartTLSCommands(Commands):
    """TLS on a connection that began without."""

    def starttls(
        self,
        keyfile: str | None = None,
        certfile: str | None = None,
        ca_certs: str | None = None,
        cert_verify_cb: Callable[[Any, Any], Any] | None = None,
        ssl_version: str | None = "ssl23",
        tls_level: str | None = "tls_compat",
        *,
        ssl_context: ssl.SSLContext | None = None,
        **options: Unpack[CallOptions],
    ) -> Result:
        """Put TLS on the connection; RFC 3501 section 6.2.1; capability STARTTLS; state: not authenticated.

        Returns ``("OK", [text])``. Raises ``abort`` if TLS is on already or the server does not announce it (nothing is sent
        then), ``NoResponse`` if the server refuses, and ``TLSError`` if the handshake fails, which closes the connection.
        The arguments are those of ``IMAP4_SSL``. They hold for this call alone: one that fails leaves nothing to the next.
        The chain and the host name of the server's certificate are verified, by ``ssl_context`` if it is given, else by the
        client's own if it has one and no file is named. ``cert_verify_cb`` runs on another thread and may not issue commands.
        The client forgets what the server said before TLS, and asks for its capabilities again.
        From the call on, until it has succeeded, commands that send a secret (``login``, ``authenticate``) raise
        ``StateError``. ``waive_starttls`` lifts that.
        """
        if self._tls_is_on():
            raise abort("TLS is established already")
        # Before anything can fail: a program that goes on behind the failure must not send its password in the clear.
        self._session.awaits_tls = True
        if self._session.state is State.NONAUTH and "STARTTLS" not in self._known_capabilities():
            raise abort("the server does not announce STARTTLS; nothing was sent")
        wrap = self._use_tls(
            keyfile=keyfile,
            certfile=certfile,
            ca_certs=ca_certs,
            cert_verify_cb=cert_verify_cb,
            ssl_version=ssl_version,
            tls_level=tls_level,
            ssl_context=ssl_context,
        )
        return self._call_with(options, "STARTTLS", layer=wrap, finish=self._secured)

    def waive_starttls(self) -> None:
        """Let secrets go out without TLS on this connection, although ``starttls`` was called and has not succeeded.

        Returns None, sends nothing, and holds until ``starttls`` is called again. State: any. See RFC 9051 section 11.1 for what
        a login in the clear shows to everyone on the way.
        """
        self._session.awaits_tls = False

    def _secured(self, request: Done) -> Result:
        result = self._result(request)
        if result[0] != "OK":
            text = f"couldn't establish TLS session: {shown(request.text, 1000)}"
            raise NoResponse(text, typ=request.typ, text=request.text, command="STARTTLS")
        self._known_capabilities()
        return result


def _not_twice(session: Session, args: tuple[Any, ...]) -> None:
    # Another thread may have been quicker.
    if session.secure:
        raise abort("TLS is established already")
    session.awaits_tls = True


def _layer(session: Session, wrap: Callable[[], None] | None) -> None:
    if wrap is None:
        raise abort("STARTTLS was sent by another way than starttls(), which says how TLS is to be; the connection is closed")
    wrap()


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 2595."""
    return Family(
        name="starttls",
        mixin=StartTLSCommands,
        commands=(
            Command(
                "STARTTLS",
                State.NONAUTH,
                rest=no_arguments,
                exclusive=True,
                before=_not_twice,
                layer="tls",
                tail="reject",
            ),
        ),
        capabilities=("STARTTLS",),
        layers={"tls": LayerSpec(_layer, order=TLS_ORDER)},
        requires=("rev1",),
    )
