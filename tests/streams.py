"""Sessions with a server that answers one command as a data file says, over any layer and in any segments."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imapkit
from imapkit import ext
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer
from imapkit.testing.certificate import LOCALHOST
from imapkit.testing.conversation import default_handlers

__all__ = ["SESSIONS", "WAYS", "Session", "Way", "deflate_from_now", "run", "serving_session"]

BEFORE, AFTER = b"* 3 EXISTS\r\n", b"* 4 EXISTS\r\n"
PREAUTH = b"* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n"


@dataclass(frozen=True, slots=True)
class Session:
    """One of ``vectors/sessions``: what the keys mean is said there."""

    id: str
    during: str
    server: str
    wire: bytes
    expect: str

    def __str__(self) -> str:
        return f"{self.id} {self.server}"


def _line(line: str | Sequence[Any]) -> bytes:
    pieces = [line] if isinstance(line, str) else line
    return b"".join((piece if isinstance(piece, str) else piece[0] * piece[1]).encode("latin-1") for piece in pieces)


def _load(path: Path) -> Iterator[Session]:
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["session"]:
        wire = b"".join(_line(line) + b"\r\n" for line in entry["wire"])
        yield Session(entry["id"], entry["during"], entry["server"], wire, entry["expect"])


SESSIONS = list(_load(Path(__file__).parent / "vectors" / "sessions" / "quirks.toml"))

COMMANDS: dict[str, tuple[str, Callable[[imapkit.IMAP4], Any]]] = {
    "any": ("NOOP", lambda client: client.noop()),
    "fetch": ("FETCH", lambda client: client.fetch("1:2", "(FLAGS ENVELOPE BODYSTRUCTURE)")),
    "list": ("LIST", lambda client: client.list()),
    "move": ("MOVE", lambda client: client.xatom("MOVE", "1", "x")),
    "select": ("SELECT", lambda client: client.select()),
    "search": ("SEARCH", lambda client: client.search(None, "ALL")),
    "capability": ("CAPABILITY", lambda client: client.capability()),
    "idle": ("IDLE", lambda client: client.idle(timeout=0.02)),
    "id": ("ID", lambda client: client.id()),
    "namespace": ("NAMESPACE", lambda client: client.namespace()),
    "auth": ("AUTHENTICATE", lambda client: client.authenticate("PLAIN", lambda challenge: "\0me\0secret")),
    "status": ("STATUS", lambda client: client.status("INBOX", "(MESSAGES)")),
    "quota": ("GETQUOTA", lambda client: client.getquota("")),
    "greeting": ("", lambda client: client.noop()),
}


def run(client: imapkit.IMAP4, session: Session) -> tuple[str, Any]:
    """Send the command that the session is about."""
    result: tuple[str, Any] = COMMANDS[session.during][1](client)
    return result


def deflate_from_now(conversation: Conversation, command: ReceivedCommand, single: bool = False) -> None:
    """Accept COMPRESS."""
    conversation.ok(command)
    conversation.start_compression(single=single)


@dataclass(frozen=True, slots=True)
class Way:
    """How the bytes travel: over which layers, and whether one by one."""

    layer: str
    single: bool

    def __str__(self) -> str:
        return f"{self.layer}{', byte by byte' if self.single else ''}"


WAYS = [Way(layer, single) for layer in ("plain", "TLS", "COMPRESS") for single in (False, True)]


class Script:
    """The server's side: answers everything as usual, but the one command of ``session`` as that says."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.session: Session | None = None

    def answer(self, conversation: Conversation, command: ReceivedCommand) -> None:
        """A handler for all commands."""
        session = self.session
        if session is None or COMMANDS[session.during][0] != command.name:
            default_handlers().get(command.name, Conversation.ok)(conversation, command)
            return
        self.session = None
        wire = session.wire.replace(b"%TAG%", command.tag)
        waits = session.during in ("idle", "auth")
        ended = (
            any(line.startswith(b"%TAG%") for line in session.wire.splitlines()) or session.expect in ("bye", "fatal") or waits
        )
        tagged = b"" if ended else b"%b OK done\r\n" % command.tag
        self.send(conversation, BEFORE + wire + tagged + AFTER)
        if waits:
            conversation.read_line()
            self.send(conversation, b"%b %b done\r\n" % (command.tag, b"NO" if session.during == "auth" else b"OK"))
        if session.expect in ("bye", "fatal"):
            conversation.wait_closed()

    def send(self, conversation: Conversation, data: bytes) -> None:
        conversation.send(data, chunks=1 if self.way.single and self.way.layer != "COMPRESS" else None)


Connect = Callable[[], imapkit.IMAP4]


@contextmanager
def serving_session(
    way: Way, greeting: bytes = PREAUTH, *, select: bool = True
) -> Iterator[tuple[Script, Callable[[], imapkit.IMAP4]]]:
    """The script of a server, and a function that connects to it by ``way`` (and selects a mailbox, where it can)."""
    script = Script(way)
    names = {name for name, _ in COMMANDS.values() if name} | default_handlers().keys()
    handlers: dict[str, Any] = dict.fromkeys(names, script.answer)
    handlers["COMPRESS"] = lambda conversation, command: deflate_from_now(conversation, command, way.single)
    with ScriptedServer(handlers=handlers, greeting=greeting, tls=LOCALHOST if way.layer == "TLS" else None) as server:

        def connect() -> imapkit.IMAP4:
            cls: Any = imapkit.IMAP4_SSL if way.layer == "TLS" else imapkit.IMAP4
            options = {"ca_certs": LOCALHOST.pem} if way.layer == "TLS" else {}
            client: imapkit.IMAP4 = cls(server.host, server.port, timeout=20, families=sorted(ext.INDEX), **options)
            if way.layer == "COMPRESS":
                client.enable_compression()
            if client.state == "AUTH" and select:
                client.select()
            return client

        yield script, connect
