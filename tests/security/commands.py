"""Every registered command of every family that can be loaded here, arguments that it takes, and how servers read a command."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from imapkit import ext
from imapkit.core.contract.command import Command
from imapkit.core.contract.commands import Commands
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.core.grammar import encode
from imapkit.core.raw.families import registry
from imapkit.core.wire import pieces
from imapkit.core.wire.pieces import Late, Literal
from imapkit.errors import ArgumentError
from imapkit.plugin import Token, astring, message, quoted_string, raw
from imapkit.testing import load_only

__all__ = [
    "COMMANDS",
    "FAMILIES",
    "REGISTRY",
    "arguments",
    "as_naive_servers_read",
    "as_strict_servers_read",
    "encoded",
    "samples",
    "valid",
    "written",
]

_EXAMPLES = sorted((Path(__file__).parents[2] / "plugins-example").glob("*/src/*/__init__.py"))


def _example(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_under_attack", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class MadeUpCommands(Commands):
    """Methods that pass their arguments on as they are."""

    def xmade(self, first: Any, second: Any) -> Any:
        """Send XMADE."""
        return self._call("XMADE", first, second)

    def xcareless(self, value: Any) -> Any:
        """Send XCARELESS, whose kind checks nothing."""
        return self._call("XCARELESS", value)


def careless(value: Any) -> Token:
    """A kind that checks nothing."""
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else str(value).encode("utf-8", "surrogatepass")


def careless_pieces(value: Any) -> Token:
    """Another one, which puts text around a literal."""
    return (careless(value), Literal(b"xyz"), careless(value))  # type: ignore[return-value]


def careless_late(value: Any) -> Token:
    """Another one, whose form depends on UTF8=ACCEPT."""
    return Late((careless(value),), (b"(", careless(value), b")"))  # type: ignore[arg-type]


MADE_UP = Family(
    "madeup",
    mixin=MadeUpCommands,
    commands=(
        Command("XMADE", State.ANY, args=(raw, quoted_string)),
        Command("XGENERAL", State.ANY),
        Command("XMESSAGE", State.ANY, args=(astring, message)),
        Command("XREST", State.ANY, rest=lambda args: [careless(value) for value in args]),
        Command("XCARELESS", State.ANY, args=(careless,)),
        Command("XPIECES", State.ANY, args=(careless_pieces,)),
        Command("XLATE", State.ANY, args=(careless_late,)),
    ),
)

FAMILIES: list[Any] = [
    *sorted({plugin.name for plugin in registry().plugins} | set(ext.INDEX)),
    *map(_example, _EXAMPLES),
    MADE_UP,
]
REGISTRY = load_only(*FAMILIES)
COMMANDS = sorted(
    (command for plugin in REGISTRY.plugins for command in plugin.family.commands), key=lambda command: command.name
)
"""Those that another family replaces are attacked, too."""

_SAMPLES: list[Any] = ["1", "INBOX", "FLAGS", "(STORAGE 512)", "(UIDVALIDITY)", "x", "1:2", '"17-Jul-1996 02:44:25 -0700"', "ALL"]
_RESTS: list[tuple[Any, ...]] = [
    (),
    ("x",),
    ("", "ALL"),
    ("1", "FLAGS", "x"),
    ("x", "x"),
    ("INBOX", "(x)"),
    ("x", "UTF-8", "ALL"),
    ("(x)", "UTF-8", "ALL"),
]


def samples(kind: Callable[[Any], Any]) -> list[Any]:
    """Values that this kind of argument takes."""
    found = []
    for value in _SAMPLES:
        with contextlib.suppress(ArgumentError):
            kind(value)
            found.append(value)
    assert found, f"no sample for {kind}"
    return found


def valid(command: Command) -> tuple[Any, ...]:
    """Arguments that the command takes, as many as can be found."""
    args: tuple[Any, ...] = tuple(samples(kind)[0] for kind in command.args)
    if command.rest is None:
        return args or ("x", "x")
    for rest in reversed(_RESTS):
        found: tuple[Any, ...] = (*args, *rest)
        with contextlib.suppress(ArgumentError):
            encoded(command, found)
            return found
    raise AssertionError(f"no arguments for {command.name}")


def arguments(command: Command, at: int, value: Any) -> tuple[Any, ...]:
    """Arguments of which only the one at ``at`` is ``value``; or one more than is usual."""
    args = valid(command)
    return (*args[:at], value, *args[at + 1 :])


def encoded(command: Command, args: tuple[Any, ...]) -> list[pieces.Piece]:
    """What the client makes of them. Raises ``ArgumentError``."""
    return encode.encode(command.args, command.rest, args, command.name)


def written(pieces: list[pieces.Piece]) -> Iterator[bytes]:
    """Each way in which they may go over the wire: with UTF8=ACCEPT and without, with literals that wait and that do not."""
    for on in (False, True):
        flat: list[Any] = []
        for piece in pieces:
            flat += (piece.on if on else piece.off) if isinstance(piece, Late) else (piece,)
        for plus in (b"", b"+") if any(isinstance(piece, Literal) for piece in flat) else (b"",):
            parts = [_literal(piece, plus) if isinstance(piece, Literal) else piece for piece in flat]
            yield b"T1 " + b"".join(parts) + b"\r\n"
        if not any(isinstance(piece, Late) for piece in pieces):
            return


def _literal(piece: Literal, plus: bytes) -> bytes:
    return b"%b{%d%b}\r\n%b" % (b"~" if piece.binary else b"", len(piece.data), plus, piece.data)


_ENDS_IN_LITERAL = re.compile(rb"\{(\d+)[+-]?\}\Z")


def as_naive_servers_read(stream: bytes) -> list[bytes]:
    """The commands in ``stream`` to servers that look at the end of a line and nowhere else, and take CR and LF each for one."""
    commands, command, at = [], b"", 0
    for match in re.finditer(rb"\r\n|\r|\n", stream):
        if match.start() < at:
            continue
        line, at = stream[at : match.start()], match.end()
        command += line
        if announced := _ENDS_IN_LITERAL.search(line):
            at += int(announced[1])
        else:
            commands.append(command)
            command = b""
    assert at == len(stream), "a literal is longer than what was sent"
    assert not command
    return commands


_TOKEN = re.compile(
    rb"(?P<quoted>\"(?:[^\"\\\r\n\0]|\\[^\r\n\0])*\")|~?\{(?P<size>\d+)\+?\}\r\n|(?P<end>\r\n|\r|\n)|(?P<nul>\0)|[^\r\n\0]",
    re.DOTALL,
)


def as_strict_servers_read(stream: bytes) -> list[bytes]:
    """The commands in ``stream`` to servers that read quoted strings, in which nothing is a literal."""
    commands, start, at = [], 0, 0
    while at < len(stream):
        token = _TOKEN.match(stream, at)
        assert token is not None
        assert token["nul"] is None, "NUL outside of a literal"
        at = token.end() + int(token["size"] or 0)
        assert at <= len(stream), "a literal is longer than what was sent"
        if token["end"]:
            commands.append(stream[start:at])
            start = at
    assert start == len(stream)
    return commands
