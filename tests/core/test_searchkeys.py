"""Search keys: what they mean when a server reads them, how they are written, and what is refused."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import and_, or_
from typing import Any

import pytest

from imapkit import ArgumentError, SearchKey, SortKey, q, sort
from imapkit.core.grammar.search import search_program
from imapkit.core.wire.pieces import Late, Literal, joined
from imapkit.plugin import MailboxName, Name, Text, day, term
from imapkit.testing import answering, load_only, selected, written

FLAGS = ("SEEN", "FLAGGED", "ANSWERED", "DELETED", "DRAFT")
WORDS = ("", "a", 'say "so"', "back\\slash", "(", ")", "NOT", "Grüße", "{3}", "x" * 1100, "日本")
DAYS = [dt.date(2026, 1, 1) + dt.timedelta(31 * i) for i in range(6)]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True)
class Message:
    """What a server knows of a message."""

    uid: int
    flags: frozenset[str]
    subject: str
    arrived: dt.date
    size: int


Matches = Callable[[Message], bool]


# A server's side: it reads a program without anything of imapkit.


def line(key: SearchKey, *, utf8: bool) -> list[bytes]:
    """What goes over the wire: text, literal, text, ..., text."""
    parts = [b""]
    for piece in joined(list(search_program((key,)))):
        for each in (piece.on if utf8 else piece.off) if isinstance(piece, Late) else (piece,):
            if isinstance(each, Literal):
                parts[-1] += b"{%d}" % len(each.data)
                parts += [each.data, b""]
            else:
                assert isinstance(each, bytes)
                parts[-1] += each
    return parts


@dataclass
class String:
    """A string of the program, decoded."""

    text: str


def tokens(parts: list[bytes]) -> Iterator[str | String]:
    """``"("``, ``")"``, words and strings, with one space exactly where RFC 3501 section 9 has SP."""
    for i in range(0, len(parts), 2):
        text, at = parts[i].decode("utf-8"), 0
        announced = f"{{{len(parts[i + 1])}}}" if i + 1 < len(parts) else ""
        assert text.endswith(announced)
        text = text[: len(text) - len(announced)]
        while at < len(text):
            char = text[at]
            if char == " ":
                # After a word, a string or ")", and before one or "(".
                assert at or i
                assert text[at + 1 : at + 2] not in (" ", ")"), text
                assert at + 1 < len(text) or announced
                at += 1
            elif char == '"':
                found, at = "", at + 1
                while text[at] != '"':
                    at += text[at] == "\\"
                    found, at = found + text[at], at + 1
                at += 1
                yield String(found)
            elif char in "()":
                assert char == ")" or text[at + 1 : at + 2] != " "
                yield char
                at += 1
            else:
                end = next((j for j in range(at, len(text)) if text[j] in ' ()"'), len(text))
                yield text[at:end]
                at = end
        if announced:
            yield String(parts[i + 1].decode("utf-8"))


class Server:
    """Reads search keys, RFC 3501 sections 6.4.4 and 9."""

    def __init__(self, program: list[str | String]) -> None:
        self.left = program

    def word(self) -> str:
        word = self.left.pop(0)
        assert isinstance(word, str)
        return word

    def string(self) -> str:
        string = self.left.pop(0)
        assert isinstance(string, String)
        return string.text

    def whole(self) -> Matches:
        keys = []
        while self.left:
            keys.append(self.key())
        assert keys
        return lambda message: all(key(message) for key in keys)

    def key(self) -> Matches:
        name = self.word()
        if name == "(":
            keys = [self.key()]
            while self.left[0] != ")":
                keys.append(self.key())
            self.left.pop(0)
            return lambda message: all(key(message) for key in keys)
        if name == "NOT":
            inner = self.key()
            return lambda message: not inner(message)
        if name == "OR":
            one, other = self.key(), self.key()
            return lambda message: one(message) or other(message)
        return self.simple(name)

    def simple(self, name: str) -> Matches:
        if name == "ALL":
            return lambda message: True
        if name.removeprefix("UN") in FLAGS:
            return lambda message: (name.removeprefix("UN") in message.flags) is not name.startswith("UN")
        if name == "SUBJECT":
            words = self.string()
            return lambda message: words in message.subject
        if name == "UID":
            pairs = [[int(end) for end in part.split(":")] for part in self.word().split(",")]
            return lambda message: any(pair[0] <= message.uid <= pair[-1] for pair in pairs)
        if name in ("LARGER", "SMALLER"):
            size = int(self.word())
            return lambda message: message.size > size if name == "LARGER" else message.size < size
        number, month, year = self.word().split("-")
        date = dt.date(int(year), MONTHS.index(month) + 1, int(number))
        return {
            "SINCE": lambda message: message.arrived >= date,
            "BEFORE": lambda message: message.arrived < date,
            "ON": lambda message: message.arrived == date,
        }[name]


# A program's side


def simple(rng: random.Random) -> tuple[SearchKey, Matches]:
    """A key and its meaning."""
    chosen, size, date, flag = (
        set(rng.sample(range(1, 9), rng.randint(0, 5))),
        rng.randint(0, 9),
        rng.choice(DAYS),
        rng.choice(FLAGS),
    )
    words = rng.choice(WORDS)
    return rng.choice(
        [
            (q.all_, lambda message: True),
            (getattr(q, flag.lower()), lambda message: flag in message.flags),
            (getattr(q, f"un{flag.lower()}"), lambda message: flag not in message.flags),
            (q.subject(words), lambda message: words in message.subject),
            (q.uid(chosen), lambda message: message.uid in chosen),
            (q.larger(size), lambda message: message.size > size),
            (q.smaller(size), lambda message: message.size < size),
            (q.since(date), lambda message: message.arrived >= date),
            (q.before(date), lambda message: message.arrived < date),
            (q.on(date), lambda message: message.arrived == date),
        ]
    )


def made(rng: random.Random, depth: int) -> tuple[SearchKey, Matches]:
    """A key of keys and its meaning."""
    form = rng.choice(("simple", "and", "and", "or", "or", "not")) if depth else "simple"
    if form == "simple":
        return simple(rng)
    one, this = made(rng, depth - 1)
    if form == "not":
        return (~one if rng.random() < 0.5 else q.not_(one)), lambda message: not this(message)
    other, that = made(rng, depth - 1)
    if form == "and":
        return one & other, lambda message: this(message) and that(message)
    return (one | other if rng.random() < 0.5 else q.or_(one, other)), lambda message: this(message) or that(message)


def mailbox(rng: random.Random) -> list[Message]:
    return [
        Message(
            uid,
            frozenset(flag for flag in FLAGS if rng.random() < 0.5),
            " ".join(rng.sample(WORDS, 3)),
            rng.choice(DAYS),
            rng.randint(0, 9),
        )
        for uid in range(1, 9)
    ]


def closing(program: list[str | String]) -> int:
    """Where the parenthesis is closed that the program begins with."""
    depth = 0
    for i, token in enumerate(program):
        depth += (token == "(") - (token == ")")
        if not depth:
            return i
    raise AssertionError(program)


def test_a_key_means_the_same_to_a_server(rng: random.Random) -> None:
    messages = mailbox(rng)
    for i in range(5000):
        key, matches = made(rng, rng.randint(0, 5))
        utf8 = bool(i % 2)
        parts = line(key, utf8=utf8)
        foreign = b"\xc3" in b"".join(parts) or b"\xe6" in b"".join(parts)
        assert parts[0].startswith(b"CHARSET UTF-8 ") is (foreign and not utf8)
        assert utf8 or all(part.isascii() for part in parts[::2])
        parts[0] = parts[0].removeprefix(b"CHARSET UTF-8 ")
        program = list(tokens(parts))
        assert closing(program) < len(program) - 1 or len(program) == 1 or program[0] != "(", key
        found = Server(program).whole()
        assert [found(message) for message in messages] == [matches(message) for message in messages], key


def text(key: SearchKey) -> str:
    [parts] = line(key, utf8=True)
    return parts.decode()


@pytest.mark.parametrize(
    ("key", "wire"),
    [
        (q.unseen & q.flagged, "UNSEEN FLAGGED"),
        (q.unseen & q.flagged & q.larger(5), "UNSEEN FLAGGED LARGER 5"),
        (q.unseen & (q.flagged & q.larger(5)), "UNSEEN FLAGGED LARGER 5"),
        (q.unseen & q.unseen, "UNSEEN"),
        (q.all_ & q.unseen & q.all_, "UNSEEN"),
        (q.all_ & q.all_, "ALL"),
        (~(q.all_ & q.unseen), "NOT UNSEEN"),
        (q.unseen | q.unseen, "UNSEEN"),
        (q.all_ | q.unseen, "OR ALL UNSEEN"),
        (q.seen | q.flagged | q.draft, "OR SEEN OR FLAGGED DRAFT"),
        (q.seen | q.flagged | q.draft | q.deleted, "OR OR SEEN FLAGGED OR DRAFT DELETED"),
        ((q.seen & q.flagged) | (q.draft & q.old), "OR (SEEN FLAGGED) (DRAFT OLD)"),
        (q.seen & (q.flagged | q.draft), "SEEN OR FLAGGED DRAFT"),
        (~(q.seen & q.flagged), "NOT (SEEN FLAGGED)"),
        (~(q.seen | q.flagged), "NOT OR SEEN FLAGGED"),
        (~~(q.seen & q.flagged), "SEEN FLAGGED"),
        (~q.seen, "UNSEEN"),
        (~~q.seen, "SEEN"),
        (~q.recent, "OLD"),
        (~q.keyword("$Forwarded"), "UNKEYWORD $Forwarded"),
        (~q.subject("x"), 'NOT SUBJECT "x"'),
        (q.uid([]), "NOT ALL"),
        (~q.uid([]), "ALL"),
        (q.uid([3, 1, 2]), "UID 1:3"),
        (term("FUZZY", q.seen & q.text("x")), 'FUZZY (SEEN TEXT "x")'),
        (term("X-GM-RAW", Text("has:attachment")) & q.unseen, 'X-GM-RAW "has:attachment" UNSEEN'),
        (term("MODSEQ", '"/flags/\\\\draft"', "all", "620162338"), 'MODSEQ "/flags/\\\\draft" all 620162338'),
        (~term("(SEEN (OR DRAFT FLAGGED))"), "NOT (SEEN (OR DRAFT FLAGGED))"),
        (term(b"1:5,*"), "1:5,*"),
    ],
)
def test_on_the_wire(key: SearchKey, wire: str) -> None:
    assert text(key) == wire
    assert repr(key) == f"<SearchKey {wire}>"
    assert copy.deepcopy(key) == pickle.loads(pickle.dumps(key)) == key


def test_many_keys_are_joined_in_little_time_and_depth() -> None:
    some = q.from_("0@example.org")
    for i in range(1, 3000):
        some |= q.from_(f"{i}@example.org")
    assert text(some).count("OR ") == 2999
    assert text(some).startswith("OR " * 11)
    assert "OR " * 13 not in text(some)


def test_keys_that_are_written_alike_are_equal() -> None:
    assert q.seen & q.draft == term("SEEN") & term("DRAFT")
    assert hash(q.subject("x")) == hash(q.subject("x"))
    assert q.subject("x") != q.subject("y")
    assert term("X", "a") != term("X", Text("a"))
    assert q.seen != "SEEN"
    assert len({q.seen, ~q.unseen, q.unseen}) == 2


@pytest.mark.parametrize("ask", [bool, lambda key: key and q.seen, lambda key: key or q.seen, lambda key: not key])
def test_a_key_is_neither_true_nor_false(ask: Callable[[SearchKey], Any]) -> None:
    with pytest.raises(TypeError, match=r"& for and, \| for or, ~ for not"):
        ask(q.unseen)


@pytest.mark.parametrize("other", ["SEEN", None, True])
def test_what_is_no_key_cannot_be_combined(other: Any) -> None:
    operators: list[Callable[[Any, Any], Any]] = [and_, or_]
    for operator in operators:
        with pytest.raises(TypeError, match="unsupported operand"):
            operator(q.unseen, other)


@pytest.mark.parametrize(
    "word",
    ["", "A B", "(", ")", "()) (()", "(A", "A)", '"a', 'a"b"', "{3}", "a{3}", "a\r\nb", "\0", "ä", b"\xff", '"a" "b"', "(A) (B)",
     "(A)B", "(\r\n)", '("a)', "({3}"],
)  # fmt: skip
def test_what_is_not_one_word_is_refused(word: Any) -> None:
    with pytest.raises(ArgumentError):
        term("X", word)
    with pytest.raises(ArgumentError):
        term(word)
    with pytest.raises(ArgumentError):
        term("X", opposite=word)


def test_a_key_needs_words() -> None:
    with pytest.raises(ArgumentError, match="name"):
        term()
    with pytest.raises(ArgumentError, match="int"):
        term("LARGER", 7)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", ["a\r\nb", "a\nb", "\0", "\ud800"])
def test_text_that_cannot_be_sent_is_refused(words: str) -> None:
    with pytest.raises(ArgumentError):
        q.subject(words)


@pytest.mark.parametrize("words", [b"x", 7, None])
def test_text_is_text(words: Any) -> None:
    with pytest.raises(TypeError, match=type(words).__name__):
        q.subject(words)


@pytest.mark.parametrize(
    ("date", "wire"),
    [(dt.date(2026, 1, 1), "1-Jan-2026"), (dt.date(999, 12, 31), "31-Dec-0999")],
)
def test_a_day(date: dt.date, wire: str) -> None:
    assert day(date) == wire


@pytest.mark.parametrize("date", [dt.datetime(2026, 1, 1), dt.datetime.now(dt.UTC), "1-Jan-2026", 7, None])
def test_a_moment_is_no_day(date: Any) -> None:
    for key in (q.since, q.before, q.on, q.sent_since, q.sent_before, q.sent_on):
        with pytest.raises(TypeError, match="moment"):
            key(date)


# As an argument beside others

REGISTRY = load_only("rev1")


@pytest.mark.parametrize(
    ("args", "pieces"),
    [
        (("NOT", q.seen & q.draft), [b"SEARCH NOT (SEEN DRAFT)"]),
        (("UNSEEN", q.draft), [b"SEARCH UNSEEN DRAFT"]),
        ((q.draft, "SUBJECT", "a b"), [b'SEARCH DRAFT SUBJECT "a b"']),
        (("X-NEW", q.draft), [b"SEARCH X-NEW DRAFT"]),
        (("CHARSET", "UTF-8", q.seen & q.draft), [b"SEARCH CHARSET UTF-8 SEEN DRAFT"]),
        (("CHARSET", "ISO-8859-1", q.to("ü")), [b"SEARCH CHARSET ISO-8859-1 TO ", Literal(b"\xfc")]),
        ((q.to("x" * 1001),), [b"SEARCH TO ", Literal(b"x" * 1001)]),
    ],
)
def test_among_other_arguments(args: tuple[Any, ...], pieces: list[Any]) -> None:
    assert written(REGISTRY, "SEARCH", *args) == pieces


@pytest.mark.parametrize("args", [("SUBJECT", q.seen), ("CHARSET", q.seen), ("CHARSET", "US-ASCII", q.to("ü"))])
def test_where_a_key_cannot_stand(args: tuple[Any, ...]) -> None:
    with pytest.raises(ArgumentError):
        written(REGISTRY, "SEARCH", *args)


SEARCHES = {name: answering(b"* SEARCH 4 7\r\n") for name in ("SEARCH", "UID SEARCH")}


@pytest.mark.parametrize(
    ("key", "args"),
    [
        (q.unseen & q.since(dt.date(2026, 1, 1)), b"UNSEEN SINCE 1-Jan-2026"),
        (q.unseen & q.text("Grüße"), b"CHARSET UTF-8 UNSEEN TEXT {7}\r\nGr\xc3\xbc\xc3\x9fe"),
    ],
)
def test_searches_of_a_client(key: SearchKey, args: bytes) -> None:
    with selected(SEARCHES, families=["rev1"]) as (client, server):
        for found in (client.search(None, key), client.search(None, key, uid=True), client.uid("SEARCH", key),
                      client.uid("SEARCH", None, key)):  # fmt: skip
            assert found == ("OK", [b"4 7"])
            raw = server.commands[-1].raw
            assert raw.partition(b"SEARCH ")[2].replace(b"+}", b"}").removesuffix(b"\r\n") == args


def test_no_charset_once_utf8_is_accepted() -> None:
    with selected(SEARCHES, families=["rev1"]) as (client, server):
        client._session.utf8 = True
        client.search(None, q.text("Grüße"))
        assert server.commands[-1].raw.endswith(b'SEARCH TEXT "Gr\xc3\xbc\xc3\x9fe"\r\n')
        client.search(None, q.text("ü" * 600))
        assert b"CHARSET" not in server.commands[-1].raw


# Sort keys


def test_sort_keys() -> None:
    assert str(-sort.ARRIVAL) == "REVERSE ARRIVAL"
    back = -sort.ARRIVAL
    assert -back == sort.ARRIVAL == SortKey("ARRIVAL")
    assert len({back, -back, sort.ARRIVAL}) == 2
    assert [str(getattr(sort, name)) for name in sort.__all__] == sort.__all__
    with pytest.raises(AttributeError, match="NOPE"):
        sort.NOPE  # type: ignore[attr-defined] # noqa: B018


@pytest.mark.parametrize(
    ("name", "off", "on"),
    [
        ("INBOX", b"IN INBOX", b"IN INBOX"),
        ("To do", b'IN "To do"', b'IN "To do"'),
        ("Größe", b'IN "Gr&APYA3w-e"', 'IN "Größe"'.encode()),
        (MailboxName(b"Gr&APYA3w-e"), b'IN "Gr&APYA3w-e"', 'IN "Größe"'.encode()),
        (")", b'IN ")"', b'IN ")"'),
        ("x y" * 400, b"IN {1200}", b"IN {1200}"),
    ],
)
def test_a_name_is_written_as_a_mailbox(name: str | MailboxName, off: bytes, on: bytes) -> None:
    key = term("IN", Name(name))
    assert (line(key, utf8=False)[0], line(key, utf8=True)[0]) == (off, on)
    both = line(key & q.subject("ß"), utf8=False)
    assert both[0].startswith(b"CHARSET UTF-8 " + off)
    assert line(key | key & q.seen, utf8=False)[0].startswith(b"OR " + off)


def test_a_name_is_no_text_and_no_word() -> None:
    keys = [term("IN", Name("a")), term("IN", Text("a")), term("IN", "a")]
    assert len(set(keys)) == 3
    assert term("IN", Name("a")) == keys[0]
    assert repr(term("IN", Name("Größe"))) == '<SearchKey IN "Größe">'
    assert copy.deepcopy(keys[0]) == pickle.loads(pickle.dumps(keys[0])) == keys[0]


@pytest.mark.parametrize("name", ["a\r\nb", "a\0", "\udc80"])
def test_a_name_that_cannot_be_sent(name: str) -> None:
    with pytest.raises(ArgumentError):
        Name(name)
    with pytest.raises(TypeError):
        Name(b"a")  # type: ignore[arg-type]
