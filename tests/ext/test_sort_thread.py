"""SORT and THREAD, RFC 5256: bytes on the wire, commands in flight together, responses."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from imapkit import IMAP4, BadResponse, StateError, sort
from imapkit.errors import ArgumentError, FamilyDisabledError
from imapkit.ext.sort_thread import DEEPEST, Thread, imapkit_family, sort_data, thread_data
from imapkit.plugin import Cursor, Literal, SortKey, Text, term
from imapkit.testing import Answers, Conversation, Handler, ReceivedCommand, ScriptedServer, connect, selected, written

FAMILIES = ["rev1", "sort_thread"]
FAMILY = imapkit_family()
COMMANDS = {command.name: command for command in FAMILY.commands}
FOREST = b"(2)(3 6 (4 23)(44 7 96))((8)(9))"


def saying(untagged: bytes) -> Handler:
    return lambda conversation, command: conversation.ok(command, untagged=b"* %b\r\n" % untagged)


HANDLERS = {
    "SORT": saying(b"SORT 5 3 4"),
    "THREAD": saying(b"THREAD " + FOREST),
    "UID SORT": saying(b"SORT 105 103"),
    "UID THREAD": saying(b"THREAD (105)"),
}


def sent(server: Any) -> bytes:
    """The last command, without its tag."""
    raw: bytes = server.commands[-1].raw
    return raw.partition(b" ")[2].removesuffix(b"\r\n")


# On the wire


@pytest.mark.parametrize(
    ("criteria", "wire"),
    [
        ("DATE", b"(DATE)"),
        ("(DATE)", b"(DATE)"),
        ("REVERSE DATE", b"(REVERSE DATE)"),
        (" ( SUBJECT  REVERSE DATE ) ", b"(SUBJECT  REVERSE DATE)"),
        (b"(SUBJECT REVERSE DATE)", b"(SUBJECT REVERSE DATE)"),
        (["SUBJECT", "REVERSE DATE"], b"(SUBJECT REVERSE DATE)"),
        (("REVERSE", b"SIZE"), b"(REVERSE SIZE)"),
        (iter(["DISPLAYFROM", "DISPLAYTO"]), b"(DISPLAYFROM DISPLAYTO)"),
        ('ANNOTATION "/com(ment" "value.priv"', b'(ANNOTATION "/com(ment" "value.priv")'),
    ],
)
def test_sort_criteria(criteria: Any, wire: bytes) -> None:
    with selected(HANDLERS, families=FAMILIES) as (client, server):
        client.sort(criteria, None, "ALL")
        assert sent(server) == b"SORT %b US-ASCII ALL" % wire


@pytest.mark.parametrize(
    ("criteria", "wire"),
    [
        (sort.DATE, b"(DATE)"),
        (-sort.DATE, b"(REVERSE DATE)"),
        ([-sort.ARRIVAL, sort.SUBJECT], b"(REVERSE ARRIVAL SUBJECT)"),
        ((sort.DISPLAYFROM, "REVERSE SIZE", b"CC"), b"(DISPLAYFROM REVERSE SIZE CC)"),
        (SortKey('ANNOTATION "/comment" "value.priv"'), b'(ANNOTATION "/comment" "value.priv")'),
    ],
)
def test_sort_keys(criteria: Any, wire: bytes) -> None:
    with selected(HANDLERS, families=FAMILIES) as (client, server):
        client.sort(criteria, None, term("UNSEEN") & term("DRAFT"))
        assert sent(server) == b"SORT %b US-ASCII UNSEEN DRAFT" % wire


def test_search_keys_bring_their_charset() -> None:
    key = term("UNSEEN") & term("SUBJECT", Text("\u00fc"))
    pieces = [b"UNSEEN SUBJECT ", b'"\xc3\xbc"']
    for name, first, client_call in (("SORT", "(DATE)", "sort"), ("THREAD", "REFERENCES", "thread")):
        *_, last = written(FAMILY, name, first, "UTF-8", key)
        assert last.on == (pieces[1],)  # type: ignore[union-attr]
        assert last.off == (Literal(b"\xc3\xbc"),)  # type: ignore[union-attr]
        with selected(HANDLERS, families=FAMILIES) as (client, server):
            getattr(client, client_call)(first, None, key)
            assert sent(server).startswith(b"%b %b UTF-8 UNSEEN SUBJECT {2" % (name.encode(), first.encode()))
            client.uid(name, first, "UTF-8", key)
            assert b" UTF-8 UNSEEN SUBJECT {2" in sent(server)
            client.uid(name, first, None, key)
            assert b" UTF-8 UNSEEN SUBJECT {2" in sent(server)


@pytest.mark.parametrize(
    "criteria",
    ["", "()", [], "(DATE", "DATE)", "(DATE) (SIZE)", "DATE) UTF-8 ALL (", "DÄTE", "DATE {3}", '"DATE', 7.5, ["DATE", None]],
)
def test_invalid_sort_criteria_are_refused(criteria: Any) -> None:
    with pytest.raises(ArgumentError):
        written(FAMILY, "SORT", criteria, "UTF-8", "ALL")


@pytest.mark.parametrize("algorithm", ["REFERENCES UTF-8", "(REFERENCES)", "", "RÉFS", 7.5, None])
def test_invalid_algorithms_are_refused(algorithm: Any) -> None:
    with pytest.raises(ArgumentError):
        written(FAMILY, "THREAD", algorithm, "UTF-8", "ALL") if algorithm is not None else written(FAMILY, "THREAD")


@pytest.mark.parametrize(
    ("arguments", "wire"),
    [
        ((None, "ALL"), b"US-ASCII ALL"),
        (("", "ALL"), b"US-ASCII ALL"),
        (("UTF-8", "ALL"), b"UTF-8 ALL"),
        (('"UTF-8"', "ALL"), b"UTF-8 ALL"),
        ((b"X-UNKNOWN", "SUBJECT", "a b"), b'X-UNKNOWN SUBJECT "a b"'),
        ((None, "SINCE 1-Feb-1994", "TEXT", "not in mailbox"), b'US-ASCII SINCE 1-Feb-1994 TEXT "not in mailbox"'),
        ((None, "OR", "FROM", "a b", "UID", [1, 3]), b'US-ASCII OR FROM "a b" UID 1,3'),
        ((None, [2, 4]), b"US-ASCII 2,4"),
        ((None, 5, "UNSEEN"), b"US-ASCII 5 UNSEEN"),
        ((None, b"SUBJECT", b'"\xc3\xa4"'), b'UTF-8 SUBJECT "\xc3\xa4"'),
    ],
)
def test_charset_and_search(arguments: tuple[Any, ...], wire: bytes) -> None:
    with selected(HANDLERS, families=FAMILIES) as (client, server):
        assert client.sort("DATE", *arguments)[0] == "OK"
        assert sent(server) == b"SORT (DATE) " + wire
        assert client.thread("REFERENCES", *arguments)[0] == "OK"
        assert sent(server) == b"THREAD REFERENCES " + wire
        client.uid("sort", "DATE", *arguments)
        assert sent(server) == b"UID SORT (DATE) " + wire
        client.uid("THREAD", "REFS", *arguments)
        assert sent(server) == b"UID THREAD REFS " + wire


@pytest.mark.parametrize(
    ("arguments", "wire"),
    [
        (("SORT", "(DATE)", "UTF-8 ALL"), b"UID SORT (DATE) UTF-8 ALL"),
        (("SORT", "(DATE)", b"UTF-8 ALL"), b"UID SORT (DATE) UTF-8 ALL"),
        (("SORT", "(DATE)", '"UTF-8" ALL', "UNSEEN"), b"UID SORT (DATE) UTF-8 ALL UNSEEN"),
        (("SORT", "(DATE) UTF-8 ALL"), b"UID SORT (DATE) UTF-8 ALL"),
        (("SORT", b"(DATE) UTF-8 ALL"), b"UID SORT (DATE) UTF-8 ALL"),
        (("SORT", "(REVERSE DATE) UTF-8 (UNSEEN)"), b"UID SORT (REVERSE DATE) UTF-8 (UNSEEN)"),
        (("SORT", "(DATE)", "UNSEEN SINCE 1-Feb-1994"), b"UID SORT (DATE) US-ASCII UNSEEN SINCE 1-Feb-1994"),
        (("SORT", "(DATE)", None, "X-GM-RAW hello"), b"UID SORT (DATE) US-ASCII X-GM-RAW hello"),
        (("THREAD", "REFERENCES UTF-8 ALL"), b"UID THREAD REFERENCES UTF-8 ALL"),
        (("THREAD", "REFERENCES", "UTF-8 ALL"), b"UID THREAD REFERENCES UTF-8 ALL"),
        (("THREAD", b"REFERENCES UTF-8 ALL"), b"UID THREAD REFERENCES UTF-8 ALL"),
    ],
)
def test_several_arguments_in_one(arguments: tuple[Any, ...], wire: bytes) -> None:
    """As with imaplib2, which joins them."""
    with selected(HANDLERS, families=FAMILIES) as (client, server):
        assert client.uid(*arguments)[0] == "OK"
        assert sent(server) == wire


@pytest.mark.parametrize("name", ["SORT", "THREAD"])
@pytest.mark.parametrize(
    "arguments", [(), ("(DATE)",), ("DATE",), ("(DATE) ",), ("(DATE)\r\nX UTF-8 ALL",), (7.5, "UTF-8", "ALL")]
)
def test_too_little_or_too_much(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ArgumentError, match=name):
        written(FAMILY, name, *arguments)


@pytest.mark.parametrize("name", ["SORT", "THREAD"])
@pytest.mark.parametrize(
    ("arguments", "charset", "encoded"),
    [
        ((None, "SUBJECT", "ä"), b"UTF-8", b"\xc3\xa4"),
        ((None, 'SUBJECT "ä"'), b"UTF-8", b"\xc3\xa4"),
        (("utf-8", "SUBJECT", '"ä"'), b"utf-8", b"\xc3\xa4"),
        (("iso-8859-1", "SUBJECT", "ä"), b"iso-8859-1", b"\xe4"),
    ],
)
def test_8_bit_text_becomes_a_literal(name: str, arguments: tuple[Any, ...], charset: bytes, encoded: bytes) -> None:
    given = tuple(value for value in arguments if value is not None)
    assert [piece for piece in written(FAMILY, name, "DATE", *given) if piece][-1] == Literal(encoded)
    with selected(HANDLERS, families=FAMILIES) as (client, server):
        getattr(client, name.lower())("DATE", *arguments)
        assert b" %b SUBJECT {" % charset in server.commands[-1].raw
        assert server.commands[-1].literals == [encoded]


@pytest.mark.parametrize(
    "arguments",
    [
        ("US-ASCII", "SUBJECT", "ä"),
        ("X-UNKNOWN", "SUBJECT", "ä"),
        ("iso-8859-1", "SUBJECT", "€"),
        ("UTF-8 X", "ALL"),
        ("(UTF-8)", "ALL"),
        (None,),
        ("UTF-8",),
        ("UTF-8", None, ""),
    ],
)
def test_invalid_search_criteria_are_refused(arguments: tuple[Any, ...]) -> None:
    with selected(HANDLERS, families=FAMILIES) as (client, server):
        for command, first in ((client.sort, "DATE"), (client.thread, "REFS")):
            with pytest.raises(ArgumentError):
                command(first, *arguments)
        assert server.names[-1] == "SELECT"


def test_the_charset_argument_is_always_the_charset() -> None:
    with selected(HANDLERS, families=FAMILIES) as (client, server):
        client.sort("DATE", "ALL", "UNSEEN")
        assert sent(server) == b"SORT (DATE) ALL UNSEEN"
        client.sort("DATE", "SUBJECT", "SUBJECT", "a b")
        assert sent(server) == b'SORT (DATE) SUBJECT SUBJECT "a b"'


@pytest.mark.parametrize("evil", ["\r", "\n", "\0", "a\r\nA1 LOGOUT"])
def test_no_second_command_can_be_smuggled_in(evil: str) -> None:
    with selected(HANDLERS, families=FAMILIES) as (client, server):
        given: list[tuple[Any, ...]] = [
            ("DATE" + evil, None, "ALL"),
            (["DATE", evil], None, "ALL"),
            ("DATE", "UTF-8" + evil, "ALL"),
            ("DATE", f'"UTF-8{evil}"', "ALL"),
            ("DATE", None, "ALL" + evil),
            ("DATE", None, "SUBJECT", evil),
            ("DATE", None, f'SUBJECT "ä{evil}"'),
            ("DATE", None, b"SUBJECT", evil.encode()),
        ]
        for arguments in given:
            for call in (client.sort, client.thread):
                with pytest.raises(ArgumentError):
                    call(*arguments)
            for name in COMMANDS:
                with pytest.raises(ArgumentError):
                    client.uid(name, *arguments)
        assert server.names[-1] == "SELECT"


# Results


def test_shapes() -> None:
    with selected(HANDLERS, families=FAMILIES) as (client, _):
        assert client.sort("DATE", "UTF-8", "ALL") == ("OK", [b"5 3 4"])
        assert client.thread("REFERENCES", "UTF-8", "ALL") == ("OK", [FOREST])
        assert client.uid("SORT", "(DATE)", "UTF-8", "ALL") == ("OK", [b"105 103"])
        assert client.sort("DATE", "UTF-8", "ALL")[1].parsed() == [(5, 3, 4)]
        assert client.thread("REFS", None, "ALL")[1].parsed() == [
            (
                Thread((2,)),
                Thread((3, 6), (Thread((4, 23)), Thread((44, 7, 96)))),
                Thread((), (Thread((8,)), Thread((9,)))),
            )
        ]


@pytest.mark.parametrize(("untagged", "data"), [(b"SORT", [b""]), (b"OK nothing", [None])])
def test_nothing_found(untagged: bytes, data: list[Any]) -> None:
    with selected({"SORT": saying(untagged)}, families=FAMILIES) as (client, _):
        assert client.sort("DATE", None, "ALL") == ("OK", data)


def test_refusals() -> None:
    handlers: dict[str, Handler] = {
        "SORT": lambda conversation, command: conversation.no(command, b"[BADCHARSET (UTF-8)] not this"),
        "THREAD": lambda conversation, command: conversation.bad(command, b"no such algorithm"),
    }
    with selected(handlers, families=FAMILIES) as (client, _):
        assert client.sort("DATE", "X-NONE", "ALL") == ("NO", [b"[BADCHARSET (UTF-8)] not this"])
        with pytest.raises(BadResponse, match="no such algorithm"):
            client.thread("NONE", None, "ALL")


def test_callbacks() -> None:
    with selected(HANDLERS, families=FAMILIES) as (client, _):
        answers = Answers()
        assert client.sort("DATE", None, "ALL", callback=answers, cb_arg=1) == (None, None)  # type: ignore[comparison-overlap]
        client.thread("REFS", None, "ALL", callback=answers, cb_arg=2)
        client.uid("SORT", "DATE", None, "ALL", callback=answers, cb_arg=3)
        given = {answer[1]: answer[0] for answer in answers.take(3)}
        assert given == {1: ("OK", [b"5 3 4"]), 2: ("OK", [FOREST]), 3: ("OK", [b"105 103"])}


def test_a_mailbox_must_be_selected() -> None:
    with ScriptedServer() as server, connect(server, families=FAMILIES, login=False) as client:
        client.login("me", "secret")
        for call in (client.sort, client.thread):
            with pytest.raises(StateError):
                call("DATE", None, "ALL")
        assert server.names[-1] == "LOGIN"


# Commands in flight together


@pytest.mark.parametrize("name", ["SORT", "THREAD"])
def test_expunge_may_come_for_uids_only(name: str) -> None:
    command = COMMANDS[name]
    assert (command.uid, command.seqnums, command.expunges) == (True, True, False)


def test_a_sort_overlaps_with_a_fetch() -> None:
    waiting: list[ReceivedCommand] = []

    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        waiting.append(command)

    def sort(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* SORT 2 1\r\n")
        conversation.ok(waiting.pop(), untagged=b"* 1 FETCH (FLAGS ())\r\n")

    with selected({"FETCH": fetch, "SORT": sort}, families=FAMILIES) as (client, _):
        answers = Answers()
        client.fetch("1", "FLAGS", callback=answers)
        assert client.sort("DATE", None, "ALL") == ("OK", [b"2 1"])
        assert answers.next()[0] == ("OK", [b"1 (FLAGS ())"])


def test_two_sorts_follow_one_another() -> None:
    replies = {b"(DATE)": b"1 2", b"(SIZE)": b"2 1"}

    def sort(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* SORT %b\r\n" % replies[command.args.split()[0]])

    with selected({"SORT": sort}, families=FAMILIES) as (client, _):
        answers = Answers()
        for count in range(20):
            client.sort("SIZE" if count % 2 else "DATE", None, "ALL", callback=answers, cb_arg=count % 2)
        assert {(answer[1], answer[0][1][0]) for answer in answers.take(20)} == {(0, b"1 2"), (1, b"2 1")}


# Threads


def parsed(text: bytes) -> tuple[tuple[Thread, ...], list[str]]:
    cursor = Cursor((text,))
    threads = thread_data(cursor)
    return threads, [defect.what for defect in cursor.defects]


def test_replies_and_their_parents() -> None:
    (one, two, three), defects = parsed(FOREST)
    assert defects == []
    assert (one.root, two.root, three.root) == (2, 3, None)
    assert list(two.replies()) == [(3, None), (6, 3), (4, 6), (23, 4), (44, 6), (7, 44), (96, 7)]
    assert list(three.replies()) == [(8, None), (9, None)]
    assert two.messages() == (3, 6, 4, 23, 44, 7, 96)


def test_records_can_be_compared_and_hashed() -> None:
    assert len({*parsed(FOREST)[0], *parsed(FOREST)[0]}) == 3


def test_a_long_chain_is_not_deep_nesting() -> None:
    chain = range(1, 50001)
    [thread], defects = parsed(b"(%b)" % " ".join(map(str, chain)).encode())
    assert (thread.numbers, defects) == (tuple(chain), [])
    assert list(thread.replies())[-1] == (50000, 49999)


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST, DEEPEST + 1, 5000])
def test_nesting_is_bounded_and_no_message_is_lost(depth: int) -> None:
    text = b"".join(b"(%d(%d)" % (2 * level + 1, 2 * level + 2) for level in range(depth)) + b")" * depth
    text += b"(%d)" % (2 * depth + 1)
    (thread, last), defects = parsed(text)
    assert sorted(thread.messages()) == list(range(1, 2 * depth + 1))
    assert last == Thread((2 * depth + 1,))
    # The list that holds the last number is one level deeper.
    assert defects == ([f"THREAD: more than {DEEPEST} levels"] if depth >= DEEPEST else [])
    for twin in (parsed(text)[0][0], copy.deepcopy(thread), pickle.loads(pickle.dumps(thread))):
        assert twin == thread
    assert repr(thread)


def test_an_invalid_message_number_is_noted() -> None:
    assert parsed(b"(0)(1 (2)(4294967296))") == (
        (Thread((0,)), Thread((1,), (Thread((2,)), Thread((4294967296,))))),
        ["0, or a number too large"] * 2,
    )
    for text in (b"1 0 2", b"4294967296 4294967295"):
        cursor = Cursor((text,))
        assert sort_data(cursor) == tuple(map(int, text.split()))
        assert [defect.raw for defect in cursor.defects] == [b"0" if b" 0 " in text else b"4294967296"]


@pytest.mark.parametrize("text", [b"(" * 20000, b"()" * 3000, b")" * 20000, b"(1 " * 20000 + b")" * 19999, b"x " * 3000])
def test_random_input_is_survived(text: bytes) -> None:
    threads, defects = parsed(text)
    assert threads == ()
    assert defects


# The family


def test_without_the_family() -> None:
    with selected(families=["rev1"]) as (client, _):
        for name in ("sort", "thread"):
            assert not hasattr(client, name)
            with pytest.raises(FamilyDisabledError, match="'sort_thread'"):
                getattr(client, name)("DATE", None, "ALL")
        assert isinstance(client, IMAP4)


def test_claims() -> None:
    family = imapkit_family()
    assert (family.name, family.requires) == ("sort_thread", ("rev1",))
    assert set(family.capabilities) == {"SORT", "SORT=DISPLAY", "THREAD=*"}
    assert set(family.responses) == set(COMMANDS) == {"SORT", "THREAD"}
