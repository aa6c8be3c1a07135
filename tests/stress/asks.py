"""The commands that workers send to a ``Shuffler``, and the check of each answer."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import imapkit
from imapkit import Source, errors
from tests.stress.server import body, messages, sum_of

_MAILBOX = re.compile(rb" (\w*)\)\r\n")

__all__ = ["ASKS", "Ask", "ask_fetch", "ask_list", "ask_search", "ask_status", "says"]


@dataclass(frozen=True)
class Ask:
    """A command: the method, its arguments, and a check that raises ``AssertionError`` for the answer of another command."""

    method: str
    args: tuple[Any, ...]
    check: Callable[[Any], None]
    refusals: tuple[int, ...] = ()
    """What the server says if it refuses; nothing if it may not."""
    options: dict[str, Any] = field(default_factory=dict)
    may_raise: tuple[type[errors.error], ...] = ()
    """What the client may say instead, and the connection goes on."""
    interrupted_at: int | None = None
    """At which point of its way its thread is interrupted, if it comes there."""

    def send(self, client: imapkit.IMAP4, **options: Any) -> Any:
        """Send it."""
        return getattr(client, self.method)(*self.args, **self.options, **options)

    def blocking(self, client: imapkit.IMAP4) -> None:
        """Send it, wait, and check."""
        try:
            answer = self.send(client)
        except imapkit.BadResponse as bad:
            answer = "BAD", [bad.text]
        self.judge(answer)

    def judge(self, answer: Any) -> None:
        """Check an answer, which may be a refusal."""
        typ, data = answer
        if typ in ("NO", "BAD"):
            assert data in [[b"%d" % refusal] for refusal in self.refusals], (self.method, self.args, answer)
        else:
            self.check(answer)


def says(number: int) -> Callable[[Any], None]:
    """A check: OK, and that number."""

    def check(answer: Any) -> None:
        assert answer == ("OK", [b"%d" % number])

    return check


def ask_fetch(rng: random.Random, mark: str, *, uid: bool = False) -> Ask:
    """Messages, with a mark in the item's name."""
    low = rng.randint(1010, 1060)
    numbers = rng.choice([f"{low}", f"{low}:{low + 3}", f"{low},{low + 5}"])
    item = f"BODY[HEADER.FIELDS ({mark})]"
    wanted = messages(numbers.encode())

    def check(answer: Any) -> None:
        typ, data = answer
        assert typ == "OK"
        literals = [part[1] for part in data if isinstance(part, tuple)]
        found = _MAILBOX.search(literals[0])
        assert found is not None, literals
        assert sorted(literals) == [body(number, item.encode(), found[1]) for number in wanted], (numbers, data)
        assert len(data) == 2 * len(wanted), data
        assert set(data[1::2]) == {b")"}

    method, args = ("uid", ("FETCH", numbers, item)) if uid else ("fetch", (numbers, item))
    return Ask(method, args, check, (sum_of(f"{numbers} {item}".encode()),))


def ask_fetch_to(rng: random.Random, mark: str, *, uid: bool = False) -> Ask:
    """A body into a file."""
    number, item, file = rng.randint(1010, 1060), f"BODY[HEADER.FIELDS ({mark})]", BytesIO()

    def check(answer: Any) -> None:
        typ, data = answer
        assert typ == "OK"
        [(_, nothing), _] = data
        found = _MAILBOX.search(file.getvalue())
        assert found is not None, file.getvalue()
        assert (nothing, file.getvalue()) == (b"", body(number, item.encode(), found[1])), (number, data)

    return Ask("fetch_to", (number, item, file), check, (sum_of(f"{number} {item}".encode()),), {"uid": uid})


def ask_store(rng: random.Random, mark: str) -> Ask:
    """Flags, which come back with the mark."""
    number = rng.randint(2000, 2060)
    expected = [b"%d (FLAGS (stored %b))" % (number, mark.encode())]

    def check(answer: Any) -> None:
        assert answer == ("OK", expected)

    return Ask("store", (str(number), "+FLAGS", f"({mark})"), check, (sum_of(f"{number} +FLAGS ({mark})".encode()),))


def ask_status(rng: random.Random, mark: str) -> Ask:
    """The status of a mailbox of one's own, or of one that many ask about."""
    name = rng.choice([mark, "shared"])

    def check(answer: Any) -> None:
        assert answer == ("OK", [b"%b (MESSAGES %d)" % (name.encode(), sum_of(name.encode()))])

    return Ask("status", (name, "(MESSAGES)"), check, (sum_of(f"{name} (MESSAGES)".encode()),))


def ask_list(rng: random.Random, mark: str) -> Ask:
    """Mailboxes called by the mark."""
    expected = [b'(\\X%d) "/" %b' % (number, mark.encode()) for number in range(3)]

    def check(answer: Any) -> None:
        assert (answer[0], sorted(answer[1])) == ("OK", expected)

    return Ask(rng.choice(["list", "lsub"]), ("", mark), check, (sum_of(f'"" {mark}'.encode()),))


def ask_search(rng: random.Random, mark: str) -> Ask:
    """The messages with the mark."""
    expected = sum_of(f"SUBJECT {mark}".encode())
    method, args = rng.choice([("search", (None, "SUBJECT", mark)), ("uid", ("SEARCH", "SUBJECT", mark))])
    return Ask(method, args, says(expected), (expected,))


def ask_append(rng: random.Random, mark: str) -> Ask:
    """A message whose sum comes back."""
    message = mark.encode() * rng.choice([1, 10, 1000])
    # The client may have sent the literal without asking first.
    lines = [f"{mark} {{{len(message)}{plus}}}".encode() for plus in ("", "+")]
    sums = [sum_of(line + message) for line in lines]

    def check(answer: Any) -> None:
        assert answer[0] == "OK"
        assert answer[1] in [[b"%d" % each] for each in sums], (mark, answer)

    given = rng.choice([message, Source(len(message), [message])])
    return Ask("append", (mark, None, None, given), check, (*sums, *map(sum_of, lines)))


def ask_select(rng: random.Random, mark: str) -> Ask:
    """Another mailbox."""
    name = f"box{rng.randrange(4)}"
    return Ask("select", (name,), says(sum_of(name.encode()) % 1000))


def ask_create(rng: random.Random, mark: str) -> Ask:
    """A command whose answer is its text alone."""
    expected = sum_of(mark.encode())
    return Ask(rng.choice(["create", "delete", "subscribe"]), (mark,), says(expected), (expected,))


def ask_idle(rng: random.Random, mark: str) -> Ask:
    """Wait for news, for a moment."""
    return Ask("idle", (rng.choice((0.0, 0.005, 0.02)),), says(0), (0,))


ASKS: list[Callable[[random.Random, str], Ask]] = [
    *(ask_fetch, ask_fetch, ask_fetch),
    *(lambda rng, mark: ask_fetch(rng, mark, uid=True),) * 2,
    *(ask_store, ask_store, ask_status, ask_status, ask_list, ask_search, ask_append, ask_create),
    *(ask_idle, ask_select, ask_fetch_to, lambda rng, mark: ask_fetch_to(rng, mark, uid=True)),
]
