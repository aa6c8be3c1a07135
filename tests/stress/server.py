"""A server that answers commands in flight in any legal order and segmentation, sends news, and may go at any moment.

An answer repeats what its command asked for, so that a caller can check whose data it got.
"""

from __future__ import annotations

import itertools
import random
import select
import zlib
from collections.abc import Callable, Iterable, Iterator

from imapkit.testing import ClientSilent, Conversation, ReceivedCommand
from tests.ends import bye, half_a_line, half_a_literal

__all__ = ["FATES", "Shuffler", "answer_lines", "body", "gather", "messages", "sum_of"]

QUIET = frozenset(("SELECT", "NOOP", "LOGOUT", "IDLE", "COMPRESS"))
"""No news comes with these: SELECT would take them for its own, and after the others a test counts."""


def messages(text: bytes) -> list[int]:
    """The numbers of a sequence set."""
    found: list[int] = []
    for part in text.split(b","):
        low, _, high = part.partition(b":")
        found += range(int(low), int(high or low) + 1)
    return found


def sum_of(data: bytes) -> int:
    """A checksum of bytes."""
    return zlib.crc32(data)


def body(number: int, item: bytes, mailbox: bytes = b"") -> bytes:
    """The message that is fetched, with a line in it that looks like a response, and another like an end."""
    return b"* 9 FETCH (%d %b %b)\r\nx OK no\r\n" % (number, item, mailbox)


def answer_lines(command: ReceivedCommand, mailbox: bytes = b"") -> Iterator[bytes]:
    """The data for a command, with what it asked for in it."""
    words = command.args.split(b" ", 1)
    if command.name in ("FETCH", "UID FETCH"):
        uid = b"UID %d " if command.name.startswith("UID") else b""
        for number in messages(words[0]):
            data = body(number, words[1], mailbox)
            head = b"* %d FETCH (" % (number - 1000 if uid else number) + (uid % number if uid else b"")
            yield head + b"%b {%d}\r\n%b)\r\n" % (words[1], len(data), data)
    elif command.name == "STORE":
        for number in messages(words[0]):
            yield b"* %d FETCH (FLAGS (stored %b))\r\n" % (number, words[1].split(b"(")[-1].rstrip(b")"))
    elif command.name == "STATUS":
        yield b"* STATUS %b (MESSAGES %d)\r\n" % (words[0], sum_of(words[0]))
    elif command.name in ("LIST", "LSUB"):
        for number in range(3):
            yield b'* %b (\\X%d) "/" %b\r\n' % (command.name.encode(), number, words[1])
    elif command.name in ("SEARCH", "UID SEARCH"):
        yield b"* SEARCH %d\r\n" % sum_of(command.args)
    elif command.name == "SELECT":
        yield b"* %d EXISTS\r\n" % (sum_of(command.args) % 1000)
    elif command.name == "LOGOUT":
        yield b"* BYE bye\r\n"


def gather(conversation: Conversation, read: Callable[[], ReceivedCommand | None] | None = None) -> list[ReceivedCommand]:
    """All commands that are there, one at least."""
    batch = [command for command in [(read or conversation.read_command)()] if command is not None]
    # However long this looks for more, the answers are right; the longer, the more there are to be mixed up.
    while b"\r\n" in conversation._buffer or select.select([conversation._sock], [], [], 0.001)[0]:
        command = (read or conversation.read_command)()
        batch += [command] if command is not None else []
    return batch


def nonsense(conversation: Conversation) -> None:
    conversation.send(b"X999 OK a tag that the client never sent\r\n")
    conversation.wait_closed()


FATES: list[Callable[[Conversation], None]] = [
    Conversation.close,
    Conversation.reset,
    half_a_line,
    half_a_literal,
    bye,
    nonsense,
]


class Shuffler:
    """The script of one connection. ``fate`` is how it ends once it has seen ``lifetime`` commands; None: by LOGOUT.

    ``refuses``: now and then a command is refused, a literal too, and IDLE ends by itself. ``lag``: the seconds that it waits, at
    most, before it answers, now and then.
    """

    def __init__(
        self,
        rng: random.Random,
        *,
        refuses: bool = False,
        fate: Callable[[Conversation], None] | None = None,
        lifetime: int = 0,
        lag: float = 0.0,
    ) -> None:
        self._rng, self._refuses, self._fate, self._lifetime, self._lag = rng, refuses, fate, lifetime, lag
        self._mailbox, self._compressed = b"", False
        self.news: list[tuple[str, bytes]] = []
        """What was told that belongs to no command, in order, as ``untagged_responses`` has it."""
        self.since = 0
        """How much of it came before the last SELECT."""
        self.largest_batch = self.commands = self.segments = 0
        self._count = itertools.count(1)
        self._apart = {"IDLE": self._idle, "COMPRESS": self._compress}

    def told(self, name: str) -> list[bytes]:
        """The news of one kind."""
        return [data for kind, data in self.news if kind == name]

    def __call__(self, conversation: Conversation) -> None:
        while True:
            batch = gather(conversation, lambda: self._read(conversation))
            self.largest_batch = max(self.largest_batch, len(batch))
            self.commands += len(batch)
            if self._fate is not None and self.commands >= self._lifetime:
                self._fate(conversation)
                return
            if self._lag and self._rng.random() < 0.1:
                conversation.pause(self._rng.random() * self._lag)
            for command in batch:
                if command.name in self._apart:
                    self._apart[command.name](conversation, command)
            queues = [self._answer(command) for command in batch if command.name not in self._apart]
            if batch and not QUIET & {command.name for command in batch}:
                queues.append(list(self._tell(batch)))
            self._send(conversation, b"".join(self._merge(queues)))
            if any(command.name == "LOGOUT" for command in batch):
                conversation.close()
                return

    def _read(self, conversation: Conversation) -> ReceivedCommand | None:
        """The next command, its literal asked for; None if there is none to be answered."""
        while b"\r\n" not in conversation._buffer:
            conversation._fill("a command", conversation._deadline())
        if conversation._buffer.startswith(b"DONE\r\n"):
            # IDLE had ended by itself meanwhile; a server takes this for a command.
            conversation.read_line()
            conversation.send(b"DONE BAD no such command\r\n")
            return None
        command = conversation.read_command(auto_continue=False)
        if command.awaiting is None:
            return command
        self._send(conversation, b"".join(self._tell([])))
        if self._refuses and self._rng.random() < 0.1:
            conversation.no(command, b"%d" % sum_of(command.args))
            return None
        conversation.send(b"+ go\r\n")
        command.literals.append(conversation.read_literal(command.awaiting))
        assert conversation.read_line() == b""
        return command

    def _send(self, conversation: Conversation, stream: bytes) -> None:
        if stream:
            cuts = sorted(self._rng.sample(range(1, len(stream)), min(len(stream) - 1, self._rng.randrange(6))))
            self.segments += len(cuts) + 1
            conversation.send(stream, chunks=[after - before for before, after in itertools.pairwise([0, *cuts])])

    def _merge(self, queues: list[list[bytes]]) -> list[bytes]:
        order = [at for at, queue in enumerate(queues) for _ in queue]
        self._rng.shuffle(order)
        iterators = [iter(queue) for queue in queues]
        return [next(iterators[at]) for at in order]

    def _answer(self, command: ReceivedCommand) -> list[bytes]:
        text = sum_of(command.args + b"".join(command.literals))
        if self._refuses and command.name not in ("SELECT", "NOOP", "LOGOUT") and self._rng.random() < 0.05:
            return [b"%b %b %d\r\n" % (command.tag, self._rng.choice((b"NO", b"BAD")), text)]
        lines = list(answer_lines(command, self._mailbox))
        self._rng.shuffle(lines)
        if command.name == "SELECT":
            self._mailbox, self.since = command.args, len(self.news)
        return [*lines, b"%b OK %d\r\n" % (command.tag, text)]

    def _tell(self, batch: Iterable[ReceivedCommand], count: int = 2) -> Iterator[bytes]:
        """News that is legal with these commands in flight."""
        numbered = any(command.name in ("FETCH", "SEARCH", "STORE") for command in batch)
        for kind in self._rng.choices("FXEn", k=count):
            if kind == "n" or (kind == "E" and numbered):
                continue
            name, data = {"F": ("FETCH", b"9 (FLAGS (news%d))"), "X": ("EXISTS", b"%d"), "E": ("EXPUNGE", b"%d")}[kind]
            data %= next(self._count)
            self.news.append((name, data))
            number, _, rest = data.partition(b" ")
            yield b"* %b %b%b\r\n" % (number, name.encode(), b" " + rest if rest else b"")

    def _compress(self, conversation: Conversation, command: ReceivedCommand) -> None:
        text = b"%d" % sum_of(command.args)
        if self._compressed:
            conversation.no(command, text)
            return
        self._compressed = True
        conversation.ok(command, text)
        conversation.start_compression()

    def _idle(self, conversation: Conversation, command: ReceivedCommand) -> None:
        if self._refuses and self._rng.random() < 0.1:
            conversation.no(command, b"0")
            return
        self._send(conversation, b"".join([*self._tell([], self._rng.randrange(2)), b"+ idling\r\n"]))
        if self._refuses and self._rng.random() < 0.1:
            conversation.ok(command, b"0")
            return
        while b"\r\n" not in conversation._buffer:
            try:
                conversation._fill("DONE", conversation._deadline(self._rng.choice((0.001, 0.01))))
            except ClientSilent:
                self._send(conversation, b"".join(self._tell([], 1)) or b"* OK Still here\r\n")
        assert conversation.read_line() == b"DONE"
        self._send(conversation, b"".join([*self._tell([], self._rng.randrange(2)), b"%b OK 0\r\n" % command.tag]))
