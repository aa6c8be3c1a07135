"""TLS as a layer: an ``ssl.SSLObject`` between memory buffers, every operation under a lock.

One ``SSLSocket`` must not be read and written by two threads at once; here nothing blocks while the lock is held.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from imapkit.errors import ArgumentError, ConnectError, ConnectionClosed, error

if TYPE_CHECKING:
    from imapkit.core.transport.layers import Layers

__all__ = ["TLSCertificateError", "TLSError", "TLSFileError", "TLSLayer", "TLSSocket", "client_context", "unverified_context"]


class TLSError(ConnectError, ssl.SSLError):
    """The TLS handshake failed: an invalid certificate, or no common protocol."""


class TLSCertificateError(TLSError, ssl.SSLCertVerificationError):
    """The server's certificate could not be verified."""


class TLSFileError(OSError, ArgumentError):
    """A file that a TLS setting names cannot be used. ``filename``: its name; ``errno``: the operating system's error number."""

    __str__, __reduce__ = ArgumentError.__str__, ArgumentError.__reduce__


_RECORD = 1 << 14
"""The most bytes in a record (RFC 8446 section 5.1); one record is read at a time."""
_RECORDS = 16
_ENDED = "the server ended TLS"
_SPARE = 2
_spaces: list[memoryview] = []
"""Buffers to decrypt many records into, kept for reuse, at most ``_SPARE``."""
_VERSIONS = {"tls1_2": ssl.TLSVersion.TLSv1_2, "tls1_3": ssl.TLSVersion.TLSv1_3}
_RETIRED = ("ssl2", "ssl3", "tls1", "tls1_1")


def client_context(
    *,
    ca_certs: str | None = None,
    certfile: str | None = None,
    keyfile: str | None = None,
    verify: bool = True,
    version: str | None = None,
) -> ssl.SSLContext:
    """A context for TLS 1.2 and later that verifies chain and host name; ``version``: that one only ("tls1_2", "tls1_3").

    The host name has to be in the certificate's subjectAltName; its common name does not count (RFC 9525 section 2).
    Raises ``ArgumentError`` for a version that is not offered, and ``TLSFileError`` for a file that cannot be used.
    """
    with _naming("ca_certs", ca_certs):
        context = ssl.create_default_context(cafile=ca_certs or None)
    context.hostname_checks_common_name = False
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if version in _VERSIONS:
        context.minimum_version = context.maximum_version = _VERSIONS[version]
    elif version not in (None, "ssl23"):
        why = "is not offered any more (RFC 8996); an ssl_context= may allow it" if version in _RETIRED else "is unknown"
        raise ArgumentError(f"ssl_version {version!r} {why}")
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certfile or keyfile:
        with _naming("certfile" if certfile else "keyfile", certfile, keyfile):
            context.load_cert_chain(certfile or keyfile or "", keyfile)
    return context


def unverified_context() -> ssl.SSLContext:
    """An ``ssl_context=`` that verifies neither certificate nor host name: an attacker on the network can read everything."""
    return client_context(verify=False)


@contextlib.contextmanager
def _naming(setting: str, *paths: str | None) -> Iterator[None]:
    """Add the setting and the file names to OpenSSL's error. Raises ``TLSFileError`` and ``ArgumentError``."""
    try:
        yield
    except OSError as exc:
        given = [path for path in dict.fromkeys(paths) if path]
        names = [path for path in given if not os.access(path, os.R_OK)] or given
        why = exc.strerror or str(exc)
        if isinstance(exc, ssl.SSLError):
            why = "it holds nothing of that kind, or not in PEM" if names == given else "it cannot be read"
        problem = TLSFileError(f"{setting} {' with '.join(map(repr, names))} cannot be used: {why}")
        problem.errno, problem.filename = exc.errno, names[0] if names else None
        raise problem from exc
    except ValueError as exc:
        # The file name contains NUL.
        raise ArgumentError(f"{setting}: {exc}") from exc


class TLSLayer:
    """TLS as a layer; ``verify_callback(certificate, host)`` returns an error text, or None.

    The context decides what is verified; the callback is called in addition. It gets what ``getpeercert()`` returns if the
    context verifies the chain; else that would be empty, and the callback gets the certificate's DER bytes.
    """

    def __init__(
        self, context: ssl.SSLContext, host: str | None, verify_callback: Callable[[Any, Any], Any] | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self.object = context.wrap_bio(self._in, self._out, server_hostname=host or None)
        except (ValueError, TypeError) as exc:
            raise ArgumentError(f"not a host name for TLS: {host!r} ({exc})") from exc
        self._host, self._verify_callback = host, verify_callback
        self._filled = 0
        """Bytes that have been decrypted, and not passed on yet."""

    def __repr__(self) -> str:
        """The version, the cipher and what was verified, for the log, which thus shows an opt-out."""
        cipher = self.object.cipher() or ("no cipher",)
        return f"{self.object.version()}, {cipher[0]}, {self._verified()}"

    def _verified(self) -> str:
        context, asked = self.object.context, self._verify_callback is not None
        if context.verify_mode is ssl.CERT_NONE:
            return "NOT VERIFIED except by cert_verify_cb" if asked else "NOT VERIFIED"
        named = "chain and host name verified" if context.check_hostname else "chain verified, host name NOT VERIFIED"
        return f"{named}, accepted by cert_verify_cb" if asked else named

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        """Do the handshake. Raises ``TLSError``."""
        try:
            self._shake_hands(send, receive)
        except error:
            raise
        except OSError as exc:
            lost = TLSError(f"the connection was lost during the TLS handshake: {exc.strerror or exc}")
            lost.errno = exc.errno
            raise lost from exc
        self._verify()

    def _shake_hands(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        while True:
            try:
                self.object.do_handshake()
                break
            except ssl.SSLWantReadError:
                send(self._out.read())
                data = receive()
                if not data:
                    raise TLSError("the server closed the connection during the TLS handshake") from None
                self._in.write(data)
            except ssl.SSLError as exc:
                with contextlib.suppress(Exception):
                    send(self._out.read())
                raise _tls_error(exc, self._host) from exc
        if self._out.pending:
            send(self._out.read())

    def _verify(self) -> None:
        if self._verify_callback is None:
            return
        try:
            unverified = self.object.context.verify_mode is ssl.CERT_NONE
            problem = self._verify_callback(self.object.getpeercert(unverified), self._host)
        except Exception as exc:
            raise TLSCertificateError(f"cert_verify_cb raised {exc!r}") from exc
        if problem:
            raise TLSCertificateError(str(problem))

    def encode(self, data: bytes | memoryview) -> bytes:
        """The records for ``data``, and TLS messages that are due."""
        with self._lock:
            self.object.write(data)
            return self._out.read()

    def decode(self, data: bytes) -> Iterable[bytes]:
        """The plain text of the records that are complete, in pieces of bounded size."""
        with self._lock:
            self._in.write(data)
        return self._read_few() if len(data) <= _RECORD else self._read_many()

    def _read_few(self) -> Iterable[bytes]:
        """Decrypt few records: most answers are one. A layer that has just been switched on may hold some already."""
        pieces: list[bytes] = []
        try:
            with self._lock:
                while True:
                    pieces.append(self.object.read(_RECORD))
                    if not pieces[-1]:
                        raise ConnectionClosed(_ENDED)
                    # Another read without a record would raise, which takes time.
                    if not self._in.pending and not self.object.pending():
                        return pieces
        except ssl.SSLWantReadError:
            return pieces
        except ssl.SSLZeroReturnError:
            return _before(pieces, ConnectionClosed(_ENDED))
        except Exception as exc:
            return _before(pieces, exc)

    def _read_many(self) -> Iterator[bytes]:
        try:
            space = _spaces.pop()
        except IndexError:
            space = memoryview(bytearray(_RECORD * _RECORDS))
        try:
            yield from self._read_all(space)
        finally:
            if len(_spaces) < _SPARE:
                _spaces.append(space)

    def _read_all(self, space: memoryview) -> Iterator[bytes]:
        more = True
        while more:
            self._filled = 0
            try:
                more = self._fill(space)
            finally:
                # The bytes decrypted before an error come first.
                if self._filled:
                    yield bytes(space[: self._filled])

    def _fill(self, space: memoryview) -> bool:
        """Decrypt some records into ``space``; returns whether there may be more."""
        read: Callable[[int, memoryview], int] = self.object.read  # type: ignore[assignment]
        with self._lock:
            for _ in range(_RECORDS):
                room = space[self._filled :]
                if not room:
                    break
                try:
                    got = read(len(room), room)
                except ssl.SSLWantReadError:
                    return False
                except ssl.SSLZeroReturnError:
                    got = 0
                if not got:
                    # TCP may stay open for long, but the server sends nothing more.
                    raise ConnectionClosed(_ENDED)
                self._filled += got
        return True

    def finish(self) -> bytes:
        """The close_notify alert."""
        with self._lock:
            with contextlib.suppress(ssl.SSLError):
                self.object.unwrap()
            return self._out.read()


def _before(pieces: list[bytes], exc: Exception) -> Iterator[bytes]:
    """Yield the bytes decrypted before an error, then raise it."""
    yield from filter(None, pieces)
    raise exc


def _tls_error(exc: ssl.SSLError, host: str | None) -> TLSError:
    """The error of imapkit for one of OpenSSL's, with the same attributes."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        twin: TLSError = TLSCertificateError(f"certificate of {host}: {exc.verify_message}")
    else:
        twin = TLSError(f"TLS with {host} failed: {exc.reason or exc}")
    vars(twin).update(vars(exc))
    twin.errno = exc.errno
    return twin


class TLSSocket:
    """``IMAP4.sock`` with TLS on: reads and writes through the layers, and has the certificate, the cipher and the socket."""

    def __init__(self, sock: Any, layer: TLSLayer, layers: Layers) -> None:
        self._sock, self._layer, self._layers = sock, layer, layers

    def recv(self, size: int) -> bytes:
        """At least one byte from the server, at most ``size``; b"" at the end."""
        return self._layers.read(size)

    def sendall(self, data: bytes) -> None:
        """Send ``data``, without a deadline."""
        self._layers.write(data, lambda: inf)

    def send(self, data: bytes) -> int:
        """Send ``data``; returns its length."""
        self.sendall(data)
        return len(data)

    read, write = recv, send

    def pending(self) -> int:
        """How many bytes ``recv`` returns without waiting."""
        return self._layers.pending()

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The server's certificate, as ``ssl.SSLSocket.getpeercert`` gives it."""
        return self._layer.object.getpeercert(binary_form)

    def cipher(self) -> tuple[str, str, int] | None:
        """The cipher in use."""
        return self._layer.object.cipher()

    def version(self) -> str | None:
        """The TLS version in use."""
        return self._layer.object.version()

    @property
    def context(self) -> ssl.SSLContext:
        """The context that the connection was made with."""
        return self._layer.object.context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
