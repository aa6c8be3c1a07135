"""A certificate for a test's own server. Its key is public, so it proves nothing: trust it in tests only."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LOCALHOST", "ServerCertificate", "Tls", "server_context"]


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A self-signed certificate with its key, both in the PEM file ``pem``; ``ScriptedServer(tls=...)`` takes it.

    ``pem`` is also what ``IMAP4_SSL(ca_certs=...)`` takes.
    """

    pem: str

    def server_context(self) -> ssl.SSLContext:
        """A server's context with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem)
        return context

    def client_context(self) -> ssl.SSLContext:
        """A context for ``ssl_context=`` that trusts this certificate alone, and verifies the host name."""
        return ssl.create_default_context(cafile=self.pem)


LOCALHOST = ServerCertificate(str(Path(__file__).with_name("localhost.pem")))
"""For localhost and 127.0.0.1, valid for a hundred years."""

Tls = ssl.SSLContext | ServerCertificate | tuple[str | os.PathLike[str], str | os.PathLike[str] | None]
"""A server's context, ``LOCALHOST``, or the PEM files of a certificate and of its private key (None: in the same file)."""


def server_context(tls: Tls) -> ssl.SSLContext:
    """The server's context for ``tls``."""
    if isinstance(tls, ssl.SSLContext):
        return tls
    if isinstance(tls, ServerCertificate):
        return tls.server_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    return context
