"""The command ``imapkit``: a demonstration, a listing of the families, a new plugin, and checks."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import imapkit
from imapkit.cli import target
from imapkit.cli.shown import printable

__all__ = ["main", "parser"]

INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended."""
NOBODY_READS = 141
"""What a shell reports for a program that SIGPIPE ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; ``argv`` is by default that of the process.

    Returns 0 if all went well, 1 if something failed, 2 if something needed is missing, 130 after Ctrl-C, and 141 when nobody
    reads what is written (``imapkit plugins | head``), as a shell reports these. Raises SystemExit, as argparse
    does, for arguments that make no sense (status 2), ``--help`` and ``--version``.
    """
    commands = parser()
    args = commands.parse_args(argv)
    try:
        status = _run(args, commands)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is still to be written must not fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except (imapkit.error, OSError) as exc:
        for line in f"imapkit: {type(exc).__name__}: {exc}".splitlines():
            print(printable(line), file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    made = argparse.ArgumentParser(prog="imapkit", description="A threaded IMAP4 client, every command family a plugin.")
    made.add_argument("--version", action="version", version=f"imapkit {imapkit.__version__}")
    commands = made.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    _plugins_arguments(commands.add_parser("plugins", help="list the command families, or begin one", description=_PLUGINS))
    doctor = commands.add_parser("doctor", help="check the installed families, and what a server has", description=_DOCTOR)
    doctor.add_argument("--json", action="store_true", help="as JSON, for programs")
    doctor.add_argument("--write", action="store_true", help="bring the index of the builtin families up to date")
    target.add_arguments(doctor, starttls=True)
    _trim_arguments(commands.add_parser("trim", help="make a wheel with just some of the command families"))
    target.add_arguments(commands.add_parser("demo", help="show imapkit at work", description=_DEMO))
    return made


_PLUGINS = """List the command families: where each comes from, what it brings, whether it is on, and if not, why. The status is 1
if they cannot be used together."""
_DOCTOR = """Check that the installed families load and agree. With --host: show what a server announces, before and after login,
and which family serves it. The password is asked for, or taken from the environment (IMAPKIT_PASSWORD)."""
_NEW = """Write a plugin that works: a project with a command family, its entry point, its tests and a README, to change into
your own. Its tests pass as they are."""
_DEMO = """Without arguments: against an IMAP server inside this process, with some hundred messages. With --host: against
a server of your own, reading only. The password is asked for, or taken from the environment (IMAPKIT_PASSWORD)."""


def _plugins_arguments(plugins: argparse.ArgumentParser) -> None:
    plugins.add_argument("--json", action="store_true", help="as JSON, for programs")
    actions = plugins.add_subparsers(dest="action", metavar="")
    new = actions.add_parser("new", help="write a new plugin", description=_NEW)
    new.add_argument("name", metavar="NAME", help="what it is about: gmail, x-list")
    kinds = "command: one with a response of its own (default); item: of FETCH, and a search key"
    new.add_argument("--kind", choices=("command", "item"), default="command", help=kinds)
    new.add_argument("-o", "--output", metavar="DIR", default=".", help="where to make its directory (default: here)")


def _trim_arguments(trim: argparse.ArgumentParser) -> None:
    trim.add_argument("wheel", metavar="WHEEL", help="a wheel of imapkit")
    trim.add_argument("--keep", metavar="FAMILY[,FAMILY]", action="append", required=True, help="what they require is kept, too")
    parts = "leave out the command line (cli), the tools for tests (testing)"
    trim.add_argument("--without", metavar="PART[,PART]", action="append", default=[], help=parts)
    trim.add_argument("-o", "--output", metavar="DIR", default="trimmed", help="where to put it (default: %(default)s)")


def _run(args: argparse.Namespace, commands: argparse.ArgumentParser) -> int:
    # Each subcommand is imported for itself: `plugins` and `doctor` do without what the demo needs.
    if args.subcommand == "plugins":
        return _plugins(args)
    if args.subcommand == "trim":
        from imapkit.cli import trim

        return trim.main(args.wheel, args.keep, args.without, args.output)
    if wrong := target.contradiction(args):
        commands.error(f"{args.subcommand}: {wrong}")
    return _doctor(args) if args.subcommand == "doctor" else _demo(args, commands)


def _plugins(args: argparse.Namespace) -> int:
    if args.action == "new":
        from imapkit.cli import new

        return new.main(args.name, args.output, args.kind)
    from imapkit.cli import plugins

    return plugins.main(as_data=args.json)


def _doctor(args: argparse.Namespace) -> int:
    from imapkit.cli import doctor

    return doctor.main(args.write, as_data=args.json, target=None if args.host is None else target.Target.of(args))


def _demo(args: argparse.Namespace, commands: argparse.ArgumentParser) -> int:
    from imapkit.cli import demo

    if args.host is None:
        return demo.embedded()
    if args.user is None:
        commands.error("demo: --host needs --user")
    return demo.own_server(target.Target.of(args))
