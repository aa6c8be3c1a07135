from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from imapkit.core.grammar import append, encode, kinds, lists, names, strings
from imapkit.core.grammar.about import string_value
from imapkit.core.wire import mutf7, pieces
from imapkit.core.wire.dates import date_time
from imapkit.core.wire.pieces import Late, Literal, Piece
from imapkit.errors import ArgumentError
from imapkit.family import Command, Family, State
from tests.core.rig import selected

KINDS: list[Callable[[Any], Any]] = [
    strings.raw,
    strings.atom,
    strings.number,
    strings.astring,
    strings.quoted_string,
    strings.general,
    names.mailbox,
    names.list_pattern,
    lists.sequence_set,
    lists.fetch_items,
    lists.status_items,
    lists.flags,
    lists.store_item,
]
FORBIDDEN = ["a\rb", "a\nb", "a\r\nX1 DELETE inbox", "a\0b", "\r", "\n", "\0", '"a\r\nb"', "(a\r\nb)", "'a\nb'"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_kind_lets_a_line_end_or_nul_pass(kind: Callable[[Any], Any]) -> None:
    for text in FORBIDDEN:
        for value in (text, text.encode(), bytearray(text.encode()), memoryview(text.encode())):
            with pytest.raises(ArgumentError):
                pytest.fail(f"{value!r} became {kind(value)!r}")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_kind_ends_in_an_announcement(kind: Callable[[Any], Any]) -> None:
    tails = ["{5}", "{5+}", "{5-}", "~{5}", "{}"]
    for value in (value for tail in tails for value in (f"a{tail}", f"a{tail}".encode(), tail.encode())):
        try:
            token = kind(value)
        except ArgumentError:
            continue
        pieces = token if type(token) is tuple else (token,)
        last = pieces[-1]
        for written in (last.off[-1], last.on[-1]) if isinstance(last, Late) else (last,):
            # What is quoted ends in a quote, and what is a literal is counted.
            assert isinstance(written, Literal) or (isinstance(written, bytes) and written.endswith((b'"', b")"))), value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_kind_takes_what_is_not_text(kind: Callable[[Any], Any]) -> None:
    for value in (None, 1.5, True, object()):
        with pytest.raises(ArgumentError, match=type(value).__name__):
            pytest.fail(f"{value!r} became {kind(value)!r}")


@pytest.mark.parametrize(
    "kind", [strings.raw, strings.astring, strings.quoted_string, strings.general], ids=lambda kind: kind.__name__
)
def test_tab_and_other_controls_may_pass(kind: Callable[[Any], Any]) -> None:
    assert b"a\tb" in kind("a\tb")


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("simple", b"simple"),
        ("with]bracket", b"with]bracket"),
        ("two words", b'"two words"'),
        ("", b'""'),
        ("NIL", b'"NIL"'),
        ("nil", b'"nil"'),
        ('a"b\\c', b'"a\\"b\\\\c"'),
        ('"already quoted"', b'"already quoted"'),
        ('"half', b'"\\"half"'),
        ("'quoted'", b"'quoted'"),
        ("'", b"'"),
        ("a*b", b'"a*b"'),
        ("a%b", b'"a%b"'),
        ("{5}", b'"{5}"'),
        (12, b"12"),
        (b"as it is", b"as it is"),
        ("gr\u00fcn", Literal("gr\u00fcn".encode())),
        ("x" * 1001, Literal(b"x" * 1001)),
    ],
)
def test_astring(value: Any, token: Any) -> None:
    assert strings.astring(value) == token


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("secret", b'"secret"'),
        (b"secret", b'"secret"'),
        ('"quoted"', b'"\\"quoted\\""'),
        ("'", b'"\'"'),
        ("", b'""'),
        (b"\xff", Literal(b"\xff")),
        ("p\u00e4ss", Literal("p\u00e4ss".encode())),
    ],
)
def test_quoted_string(value: Any, token: Any) -> None:
    assert strings.quoted_string(value) == token


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("INBOX", b"INBOX"),
        ("My Mail", b'"My Mail"'),
        ('"My Mail"', b'"My Mail"'),
        ("", b'""'),
        ("Entw\u00fcrfe", Late((b'"Entw&APw-rfe"',), ('"Entw\u00fcrfe"'.encode(),))),
        ("A&B", Late((b'"A&-B"',), (b'"A&B"',))),
        ("Entw&APw-rfe", b"Entw&APw-rfe"),
        ("Tom & Jerry", Late((b'"Tom &- Jerry"',), (b'"Tom & Jerry"',))),
        ("a&b", Late((b'"a&-b"',), (b'"a&b"',))),
        (b"Entw&APw-rfe", b"Entw&APw-rfe"),
        ("a*", b'"a*"'),
    ],
)
def test_mailbox(value: Any, token: Any) -> None:
    assert names.mailbox(value) == token


def test_wildcards_of_a_pattern_are_not_quoted() -> None:
    assert names.list_pattern("a/%") == b"a/%"
    assert names.list_pattern("*") == b"*"
    assert names.list_pattern("a b*") == b'"a b*"'


@pytest.mark.parametrize("kind", [strings.astring, names.mailbox, names.list_pattern, strings.quoted_string])
def test_a_lone_surrogate_cannot_be_encoded(kind: Callable[[Any], Any]) -> None:
    with pytest.raises(ArgumentError):
        kind("a\udc80")


@pytest.mark.parametrize("value", ["", "two words", "a(b", "a)", "a{", 'a"', "a\\", "a]", "\u00fc", "\x7f", b"\xff"])
def test_an_invalid_atom_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentError, match="not an atom"):
        strings.atom(value)


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "\u0661", b"\xb2"])
def test_an_invalid_number_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentError, match="not a number"):
        strings.number(value)


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("FLAGS", b"FLAGS"),
        ("(FLAGS UID)", b"(FLAGS UID)"),
        (["FLAGS", b"UID"], b"(FLAGS UID)"),
        ("UID FLAGS", b"(UID FLAGS)"),
        (" UID  FLAGS ", b"(UID  FLAGS)"),
        ("BODY[HEADER.FIELDS (A B)] UID", b"(BODY[HEADER.FIELDS (A B)] UID)"),
        ("BODY.PEEK[]<0.5> BINARY.SIZE[1.2]", b"(BODY.PEEK[]<0.5> BINARY.SIZE[1.2])"),
        ("UID PREVIEW (LAZY)", b"(UID PREVIEW (LAZY))"),
        ("ALL", b"ALL"),
        ("FULL", b"FULL"),
        ("FAST", b"FAST"),
        ("FLAGS (CHANGEDSINCE 5)", b"FLAGS (CHANGEDSINCE 5)"),
        ("(FLAGS UID) (CHANGEDSINCE 5)", b"(FLAGS UID) (CHANGEDSINCE 5)"),
        ("PREVIEW (LAZY)", b"PREVIEW (LAZY)"),
        ("ANNOTATION (/comment (value.priv size.priv))", b"ANNOTATION (/comment (value.priv size.priv))"),
        (b"UID FLAGS", b"UID FLAGS"),
        ("BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.100>", b"BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.100>"),
    ],
)
def test_fetch_items(value: Any, items: bytes) -> None:
    assert lists.fetch_items(value) == items


@pytest.mark.parametrize("kind", [lists.fetch_items, lists.status_items])
@pytest.mark.parametrize("value", ["", "()", [], " "])
def test_nothing_is_no_list_of_items(kind: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(ArgumentError, match="item is asked for"):
        kind(value)


def test_status_items_get_their_parentheses() -> None:
    assert lists.status_items("MESSAGES") == lists.status_items("(MESSAGES)") == b"(MESSAGES)"
    assert lists.status_items(["MESSAGES", "UNSEEN"]) == b"(MESSAGES UNSEEN)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (r"\Seen", rb"(\Seen)"),
        (r"(\Seen \Deleted)", rb"(\Seen \Deleted)"),
        ([r"\Seen", "$Junk"], rb"(\Seen $Junk)"),
        ("", b"()"),
        ([], b"()"),
    ],
)
def test_flags(value: Any, text: bytes) -> None:
    assert lists.flags(value) == text


@pytest.mark.parametrize("value", ["a{3}", "a%", "a*", "\x7f", "a\tb", "gr\u00fcn", b"\xff"])
def test_an_invalid_flag_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentError):
        lists.flags(value)


@pytest.mark.parametrize("value", ["FLAGS", "+FLAGS", "-FLAGS.SILENT", "+X-GM-LABELS", "(UNCHANGEDSINCE 5) +FLAGS"])
def test_store_item(value: str) -> None:
    assert lists.store_item(value) == value.encode()


@pytest.mark.parametrize("value", ["", "+", "FLAGS (x)", "++FLAGS", "1FLAGS"])
def test_an_invalid_store_item_is_refused(value: str) -> None:
    with pytest.raises(ArgumentError, match="not a STORE item"):
        lists.store_item(value)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
        (b"a\nb\rc\r\n", b"a\r\nb\r\nc\r\n"),
        ("a\nb", b"a\r\nb"),
        (b"\n\r", b"\r\n\r\n"),
        (b"", b""),
        (b"\0{5}", b"\0{5}"),
    ],
)
def test_message(value: Any, data: bytes) -> None:
    assert append.message(value) == Literal(data)


def test_a_message_with_8_bit_bytes_is_announced_as_utf8_where_that_is_on() -> None:
    data = "Subject: gr\u00fcn\r\n\r\n".encode()
    assert append.message(data) == Late((Literal(data),), (b"UTF8 (", Literal(data, binary=True), b")"))


def test_a_long_name_is_a_literal_in_either_form() -> None:
    name = "\u00fc" * 600
    assert names.mailbox(name) == Late((Literal(mutf7.encode(name)),), (Literal(name.encode()),))


def test_arguments_that_may_be_literals() -> None:
    assert pieces.has_literal([b"x", Late((Literal(b""),), (b"y",))])
    assert not pieces.has_literal([b"x", Late((b"x",), (b"y",))])


@pytest.mark.parametrize("value", ["1:*", "*:4,7", "1,2,3", "5:*"])
def test_a_sequence_set_is_not_quoted_in_unknown_commands(value: str) -> None:
    assert strings.general(value) == value.encode()


@pytest.mark.parametrize("value", ["*", "*a", "1*:%", ":*"])
def test_text_that_is_no_sequence_set_is_quoted(value: str) -> None:
    assert strings.general(value) == b'"%b"' % value.encode()


@pytest.mark.parametrize("value", [5, None, 1.5, ["x"]])
def test_an_invalid_message_is_refused(value: object) -> None:
    with pytest.raises(ArgumentError, match="a message must be bytes or text"):
        append.message(value)


def test_a_message_in_text_must_be_ascii() -> None:
    with pytest.raises(ArgumentError, match="give bytes"):
        append.message("gr\u00fcn")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("UNSEEN SINCE 1-Jan-2026", (b"UNSEEN SINCE 1-Jan-2026",)),
        ('SUBJECT "hello world"', (b'SUBJECT "hello world"',)),
        ('SUBJECT "gr\u00fcn" SEEN', (b"SUBJECT ", Literal("gr\u00fcn".encode()), b" SEEN")),
    ],
)
def test_program(text: str, written: tuple[Any, ...]) -> None:
    assert encode.encode((strings.general,), None, (f"({text})",), "X") == pieces.joined([b"X", (b"(", *written, b")")])
    assert pieces.joined([strings.program(text)]) == pieces.joined([written])


def test_a_program_in_another_charset() -> None:
    assert Literal(b"gr\xfcn") in strings.program('SUBJECT "gr\u00fcn"', "latin-1")
    for charset, match in (("latin-1", "cannot be written"), ("no-such", "unknown charset")):
        with pytest.raises(ArgumentError, match=match):
            strings.program('SUBJECT "\u20ac"', charset)


@pytest.mark.parametrize(
    "text", ["SUBJECT gr\u00fcn", 'SUBJECT "gr\u00fcn', 'SUBJECT "a\r\n\u00fc"', "SUBJECT {5}", 'SUBJECT "\u00fc" {5}']
)
def test_an_invalid_program_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError):
        strings.program(text)


def test_encode_joins_tokens_with_one_space() -> None:
    several = (names.mailbox, lists.flags, kinds.optional(strings.raw), append.message)
    found = encode.encode(several, None, ("a b", r"\Seen", None, b"x"), "XPUT")
    assert found == [rb'XPUT "a b" (\Seen) ', Literal(b"x")]


def test_encode_leaves_out_what_is_none_where_that_is_optional() -> None:
    assert encode.encode((kinds.optional(names.mailbox), strings.raw), None, (None, "x"), "XPUT") == [b"XPUT x"]


@pytest.mark.parametrize(("args", "at"), [((None, "x"), 1), (("x", None), 2), (("x", "x", None), 3), (("x", "x", "x", None), 4)])
def test_encode_refuses_none_for_a_required_argument(args: tuple[Any, ...], at: int) -> None:
    with pytest.raises(ArgumentError, match=f"XPUT: argument {at}: it is None"):
        encode.encode((names.mailbox, strings.raw), lambda values: map(strings.raw, values), args, "XPUT")
    if len(args) == 2:
        with pytest.raises(ArgumentError, match=f"XPUT: argument {at}: it is None"):
            encode.encode((), None, args, "XPUT")


def test_an_optional_rest_gets_what_is_none() -> None:
    def rest(values: tuple[Any, ...], operands: str = "") -> list[bytes]:
        return [repr(values).encode()]

    assert encode.encode((), kinds.optional(rest), (None, "x"), "XPUT") == [b"XPUT (None, 'x')"]
    assert encode.encode((), partial(kinds.optional(rest), operands="x"), (None,), "XPUT") == [b"XPUT (None,)"]


UNQUOTED: list[tuple[Any, Any, bytes]] = [
    (strings.raw, "'a (b c) \"d\"'", b'a (b c) "d"'),
    (strings.astring, "'x OR ALL ALL'", b"x OR ALL ALL"),
    (strings.astring, "''", b""),
    (strings.general, "'1:*'", b"1:*"),
    (names.mailbox, "'%'", b"%"),
    (names.mailbox, "'INBOX'", b"INBOX"),
    (names.list_pattern, "'\"a b\"'", b'"a b"'),
    (lists.sequence_set, "'1:*'", b"1:*"),
    (lists.fetch_items, "'(FLAGS)'", b"(FLAGS)"),
    (lists.status_items, "'(MESSAGES)'", b"(MESSAGES)"),
    (lists.flags, "'(\\Seen)'", b"(\\Seen)"),
    (lists.store_item, "'+FLAGS'", b"+FLAGS"),
    (strings.number, "'7'", b"7"),
    (strings.atom, "'UTF-8'", b"UTF-8"),
    (date_time, "'\"17-Jul-1996 02:44:25 -0700\"'", b'"17-Jul-1996 02:44:25 -0700"'),
    (kinds.optional(lists.flags), "'(\\Seen)'", b"(\\Seen)"),
    (strings.quoted_string, "'secret'", b"\"'secret'\""),
    (kinds.optional(strings.quoted_string), "'secret'", b"\"'secret'\""),
]


@pytest.mark.parametrize(("kind", "value", "token"), UNQUOTED)
def test_single_quotes_are_removed_before_a_kind_sees_its_argument(kind: Any, value: Any, token: bytes) -> None:
    assert encode.encode((kind,), None, (value,), "X") == [b"X " + token]
    if not kinds.keeps_quotes(kind):
        assert encode.quotes_removed((kind,), (value,), "X") == (value[1:-1].encode(),)


def test_a_message_keeps_its_single_quotes() -> None:
    assert encode.encode((append.message,), None, ("'x'",), "X")[1] == Literal(b"'x'")


def test_a_kind_of_a_family_may_keep_single_quotes() -> None:
    @kinds.verbatim
    def kind(value: Any) -> pieces.Token:
        return strings.raw(value)

    assert encode.encode((kind, strings.raw), None, ("'x'", "'x'"), "X") == [b"X 'x' x"]


def test_the_rest_and_the_general_rule_get_text_without_single_quotes() -> None:
    seen: list[Any] = []
    encode.encode((), lambda values: seen.extend(values) or (), ("'a b'", b"'c'", "d'"), "X")  # type: ignore[func-returns-value]
    assert seen == [b"a b", b"'c'", "d'"]
    assert encode.encode((), None, ("'a b'", "'(x)'"), "X") == [b"X a b (x)"]


@pytest.mark.parametrize("text", ["'a\r\nb'", "'a\nb'", "'a\0b'", "'a{5}'", "'gr\u00fcn'", "'\r\n'"])
@pytest.mark.parametrize("kind", [strings.astring, strings.raw, names.mailbox, strings.general], ids=lambda kind: kind.__name__)
def test_text_between_single_quotes_stays_one_command(text: str, kind: Callable[[Any], Any]) -> None:
    with pytest.raises(ArgumentError):
        encode.encode((kind,), None, (text,), "X")
    with pytest.raises(ArgumentError):
        encode.encode((), lambda values: map(kind, values), (text,), "X")


def test_encode_by_the_general_rule() -> None:
    assert encode.encode((), None, ("a b", "(c d)", '"e f"', 7), "XDO") == [b'XDO "a b" (c d) "e f" 7']


def test_encode_hands_the_rest_over() -> None:
    seen: list[tuple[Any, ...]] = []

    def rest(values: tuple[Any, ...]) -> list[pieces.Token]:
        seen.append(values)
        return [b"rest"]

    assert encode.encode((strings.raw,), rest, ("a", "b", "c"), "XDO") == [b"XDO a rest"]
    assert seen == [("b", "c")]


def test_encode_says_what_was_wrong_and_where() -> None:
    with pytest.raises(ArgumentError, match=r"XDO: argument 2: CR at byte 1"):
        encode.encode((strings.raw, strings.raw), None, ("a", "b\r"), "XDO")
    with pytest.raises(ArgumentError, match="XDO takes 1 arguments, not 2"):
        encode.encode((strings.raw,), None, ("a", "b"), "XDO")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("text", "returned str instead of bytes, a Literal or a Source"),
        (Literal(bytearray(b"x")), "a literal's data must be bytes, not bytearray"),  # type: ignore[arg-type]
        (Late((b"a",), b"b"), "a Late must hold two tuples, not bytes"),  # type: ignore[arg-type]
        (Late((b"a",), ("b",)), "a Late must hold bytes, Literals and Sources, not str"),  # type: ignore[arg-type]
        (b"a\r\nb", "arguments of XDO"),
    ],
)
def test_a_kind_that_makes_what_cannot_be_sent(made: Any, why: str) -> None:
    family = Family("do", commands=(Command("XDO", State.ANY, args=(lambda value: made,)),))
    with selected(families=["rev1", family]) as (client, server), pytest.raises(ArgumentError, match=why):
        client.xatom("XDO", "a")
    assert "XDO" not in server.names


def test_a_late_name_is_one_piece() -> None:
    late = Late((b'"a"',), (b'"b"',))
    assert encode.encode((names.mailbox,), None, ("\u00fc",), "XDO") == [b"XDO ", Late((b'"&APw-"',), ('"\u00fc"'.encode(),))]
    assert pieces.joined([late, late]) == [late, b" ", late]


@pytest.mark.parametrize(
    ("sent", "token"),
    [
        (b"fred", b'"fred"'),
        (b"", b'""'),
        (b"NIL", b'"NIL"'),
        (b'"a b"', rb'"\"a b\""'),
        (b"'a'", b"\"'a'\""),
        (b"{3}", b'"{3}"'),
        (b"\xff", Literal(b"\xff")),
        (b"a\r\nb", Literal(b"a\r\nb")),
        (b"x" * 1001, Literal(b"x" * 1001)),
    ],
)
def test_a_string_that_a_server_gave(sent: bytes, token: Any) -> None:
    for kind in (strings.astring, strings.quoted_string):
        assert kind(pieces.ServerString(sent)) == token
    assert string_value(token) == sent


def test_a_string_that_cannot_be_passed_back() -> None:
    for kind in (strings.astring, strings.quoted_string):
        with pytest.raises(ArgumentError, match="NUL"):
            kind(pieces.ServerString(b"a\0\r"))


def test_names_that_a_server_gave_are_readable() -> None:
    assert pieces.ServerString("Renée".encode()).text == "Renée"
    assert pieces.ServerString(b"\xff").text == "\udcff"
    assert (pieces.MailboxName(b"R&AOk-").text, pieces.UTF8MailboxName(b"R&AOk-").text) == ("Ré", "R&AOk-")
    assert pieces.UTF8MailboxName("é&-".encode() + b"\xff").text == "é&-\udcff"


@pytest.mark.parametrize(
    ("name", "plain", "utf8"),
    [
        (pieces.MailboxName(b"Sent"), b"Sent", b"Sent"),
        (pieces.MailboxName(b"R&AOk- &- D"), b'"R&AOk- &- D"', '"Ré & D"'.encode()),
        (pieces.MailboxName(b"R&D"), b"R&D", b"R&D"),
        (pieces.MailboxName(b"caf\xe9"), Literal(b"caf\xe9"), Literal(b"caf\xe9")),
        (pieces.UTF8MailboxName("Ré & D".encode()), b'"R&AOk- &- D"', Literal("Ré & D".encode())),
        (pieces.UTF8MailboxName(b"a&b"), b'"a&-b"', b"a&b"),
        (pieces.UTF8MailboxName(b"caf\xe9"), Literal(b"caf\xe9"), Literal(b"caf\xe9")),
    ],
)
def test_a_name_that_a_server_gave_goes_in_what_is_spoken_now(name: bytes, plain: Piece, utf8: Piece) -> None:
    """As it came, or in the other encoding: UTF8=ACCEPT may have been enabled since, or not be on in another connection."""
    token = names.mailbox(name)
    assert isinstance(token, Late) or plain == utf8
    assert (token.off, token.on) == ((plain,), (utf8,)) if isinstance(token, Late) else token == plain


def test_a_literal_never_shows_what_it_holds() -> None:
    assert "secret" not in repr(Literal(b"secret"))
