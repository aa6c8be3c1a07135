"""A certificate for a test's own server. Its key is public, so that it proves nothing: trust it in tests and nowhere else."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LOCALHOST", "ServerCertificate"]


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A self-signed certificate with its key, both in the PEM file ``pem``; ``ScriptedServer(tls=...)`` takes it.

    ``pem`` is also what ``IMAP4_SSL(ca_certs=...)`` takes.
    """

    pem: str

    def server_context(self) -> ssl.SSLContext:
        """A context of the server's side, which shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem)
        return context

    def client_context(self) -> ssl.SSLContext:
        """A context for ``ssl_context=`` that verifies, host name included, and trusts this certificate and no other."""
        return ssl.create_default_context(cafile=self.pem)


LOCALHOST = ServerCertificate(str(Path(__file__).with_name("localhost.pem")))
"""For localhost and 127.0.0.1, valid for a hundred years."""
