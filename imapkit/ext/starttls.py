"""The family ``starttls``: STARTTLS, RFC 3501 section 6.2.1 and RFC 2595."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

from imapkit.core.api import CallOptions, Commands, Done, Result, Session, no_arguments
from imapkit.errors import NoResponse, abort
from imapkit.family import Command, Family, LayerSpec, State, hookimpl

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

        The arguments are those of ``IMAP4_SSL``: the server's certificate and host name are verified unless they say otherwise,
        by the client's own ``ssl_context`` if it has one and none of them is given. Whatever the server said before counts no
        more, and its capabilities are asked for again. ``cert_verify_cb`` runs on another thread and may not issue commands.
        Raises ``abort`` if TLS is on already or not announced (nothing is sent then), ``NoResponse`` if the server refuses,
        ``TLSError`` if the handshake fails, after which the connection is closed.
        """
        if self._tls_is_on():
            raise abort("TLS is established already")
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

    def _secured(self, request: Done) -> Result:
        result = self._result(request)
        if result[0] != "OK":
            text = request.text.decode("utf-8", "backslashreplace")
            raise NoResponse(f"couldn't establish TLS session: {text}", typ=request.typ, text=request.text, command="STARTTLS")
        self._known_capabilities()
        return result


def _not_twice(session: Session, args: tuple[Any, ...]) -> None:
    # Another thread may have been quicker.
    if session.secure:
        raise abort("TLS is established already")


def _layer(session: Session, wrap: Callable[[], None]) -> None:
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
        layers={"tls": LayerSpec(_layer)},
        requires=("rev1",),
    )
