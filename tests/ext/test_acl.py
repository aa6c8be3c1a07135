"""ACL, RFC 4314: arguments, results, rights old and new, attribution."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.errors import ArgumentError, BadResponse, StateError
from imapkit.ext.acl import Acl, ListRights, MyRights, Rights, imapkit_family
from imapkit.plugin import Literal, MailboxName, ServerString, Untagged
from imapkit.testing import (
    INJECTIONS,
    Answers,
    ScriptedServer,
    answering,
    at_once,
    check_family,
    connect,
    crossed,
    refusing,
    selected,
    written,
)

FAMILIES = ["rev1", "acl"]
METHODS = ["deleteacl", "getacl", "listrights", "myrights", "setacl"]
FAMILY = imapkit_family()
COMMANDS = {command.name: command for command in FAMILY.commands}


# On the wire


@pytest.mark.parametrize(
    ("name", "args", "pieces"),
    [
        ("GETACL", ("Sent Items",), [b'GETACL "Sent Items"']),
        ("MYRIGHTS", (b"INBOX",), [b"MYRIGHTS INBOX"]),
        ("LISTRIGHTS", ("INBOX", "anyone"), [b"LISTRIGHTS INBOX anyone"]),
        ("DELETEACL", ("INBOX", "a b"), [b'DELETEACL INBOX "a b"']),
        ("SETACL", ("INBOX", "fred", "lrs"), [b"SETACL INBOX fred lrs"]),
        ("SETACL", ("INBOX", "-fred", "+w"), [b"SETACL INBOX -fred +w"]),
        ("SETACL", ("INBOX", '"a b"', '"-w"'), [b'SETACL INBOX "a b" "-w"']),
        ("SETACL", ("INBOX", "fred", ""), [b'SETACL INBOX fred ""']),
        ("SETACL", ("INBOX", "fred", '""'), [b'SETACL INBOX fred ""']),
        ("SETACL", ("INBOX", "fred", Rights(b"lrscd")), [b"SETACL INBOX fred lrscd"]),
        ("SETACL", ("INBOX", "fred", ["l", "rs"]), [b"SETACL INBOX fred lrs"]),
        ("SETACL", ("INBOX", "fred", ()), [b'SETACL INBOX fred ""']),
        ("SETACL", ("INBOX", "Renée", "lr"), [b"SETACL INBOX ", Literal("Renée".encode()), b" lr"]),
    ],
)
def test_on_the_wire(name: str, args: tuple[Any, ...], pieces: list[Any]) -> None:
    assert written(FAMILY, name, *args) == pieces


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("GETACL", ()),
        ("GETACL", ("a", "b")),
        ("SETACL", ("INBOX", "fred")),
        ("SETACL", ("INBOX", "fred", 7.5)),
        ("SETACL", ("INBOX", "fred", [1, 2])),
        ("LISTRIGHTS", ("INBOX",)),
        ("DELETEACL", ("INBOX", object())),
    ],
)
def test_refused(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(ArgumentError, match=name):
        written(FAMILY, name, *args)


@pytest.mark.parametrize("bad", INJECTIONS)
def test_arguments_that_would_inject_commands(bad: Any) -> None:
    with selected(families=FAMILIES) as (client, server):
        for ask in (client.getacl, client.myrights):
            with pytest.raises(ArgumentError):
                ask(bad)
        for change in (client.listrights, client.deleteacl):
            for two in ((bad, "fred"), ("INBOX", bad)):
                with pytest.raises(ArgumentError):
                    change(*two)
        for three in ((bad, "fred", "lr"), ("INBOX", bad, "lr"), ("INBOX", "fred", bad), ("INBOX", "fred", [bad])):
            with pytest.raises(ArgumentError):
                client.setacl(*three)
        assert server.names == ["LOGIN", "SELECT"]


# Results


def test_getacl() -> None:
    untagged = b'* ACL INBOX Fred rwipslxetad -Fred wetd "a b" ""\r\n'
    with selected({"GETACL": answering(untagged)}, families=FAMILIES) as (client, _):
        typ, data = client.getacl("INBOX")
        assert (typ, data) == ("OK", [b'INBOX Fred rwipslxetad -Fred wetd "a b" ""'])
        entries = {b"Fred": Rights(b"rwipslxetad"), b"-Fred": Rights(b"wetd"), b"a b": Rights(b"")}
        [acl] = data.parsed()
        assert acl == Acl(MailboxName(b"INBOX"), {ServerString(who): given for who, given in entries.items()})
        assert acl.text() == {who.decode(): given for who, given in entries.items()}
        assert (acl.of("Fred"), acl.of("fred")) == (Rights(b"rwipslxetad"), None)
        assert client.response("ACL") == ("ACL", [None])


def test_listrights_and_myrights() -> None:
    handlers = {
        "LISTRIGHTS": answering(b"* LISTRIGHTS ~/Mail/saved smith la r swicdkxte\r\n"),
        "MYRIGHTS": answering(b"* MYRIGHTS INBOX rwiptsldaex\r\n"),
    }
    with selected(handlers, families=FAMILIES) as (client, _):
        typ, data = client.listrights("~/Mail/saved", "smith")
        assert (typ, data) == ("OK", [b"~/Mail/saved smith la r swicdkxte"])
        (listed,) = data.parsed()
        assert (listed.mailbox, listed.who, "".join(listed.required)) == ("~/Mail/saved", "smith", "al")
        assert listed.grantable == frozenset("larswikxte")
        typ, data = client.myrights("INBOX")
        assert (typ, data) == ("OK", [b"INBOX rwiptsldaex"])
        assert data.parsed() == [MyRights(MailboxName(b"INBOX"), Rights(b"rwiptsldaex"))]
        assert "e" in data.parsed()[0].rights


def test_setacl_and_deleteacl_return_the_text() -> None:
    with selected({"SETACL": answering(), "DELETEACL": answering()}, families=FAMILIES) as (client, server):
        assert client.setacl("INBOX", "fred", "+lr") == ("OK", [b"done"])
        assert client.deleteacl("INBOX", "fred") == ("OK", [b"done"])
        assert [command.args for command in server.commands[-2:]] == [b"INBOX fred +lr", b"INBOX fred"]


def test_refusals() -> None:
    with selected({"GETACL": refusing(), "SETACL": refusing()}, families=FAMILIES) as (client, _):
        assert client.getacl("INBOX") == ("NO", [b"not allowed"])
        assert client.setacl("INBOX", "fred", "lr") == ("NO", [b"not allowed"])
        with pytest.raises(BadResponse):
            client.myrights("INBOX")


def test_an_answer_without_untagged_responses() -> None:
    with selected({"GETACL": answering()}, families=FAMILIES) as (client, _):
        typ, data = client.getacl("INBOX")
        assert (typ, data, data.parsed()) == ("OK", [None], [])


def test_callbacks() -> None:
    handlers = {
        "GETACL": answering(b"* ACL INBOX\r\n"),
        "MYRIGHTS": answering(b"* MYRIGHTS INBOX lr\r\n"),
        "LISTRIGHTS": answering(b'* LISTRIGHTS INBOX me ""\r\n'),
        "SETACL": answering(),
        "DELETEACL": refusing(),
    }
    with selected(handlers, families=FAMILIES) as (client, _):
        answers = Answers()
        calls: Any = client
        assert calls.getacl("INBOX", callback=answers, cb_arg=1) == (None, None)
        assert calls.myrights("INBOX", callback=answers, cb_arg=2) == (None, None)
        assert calls.listrights("INBOX", "me", callback=answers, cb_arg=3) == (None, None)
        assert calls.setacl("INBOX", "me", "lr", callback=answers, cb_arg=4) == (None, None)
        assert calls.deleteacl("INBOX", "me", callback=answers, cb_arg=5) == (None, None)
        assert sorted(answers.take(5), key=lambda answer: answer[1]) == [
            (("OK", [b"INBOX"]), 1, None),
            (("OK", [b"INBOX lr"]), 2, None),
            (("OK", [b'INBOX me ""']), 3, None),
            (("OK", [b"done"]), 4, None),
            (("NO", [b"not allowed"]), 5, None),
        ]


def test_states() -> None:
    with ScriptedServer() as server, connect(server, families=FAMILIES, login=False) as client:
        for name in METHODS:
            with pytest.raises(StateError):
                getattr(client, name)(*["INBOX", "fred", "lr"][: len(COMMANDS[name.upper()].args)])


# Attribution


@pytest.mark.parametrize("name", ["ACL", "MYRIGHTS"])
def test_two_mailboxes_at_the_same_time(name: str) -> None:
    command = {"ACL": "GETACL"}.get(name, name)
    lines = {b'"a b"': b'* %b "a b" lr s\r\n', b"c": b"* %b c lr w\r\n"}
    handler = crossed({args: line % name.encode() for args, line in lines.items()})
    with selected({command: handler}, families=FAMILIES) as (client, _):
        ask = getattr(client, command.lower())
        one, other = at_once(lambda: ask("a b"), lambda: ask("c"))
        assert one == ("OK", [b'"a b" lr s'])
        assert other == ("OK", [b"c lr w"])


def test_two_identifiers_at_the_same_time() -> None:
    handler = crossed({b"INBOX ann": b"* LISTRIGHTS inbox ann l r\r\n", b"INBOX bob": b'* LISTRIGHTS INBOX "bob" a\r\n'})
    with selected({"LISTRIGHTS": handler}, families=FAMILIES) as (client, _):
        one, other = at_once(lambda: client.listrights("INBOX", "ann"), lambda: client.listrights("INBOX", "bob"))
        assert one == ("OK", [b"inbox ann l r"])
        assert other == ("OK", [b'INBOX "bob" a'])


def test_unasked_rights() -> None:
    """The answer to LIST can contain MYRIGHTS: RFC 8440."""
    untagged = b"* MYRIGHTS other lr\r\n* MYRIGHTS mine lrs\r\n"
    with selected({"MYRIGHTS": answering(untagged)}, families=FAMILIES) as (client, _):
        assert client.myrights("mine") == ("OK", [b"mine lrs"])
        assert client.response("MYRIGHTS") == ("MYRIGHTS", [b"other lr"])


@pytest.mark.parametrize(
    ("name", "asked", "answered", "verdict"),
    [
        ("GETACL", ("inbox",), (b"INBOX a lr",), True),
        ("GETACL", ("Entwürfe",), (b'"Entw&APw-rfe"',), True),
        ("GETACL", ("Entwürfe",), ('"Entwürfe" a lr'.encode(),), True),
        ("GETACL", (MailboxName(b"a b"),), (b"{3}", b"a b", b" a lr"), True),
        ("GETACL", ("archive/imap",), (b"archive.imap a lr",), None),
        ("GETACL", ("Archive",), (b"archive",), None),
        ("GETACL", ("a",), (b"b a lr",), str),
        ("MYRIGHTS", ("a",), (b"b lr",), str),
        ("MYRIGHTS", ("A",), (b"a lr",), None),
        ("MYRIGHTS", ("INBOX",), (b"user.tester lr",), None),
        ("MYRIGHTS", ("INBOX",), (b"inbox lr",), True),
        ("GETACL", ("a",), (b'"a',), None),
        ("LISTRIGHTS", ("archive/imap", "anyone"), (b'archive.imap anyone "" l r',), None),
        ("LISTRIGHTS", ("a", "Renée"), (b"a {6}", "Renée".encode(), b" l"), True),
        ("LISTRIGHTS", ("a", b'"x y"'), (b'a "x y" l',), True),
        ("LISTRIGHTS", ("a", "x"), (b"a y l",), str),
        ("LISTRIGHTS", ("a", "x"), (b"b x l",), str),
        ("LISTRIGHTS", ("a", "x"), (b"a",), None),
        ("LISTRIGHTS", ("a", b'"x'), (b'a "x y" l',), str),
    ],
)
def test_attribution(name: str, asked: tuple[Any, ...], answered: tuple[bytes, ...], verdict: bool | type[str] | None) -> None:
    command = COMMANDS[name]
    assert command.subject is not None
    assert command.matches is not None
    found = command.matches(command.subject(asked, False), Untagged(name, None, answered))
    assert (str if isinstance(found, str) else found) is verdict, "a text is the reason for a defect"


# Rights


@pytest.mark.parametrize(
    ("raw", "letters"),
    [
        (b"", ""),
        (b"lrs", "lrs"),
        (b"lrswipkxtecda", "lrswipkxtea"),
        (b"lrswideta", "lrswieta"),  # RFC 4314: "d" accompanies its members, and is omitted
        (b"lrkc", "lrk"),
        (b"lrswipd", "lrswipte"),  # RFC 2086 alone
        (b"lrswipc", "lrswipk"),
        (b"lrswipcda", "lrswipkxtea"),
        (b"lrn09", "lrn09"),
    ],
)
def test_meaning_of_rights(raw: bytes, letters: str) -> None:
    rights = Rights(raw)
    assert rights.letters == frozenset(letters)
    assert list(rights) == sorted(letters)
    assert all(letter in rights for letter in letters)
    assert "c" not in rights
    assert "d" not in rights
    assert str(rights) == raw.decode()


def test_rights_are_values() -> None:
    assert Rights(b"lr") == Rights(b"lr") != Rights(b"lrs")
    assert len({Rights(b"lr"), Rights(b"lr")}) == 1


def test_grantable_rights() -> None:
    listed = ListRights(MailboxName(b"a"), ServerString(b"anyone"), Rights(b"p"), tuple(map(Rights, b"lr s c d k xte".split())))
    assert listed.grantable == frozenset("plrskxte")
    old = ListRights(MailboxName(b"a"), ServerString(b"anyone"), Rights(b""), tuple(map(Rights, b"lr s c d".split())))
    assert old.grantable == frozenset("lrskxte")


def test_identifiers_that_are_not_utf_8_survive_decoding() -> None:
    with selected({"GETACL": answering(b"* ACL INBOX {5}\r\nRen\xe9e lr\r\n")}, families=FAMILIES) as (client, _):
        (acl,) = client.getacl("INBOX")[1].parsed()
        assert [who.encode("utf-8", "surrogateescape") for who in acl.text()] == [b"Ren\xe9e"]


# The family


def test_works_with_only_the_base_family() -> None:
    check_family("acl")


def test_an_answer_with_another_mailbox_name_is_accepted() -> None:
    """Cyrus also calls INBOX user.tester; servers never send ACL unasked."""
    with selected({"GETACL": answering(b"* ACL user.tester bob lrs\r\n")}, families=FAMILIES) as (client, _):
        assert client.getacl("INBOX") == ("OK", [b"user.tester bob lrs"])
    with selected({"GETACL": answering(b"* ACL my box bob lrs\r\n")}, families=FAMILIES) as (client, _):
        assert client.getacl("my box") == ("OK", [b"my box bob lrs"])
    with selected({"LISTRIGHTS": answering(b"* LISTRIGHTS INBOX alice@x l r\r\n")}, families=FAMILIES) as (client, _):
        assert client.listrights("INBOX", "Alice") == ("OK", [b"INBOX alice@x l r"])


def test_an_exact_match_is_preferred() -> None:
    """Of two commands in flight, the one that sent the names in the response gets it."""
    answers = {b"A": b"* ACL a bob l\r\n", b"b": b"* ACL b bob r\r\n"}
    with selected({"GETACL": crossed(answers)}, families=FAMILIES) as (client, _):
        one, other = at_once(lambda: client.getacl("A"), lambda: client.getacl("b"))
        assert (one, other) == (("OK", [b"a bob l"]), ("OK", [b"b bob r"]))


def test_obsolete_groups_of_rights() -> None:
    """Dovecot sends "c" and "d" beside the rights that they stand for: RFC 4314 section 2.1.1."""
    untagged = b'* LISTRIGHTS INBOX bob "" l r w s t p i e k x a c d\r\n'
    with selected({"LISTRIGHTS": answering(untagged)}, families=FAMILIES) as (client, _):
        [found] = client.listrights("INBOX", "bob")[1].parsed()
        assert ["".join(group) for group in found.optional] == list("lrwstpiekxa")
        assert found.grantable == frozenset("lrwstpiekxa")
        assert found == client.parse("LISTRIGHTS", [untagged[len(b"* LISTRIGHTS ") : -2]])[0]
    for old, groups in ((b"la r swicd", ["r", "eikstwx"]), (b'"" l c d', ["l", "k", "et"]), (b'"" l x c d', ["l", "x"])):
        with selected({"LISTRIGHTS": answering(b"* LISTRIGHTS INBOX bob %b\r\n" % old)}, families=FAMILIES) as (client, _):
            [found] = client.listrights("INBOX", "bob")[1].parsed()
            assert ["".join(group) for group in found.optional] == groups


def test_identifiers_can_be_passed_back() -> None:
    untagged = b'* ACL INBOX "a b" l {5}\r\n"bob" r Ren\xe9e s {4}\r\na\r\nb r "\'x\'" l\r\n'
    handlers = {"GETACL": answering(untagged), "DELETEACL": answering(b""), "SETACL": answering(b"")}
    with selected(handlers, families=FAMILIES) as (client, server):
        [acl] = client.getacl("INBOX")[1].parsed()
        assert list(acl.entries) == [b"a b", b'"bob"', b"Ren\xe9e", b"a\r\nb", b"'x'"]
        for identifier, given in acl.entries.items():
            client.deleteacl(acl.name, identifier)
            client.setacl(acl.name, identifier, given)
        sent = [command.raw.split(b" ", 2)[2] for command in server.commands if command.name == "DELETEACL"]
        assert sent == [
            b'INBOX "a b"\r\n',
            b'INBOX "\\"bob\\""\r\n',
            b"INBOX {5+}\r\nRen\xe9e\r\n",
            b"INBOX {4+}\r\na\r\nb\r\n",
            b"INBOX \"'x'\"\r\n",
        ]
        set_again = [command.raw.split(b" ", 2)[2] for command in server.commands if command.name == "SETACL"]
        assert set_again[0] == b'INBOX "a b" l\r\n'
        assert set_again[-1] == b"INBOX \"'x'\" l\r\n"
