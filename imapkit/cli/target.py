"""A server of the user's: the arguments that name it, their check, the password, and the connection."""

from __future__ import annotations

import argparse
import getpass
import ipaddress
import os
import re
import sys
from typing import NamedTuple

import imapkit

__all__ = ["PASSWORD", "Target", "add_arguments", "contradiction", "password"]

PASSWORD = "IMAPKIT_PASSWORD"
"""The environment variable for the password."""


class Target(NamedTuple):
    """A server, the user to log in, and the settings of the connection."""

    host: str
    user: str | None = None
    port: int | None = None
    ssl: bool = False
    insecure: bool = False
    cafile: str | None = None
    starttls: bool = False

    @classmethod
    def of(cls, args: argparse.Namespace) -> Target:
        """The target of parsed arguments."""
        return cls(**{name: getattr(args, name) for name in cls._fields if hasattr(args, name)})

    def connect(self) -> imapkit.IMAP4:
        """A connected client, with TLS from the start if ``ssl`` is true. Raises what ``IMAP4_SSL`` raises."""
        if not self.ssl:
            return imapkit.IMAP4(self.host, self.port)
        context = imapkit.unverified_context() if self.insecure else None
        return imapkit.IMAP4_SSL(self.host, self.port, ca_certs=self.cafile, ssl_context=context)

    def start_tls(self, client: imapkit.IMAP4) -> None:
        """Put TLS on the connection by STARTTLS. Raises what ``starttls`` raises."""
        context = imapkit.unverified_context() if self.insecure else None
        client.starttls(ca_certs=self.cafile, ssl_context=context)


def password(target: Target) -> str:
    """The user's password, from the environment or typed; without a terminal, the first line of the standard input.

    Raises ``imapkit.error`` without a password. It is no argument, since all users of the machine can read those.
    """
    if given := os.environ.get(PASSWORD):
        return given
    try:
        if sys.stdin is None or not sys.stdin.isatty():
            typed = sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else ""
        else:
            typed = getpass.getpass(f"password of {target.user} at {target.host}: ")
    except EOFError:
        typed = ""
    except KeyboardInterrupt:
        print(file=sys.stderr)  # the shell's prompt must begin on a new line
        raise
    if not typed:
        raise imapkit.error(f"no password was given: type it, or set {PASSWORD}")
    return typed


def add_arguments(parser: argparse.ArgumentParser, *, starttls: bool = False) -> None:
    """Add the arguments of a subcommand that connects to a server; ``starttls``: also ``--starttls``."""
    parser.add_argument("--host", help="an IMAP server of your own; imapkit only reads from it")
    parser.add_argument("--user", help="the user to log in")
    parser.add_argument("--port", type=_port, help="default: 143, or 993 with --ssl")
    parser.add_argument("--ssl", action="store_true", help="use TLS from the start")
    if starttls:
        parser.add_argument("--starttls", action="store_true", help="switch to TLS with STARTTLS")
    parser.add_argument("--cafile", metavar="FILE", help="a PEM file of the authorities to trust (with TLS)")
    insecure = "do not verify the certificate (with TLS); send the password in the clear (without)"
    parser.add_argument("--insecure", action="store_true", help=insecure)


def contradiction(args: argparse.Namespace) -> str | None:
    """The conflict between the arguments, or None."""
    if args.host is None:
        for name in ("user", "port", "ssl", "starttls", "cafile", "insecure"):
            if getattr(args, name, None) not in (None, False):
                return f"--{name} needs --host"
        return None
    target = Target.of(args)
    tls, options = target.ssl or target.starttls, "--ssl or --starttls" if hasattr(args, "starttls") else "--ssl"
    if target.ssl and target.starttls:
        return "--ssl and --starttls exclude each other"
    if target.cafile and (target.insecure or not tls):
        return f"--cafile goes with {options}, and not with --insecure"
    if target.user is not None and not tls and not target.insecure and not _is_loopback(target.host):
        return f"the password would be sent in the clear: add {options} (or --insecure, if that is what you want)"
    return None


def _port(text: str) -> int:
    port = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
    if not 0 < port < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a port: a number from 1 to 65535")
    return port


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
