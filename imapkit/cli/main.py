"""The command ``imapkit``: a demonstration, a listing of the families, a new plugin, and checks."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import imapkit
from imapkit.cli import target
from imapkit.cli.widths import wrapped
from imapkit.core.support.shown import shown

__all__ = ["main", "parser"]

INTERRUPTED = 130
"""The status that a shell reports for a program ended by Ctrl-C."""
OUTPUT_CLOSED = 141
"""The status that a shell reports for a program ended by SIGPIPE."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; ``argv`` is by default that of the process.

    Returns the exit status: 0 for success, 1 for a failure, 2 if a needed package is missing, 130 after Ctrl-C, and 141 if the
    output was closed (``imapkit plugins | head``). Raises SystemExit, as argparse does, for invalid arguments (status 2),
    ``--help`` and ``--version``.
    """
    _open_missing_outputs()
    try:
        try:
            return _run(parser(), argv)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return OUTPUT_CLOSED
    except (imapkit.error, OSError) as exc:
        if not _can_be_written():
            _discard_output()
        for line in f"imapkit: {type(exc).__name__}: {exc}".split("\n"):
            print(*wrapped(shown(line), sys.stderr), sep="\n", file=sys.stderr)
        return 1


def _open_missing_outputs() -> None:
    """Replace closed outputs by the null device: a shell can start a program without outputs (``>&-``)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - it stays open to the end


def _can_be_written() -> bool:
    try:
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _discard_output() -> None:
    """Send the rest of the output to the null device, so that Python's flush at exit does not fail too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """Prints errors in lines that fit the terminal; argparse also uses this class for subcommands."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and end the program with status 2."""
        self.print_usage(sys.stderr)
        self.exit(2, "".join(f"{line}\n" for line in wrapped(shown(f"{self.prog}: error: {message}"), sys.stderr)))


def parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    made = _Parser(prog="imapkit", description="A threaded IMAP4 client, every command family a plugin.")
    made.add_argument("--version", action="version", version=f"imapkit {imapkit.__version__}")
    commands = made.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    _plugins_arguments(commands.add_parser("plugins", help="list the command families, or start a new one", description=_PLUGINS))
    doctor = commands.add_parser("doctor", help="check the installed families, and show a server's", description=_DOCTOR)
    doctor.add_argument("--json", action="store_true", help="as JSON, for programs")
    doctor.add_argument("--write", action="store_true", help="bring the index of the builtin families up to date")
    target.add_arguments(doctor, starttls=True)
    _trim_arguments(commands.add_parser("trim", help="make a wheel with only some of the command families"))
    target.add_arguments(commands.add_parser("demo", help="show imapkit at work", description=_DEMO))
    return made


_PLUGINS = """List the command families: the distribution, capabilities and commands of each, whether it is on, and if not, why.
The status is 1 if they cannot be used together."""
_DOCTOR = """Check that the installed families load and agree. With --host: show the capabilities that a server announces before
and after login, and the family that serves each. imapkit asks for the password, or reads it from IMAPKIT_PASSWORD."""
_NEW = """Write a plugin that works: a project with a command family, its entry point, its tests and a README, to change into
your own. Its tests pass without a change."""
_DEMO = """Without arguments: against an IMAP server inside this process, with about a hundred messages. With --host: read-only
against a server of your own. imapkit asks for the password, or reads it from IMAPKIT_PASSWORD."""


def _plugins_arguments(plugins: argparse.ArgumentParser) -> None:
    plugins.add_argument("--json", action="store_true", help="as JSON, for programs")
    actions = plugins.add_subparsers(dest="action", metavar="ACTION")
    new = actions.add_parser("new", help="write a new plugin", description=_NEW)
    new.add_argument("name", metavar="NAME", help="its subject: gmail, x-list")
    kinds = "command: a command with its response (default); item: an item of FETCH with a search key"
    new.add_argument("--kind", choices=("command", "item"), default="command", help=kinds)
    new.add_argument("-o", "--output", metavar="DIR", default=".", help="the directory for the project (default: here)")


def _trim_arguments(trim: argparse.ArgumentParser) -> None:
    trim.add_argument("wheel", metavar="WHEEL", help="a wheel of imapkit")
    trim.add_argument(
        "--keep",
        metavar="FAMILY[,FAMILY]",
        action="append",
        required=True,
        help="the families to keep; those that they require are kept too",
    )
    parts = "leave out the command line (cli), the test tools (testing)"
    trim.add_argument("--without", metavar="PART[,PART]", action="append", default=[], help=parts)
    trim.add_argument(
        "-o", "--output", metavar="DIR", default="trimmed", help="the directory for the new wheel (default: %(default)s)"
    )


def _run(commands: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    args = commands.parse_args(argv)
    # Imported late: `plugins` and `doctor` do not need the packages of the demo.
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
