"""The command ``imapkit``: a demonstration, a listing of the families, and a check of the installation."""

from __future__ import annotations

import argparse
import ipaddress
import sys
from collections.abc import Sequence

import imapkit

__all__ = ["main", "parser"]

INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; ``argv`` is by default that of the process.

    Returns 0 if all went well, 1 if something failed, 2 if something needed is missing. Raises SystemExit, as argparse
    does, for arguments that make no sense (status 2), ``--help`` and ``--version``.
    """
    commands = parser()
    args = commands.parse_args(argv)
    try:
        return _run(args, commands)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (imapkit.error, OSError) as exc:
        print(f"imapkit: {type(exc).__name__}: {exc}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    made = argparse.ArgumentParser(prog="imapkit", description="A threaded IMAP4 client, every command family a plugin.")
    made.add_argument("--version", action="version", version=f"imapkit {imapkit.__version__}")
    commands = made.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    commands.add_parser("plugins", help="list the command families: where from, what they bring, whether they are on")
    doctor = commands.add_parser("doctor", help="check that the installed families load and agree")
    doctor.add_argument("--write", action="store_true", help="bring the index of the builtin families up to date")
    _trim_arguments(commands.add_parser("trim", help="make a wheel with just some of the command families"))
    _demo_arguments(commands.add_parser("demo", help="show imapkit at work", description=_DEMO))
    return made


_DEMO = """Without arguments: against an IMAP server inside this process, with some hundred messages. With --host: against
a server of your own, reading only. The password is asked for, or taken from the environment (IMAPKIT_PASSWORD)."""


def _demo_arguments(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--host", help="an IMAP server of your own; nothing on it is changed")
    demo.add_argument("--user", help="whom to log in there")
    demo.add_argument("--port", type=_port, help="default: 143, or 993 with --ssl")
    demo.add_argument("--ssl", action="store_true", help="use TLS from the start")
    demo.add_argument("--cafile", metavar="FILE", help="a PEM file with the authorities to trust (with --ssl)")
    insecure = "do not verify the certificate (with --ssl); send the password in the clear (without)"
    demo.add_argument("--insecure", action="store_true", help=insecure)


def _trim_arguments(trim: argparse.ArgumentParser) -> None:
    trim.add_argument("wheel", metavar="WHEEL", help="a wheel of imapkit")
    trim.add_argument("--keep", metavar="FAMILY[,FAMILY]", action="append", required=True, help="what they require is kept, too")
    parts = "leave out the command line (cli), the tools for tests (testing)"
    trim.add_argument("--without", metavar="PART[,PART]", action="append", default=[], help=parts)
    trim.add_argument("-o", "--output", metavar="DIR", default="trimmed", help="where to put it (default: %(default)s)")


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 1 << 16:
        raise argparse.ArgumentTypeError(f"{port} is no port: 1 to 65535")
    return port


def _run(args: argparse.Namespace, commands: argparse.ArgumentParser) -> int:
    # Each subcommand is imported for itself: `plugins` and `doctor` do without what the demo needs.
    if args.subcommand == "doctor":
        from imapkit.cli import doctor

        return doctor.main(args.write)
    if args.subcommand == "plugins":
        from imapkit.cli import plugins

        return plugins.main()
    if args.subcommand == "trim":
        from imapkit.cli import trim

        return trim.main(args.wheel, args.keep, args.without, args.output)
    if wrong := _contradiction(args):
        commands.error(f"demo: {wrong}")
    from imapkit.cli import demo

    if args.host is None:
        return demo.embedded()
    return demo.own_server(demo.Target(args.host, args.user, args.port, args.ssl, args.insecure, args.cafile))


def _contradiction(args: argparse.Namespace) -> str | None:
    """What is wrong with the arguments of ``demo``, taken together."""
    if args.host is None:
        for name in ("user", "port", "ssl", "cafile", "insecure"):
            if getattr(args, name) is not None and getattr(args, name) is not False:
                return f"--{name} needs --host"
        return None
    if args.user is None:
        return "--host needs --user"
    if args.cafile and (args.insecure or not args.ssl):
        return "--cafile goes with --ssl, and not with --insecure"
    if not args.ssl and not args.insecure and not _is_loopback(args.host):
        return "the password would be sent in the clear: add --ssl (or --insecure, if that is what you want)"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
