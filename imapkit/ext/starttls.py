"""The family ``starttls``: STARTTLS, RFC 3501 section 6.2.1 and RFC 2595."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from imapkit.errors import NoResponse, abort
from imapkit.plugin import (
    TLS_ORDER,
    CallOptions,
    Command,
    Commands,
    Done,
    Family,
    LayerSpec,
    Offload,
    Reply,
    Result,
    Session,
    State,
    TypedCommands,
    Wire,
    command,
    hookimpl,
    no_arguments,
    shown,
)

if TYPE_CHECKING:
    import ssl

__all__ = ["StartTLSCommands", "StartTLSSession", "imapkit_family"]

F = TypeVar("F")


class StartTLSCommands(Commands):
    """TLS on a connection that was opened without it."""

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

        Returns ``("OK", [text])``. Raises ``abort``, and sends nothing, if TLS is on already or the server does not announce
        STARTTLS; ``NoResponse`` if the server refuses; ``TLSError`` if the handshake fails, which closes the connection. The
        arguments are those of ``IMAP4_SSL``, and hold for this call alone. The chain and the host name of the server's
        certificate are verified, by ``ssl_context`` if it is given, else by the client's own if it has one and no file is named.
        ``cert_verify_cb`` runs on another thread and may not send commands. The client discards the capabilities that it received
        before TLS, and asks for them again. From the call on, until it has succeeded, commands that send a secret (``login``,
        ``authenticate``) raise ``StateError``. ``waive_starttls`` lifts that.
        """
        if self._tls_is_on():
            raise abort("TLS is established already")
        # Before anything can fail: a caller that goes on after a failure must not send its password in the clear.
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
        """Allow commands with secrets on this connection without TLS, although ``starttls`` was called and has not succeeded.

        Returns None, sends nothing, and holds until ``starttls`` is called again. State: any. RFC 9051 section 11.1 describes the
        risk of a login in the clear.
        """
        self._session.awaits_tls = False

    def _secured(self, request: Done) -> Result:
        result = self._result(request)
        if result[0] != "OK":
            text = f"couldn't establish TLS session: {shown(request.text, 1000)}"
            raise NoResponse(text, typ=request.typ, text=request.text, command="STARTTLS")
        self._known_capabilities()
        return result


class StartTLSSession(TypedCommands[F]):
    """TLS on a connection that was opened without it."""

    @command
    async def starttls(self, ssl_context: ssl.SSLContext | None = None) -> None:
        """Put TLS on the connection; RFC 3501 section 6.2.1; capability STARTTLS; state: not authenticated.

        ``ssl_context``: in place of the client's own, or of the default one, which verifies the chain and the host name of the
        server's certificate. The client discards the capabilities that it received before TLS, and asks for them again. From the
        call on, until it has succeeded, commands that send a secret raise ``StateError``. Raises ``abort`` if TLS is on already;
        ``Missing``, and sends nothing, if the server has no STARTTLS; ``NoResponse`` if it refuses; ``TLSError`` if the handshake
        fails, which closes the connection.
        """
        _not_twice(self._session, ())
        await self._require("STARTTLS", "starttls()")
        wrap = await Offload(lambda: self._tls_settings(ssl_context))
        await Wire("STARTTLS", layer=wrap, parse=_nothing)
        await self._know_capabilities()

    def _tls_settings(self, ssl_context: ssl.SSLContext | None) -> Callable[[], None]:
        wrap: Callable[[], None] = self._link.use_tls(ssl_context)
        return wrap


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""


def _not_twice(session: Session, args: tuple[Any, ...]) -> None:
    # Another thread may have started TLS since ``starttls`` looked.
    if session.secure:
        raise abort("TLS is established already")
    session.awaits_tls = True


def _layer(session: Session, wrap: Callable[[], None] | None) -> None:
    if wrap is None:
        raise abort("STARTTLS was not sent by starttls(), so there are no settings for TLS; the connection is closed")

    wrap()


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 2595."""
    return Family(
        name="starttls",
        mixin=StartTLSCommands,
        session=StartTLSSession,
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
        contract=2,
    )
