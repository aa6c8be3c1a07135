"""Opens a TCP connection: checks the port, resolves the host, and tries its addresses within one deadline."""

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
    # The resolver takes a larger number modulo 65536, and the client would connect to another port.
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 65536:
        raise ArgumentError(f"not a port: {port!r:.80}")
    return number


def _service(name: str) -> int | None:
    try:
        return socket.getservbyname(name, "tcp")
    except (OSError, ValueError):
        return None


def open_tcp(host: str, port: int | str, timeout: float) -> socket.socket:
    """A socket connected to ``host`` ("": this machine), within ``timeout`` seconds for all its addresses together.

    Raises ``ResolveError`` if the host has no address, ``ConnectError`` if no address answers, ``ArgumentError`` for an invalid
    host or port.
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
            # Each address gets an equal share of the time left, so that one that does not answer leaves time for the others.
            return _connect(address, rest / (len(addresses) - i))
        except OSError as exc:
            failure = exc
    try:
        raise connect_error(failure, where) from failure
    finally:
        # The error's traceback holds this frame: a reference back would be a cycle.
        del failure


def _resolve(host: str, port: int, where: str) -> Sequence[_Address]:
    try:
        if "\0" in host:
            # The system's resolver would cut the name at the NUL.
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
        # A larger number may overflow in the system call.
        sock.settimeout(min(timeout, LONGEST_WAIT))
        sock.connect(place)
        sock.settimeout(None)
    except BaseException:
        sock.close()
        raise
    return sock
