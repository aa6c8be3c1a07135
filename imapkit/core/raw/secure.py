"""How a client comes by TLS: at once, or on a connection that began without; by itself, or by what a subclass does.

The settings of a call travel with the call. They become the client's own attributes when the server has agreed to that call, just
before the handshake. A call that the server refuses leaves nothing behind that a later call would use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from imapkit.core.contract.commands import Commands
from imapkit.core.contract.extension import TLS_ORDER
from imapkit.core.transport.base import Transport, within
from imapkit.core.transport.layers import Layers
from imapkit.core.transport.sockets import SSLSocketTransport, is_ssl_socket, over
from imapkit.errors import ArgumentError, CommandTimeout, ConnectionClosed

if TYPE_CHECKING:
    import ssl

    from imapkit.core.support.limits import Timeouts
    from imapkit.core.threads.connection import Connection
    from imapkit.core.threads.trace import Trace

__all__ = ["IMAP4_PORT", "IMAP4_SSL_PORT", "TLS_COMPAT", "TLS_NO_SSL", "TLS_SECURE", "Secured"]

IMAP4_PORT = 143
"""The port of IMAP: without TLS, or with STARTTLS."""
IMAP4_SSL_PORT = 993
"""The port of IMAP over TLS from the start (RFC 8314)."""

TLS_PORT_PATIENCE = 5.0
"""Seconds that a client without TLS waits for the first byte at the port that is for TLS (RFC 8314 section 7.2)."""

TLS_SECURE = "tls_secure"
"""For ``tls_level=``, as in imaplib2. TLS before 1.2 is never offered, so the three levels are the same here."""
TLS_NO_SSL = "tls_no_ssl"
"""For ``tls_level=``: see ``TLS_SECURE``."""
TLS_COMPAT = "tls_compat"
"""For ``tls_level=``: see ``TLS_SECURE``. The default."""
_LEVELS = (TLS_COMPAT, TLS_NO_SSL, TLS_SECURE)
_FILES = ("ca_certs", "certfile", "keyfile")
_ANY_VERSION = (None, "ssl23")


class Secured(Commands):
    """The part of a client that knows about TLS. ``ssl`` is not imported before it is needed."""

    keyfile: str | None = None
    certfile: str | None = None
    ca_certs: str | None = None
    cert_verify_cb: Callable[[Any, Any], Any] | None = None
    ssl_version: str | None = "ssl23"
    tls_level: str | None = TLS_COMPAT

    sock: Any
    host: str
    port: int
    _ssl_context: ssl.SSLContext | None
    _timeouts: Timeouts
    _trace: Trace
    _layers: Layers | None
    _connection: Connection | None

    def _layered(self, transport: Transport) -> Layers:
        """The layers above ``transport`` that are on from the start."""
        raise NotImplementedError

    def ssl_wrap_socket(self) -> None:
        """Put TLS on the connection; a subclass may set ``sock`` to an ``ssl.SSLSocket`` instead. Raises ``TLSError``."""
        from imapkit.core.transport.tls import TLSLayer, TLSSocket

        context = self._ssl_context or _new_context({name: getattr(self, name) for name in (*_FILES, "ssl_version", "tls_level")})
        layer = TLSLayer(context, self.host or "localhost", self.cert_verify_cb)
        layers = self._layers
        if layers is None and self._connection is not None:
            # A subclass reads and writes without a socket of ours.
            layers = self._connection.layers
        elif layers is None:
            layers = self._layers = self._layered(over(self.sock))
        layers.insert(layer, within(self._timeouts.connect), TLS_ORDER)
        self.sock = TLSSocket(self.sock, layer, layers)
        self._trace.log(1, f"TLS: {layer}")

    def _set_tls(self, **settings: Any) -> None:
        for name, value in settings.items():
            setattr(self, name, value)

    def _use_tls(self, *, ssl_context: ssl.SSLContext | None = None, **settings: Any) -> Callable[[], None]:
        """See ``Commands._use_tls``."""
        return partial(self._take_over, ssl_context or self._context_for(settings), settings)

    def _context_for(self, settings: Mapping[str, Any]) -> ssl.SSLContext:
        """The client's own context, unless the settings of the call ask for another one."""
        asked = any(settings.get(name) for name in _FILES) or settings.get("ssl_version") not in _ANY_VERSION
        return _new_context(settings) if asked or self._ssl_context is None else self._ssl_context

    def _take_over(self, context: ssl.SSLContext, settings: Mapping[str, Any]) -> None:
        """The server has agreed: make the settings of the call the client's own, and put TLS on the connection."""
        self._set_tls(**settings)
        self._ssl_context = context
        self.ssl_wrap_socket()
        if self._layers is not None and is_ssl_socket(self.sock):
            self._layers.transport = SSLSocketTransport(self.sock, self._layers.transport.on_close)

    def _greeted(self, connection: Connection) -> bytes:
        """Wait for the greeting; if a server without TLS keeps silent, say what that may mean.

        A server that expects TLS waits for the client to speak first. Raises ``abort``.
        """
        plain = self.sock is not None and not self._tls_is_on()
        try:
            return connection.start(TLS_PORT_PATIENCE if plain and self.port == IMAP4_SSL_PORT else inf)
        except (CommandTimeout, ConnectionClosed) as exc:
            if plain and connection.silent:
                exc.args = (*exc.args[:-1], f"{exc}; perhaps this is a TLS port: use IMAP4_SSL")
            raise

    def _tls_is_on(self) -> bool:
        """See ``Commands._tls_is_on``."""
        return hasattr(self.sock, "getpeercert")


def _new_context(settings: Mapping[str, Any]) -> ssl.SSLContext:
    """A context for settings with the names that ``IMAP4_SSL`` gives them. Raises as ``client_context`` does."""
    from imapkit.core.transport.tls import client_context

    if settings.get("tls_level") not in (*_LEVELS, None):
        raise ArgumentError(f"unknown tls_level: {settings['tls_level']!r}")
    files = {name: settings.get(name) for name in _FILES}
    return client_context(**files, version=settings.get("ssl_version"), verify=True)
