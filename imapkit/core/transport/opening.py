"""Opening a TCP connection: which port, which addresses, and one deadline for all of them."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

from imapkit.core.support.shown import shown
from imapkit.core.transport.base import LONGEST_WAIT
from imapkit.errors import ArgumentError, ResolveError, connect_error

__all__ = ["open_tcp", "port_number"]

_Address = tuple[int, int, int, str, "tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]"]


def port_number(port: object) -> int:
    """``port`` as a number from 1 to 65535; it may be the digits as text, or the name of a TCP service ("imaps").

    Raises ``ArgumentError`` for anything else.
    """
    number = port
    if isinstance(port, str):
        number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else _service(port)
    # The resolver would wrap a larger number around and connect to another port.
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 65536:
        raise ArgumentError(f"not a port: {port!r:.80}")
    return number


def _service(name: str) -> int | None:
    try:
        return socket.getservbyname(name, "tcp")
    except (OSError, ValueError):
        return None


def open_tcp(host: str, port: int | str, timeout: float) -> socket.socket:
    """Connect to ``host`` (an empty one is this machine) within ``timeout`` seconds, whatever the number of its addresses.

    Raises ``ResolveError`` if it has no address, ``ConnectError`` if none of them answers, ``ArgumentError`` for what cannot be a
    host or a port.
    """
    host, port = host or "localhost", port_number(port)
    if not isinstance(host, str):
        raise ArgumentError(f"not a host name: {host!r:.300} (it is {type(host).__name__}, not text)")
    where = f"{shown(str(host), 300)}:{port}"
    end = time.monotonic() + timeout
    addresses = _resolve(host, port, where)
    failure: OSError = TimeoutError("timed out")
    for i, address in enumerate(addresses):
        rest = end - time.monotonic()
        if rest <= 0:
            break
        try:
            # An address that does not answer leaves the others their share.
            return _connect(address, rest / (len(addresses) - i))
        except OSError as exc:
            failure = exc
    try:
        raise connect_error(failure, where) from failure
    finally:
        # The error's traceback holds this frame: it must not hold the error in turn.
        del failure


def _resolve(host: str, port: int, where: str) -> Sequence[_Address]:
    try:
        if "\0" in host:
            # The system's resolver would take what stands before it for the name.
            raise ValueError("NUL")
        return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except UnicodeError as exc:
        # A label that is empty or longer than 63 bytes (RFC 1035 section 2.3.4), or what IDNA does not allow.
        raise ResolveError(socket.EAI_NONAME, f"{where}: not a host name ({exc.__cause__ or exc})") from exc
    except OSError as exc:
        raise connect_error(exc, where) from exc
    except ValueError as exc:
        raise ArgumentError(f"not a host name: {host!r:.300} ({exc})") from exc


def _connect(address: _Address, timeout: float) -> socket.socket:
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        # No system tries for that long.
        sock.settimeout(min(timeout, LONGEST_WAIT))
        sock.connect(place)
        sock.settimeout(None)
    except BaseException:
        sock.close()
        raise
    return sock
