"""A command gets its answer although the server leaves out the quotes that a mailbox name needs."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.testing import answering, selected

NAMES = ["My Folder", "Box(S)1", "My Big (old) Box", "my own box"]
ASKED = pytest.mark.parametrize(
    ("command", "arguments", "behind"),
    [
        ("GETACL", (), b"alice lrs bob lr"),
        ("MYRIGHTS", (), b"lrs"),
        ("LISTRIGHTS", ("alice",), b'alice "" l r s w'),
        ("LISTRIGHTS", ("alice",), b"alice la r s w i"),
        ("GETQUOTAROOT", (), b'""'),
        ("GETANNOTATION", ("/comment", "value.priv"), b'"/comment" ("value.priv" "x")'),
        ("STATUS", ("(MESSAGES MAILBOXID)",), b"(MESSAGES 3 MAILBOXID (F1))"),
        ("STATUS", ("(MESSAGES)",), b"(MESSAGES 3 X {3}\r\na)( UNSEEN 2)"),
    ],
)


@ASKED
@pytest.mark.parametrize("name", NAMES)
def test_the_answer_reaches_the_command(command: str, arguments: tuple[Any, ...], behind: bytes, name: str) -> None:
    if command == "GETQUOTAROOT" and "(" not in name:
        # By the grammar, each word could be a root.
        name = f"{name}(1)"
    if command == "GETACL" and name == "my own box":
        # By the grammar the name is "my", and "own" has the rights "box".
        name = "my box"
    response = {"GETACL": b"ACL", "GETQUOTAROOT": b"QUOTAROOT", "GETANNOTATION": b"ANNOTATION"}.get(command, command.encode())
    sent = b"* %b %b %b\r\n" % (response, name.encode(), behind)
    with selected({command: answering(sent)}) as (client, _):
        typ, data = getattr(client, command.lower())(name, *arguments)
        parsed = (data[0] if command == "GETQUOTAROOT" else data).parsed()
        assert (typ, len(parsed)) == ("OK", 1)
        found = parsed[0][0] if command == "GETANNOTATION" else parsed[0]
        assert found.mailbox == name
        assert [(defect.what, defect.raw) for defect in parsed.defects] == [
            ("a mailbox name without proper quotes", name.encode())
        ]
        assert {defect.what for defect in client.defects} == {"a mailbox name without proper quotes"}
        assert client.response(response.decode()) == (response.decode(), [None])


@ASKED
def test_a_properly_quoted_name_is_no_defect(command: str, arguments: tuple[Any, ...], behind: bytes) -> None:
    response = {"GETACL": b"ACL", "GETQUOTAROOT": b"QUOTAROOT", "GETANNOTATION": b"ANNOTATION"}.get(command, command.encode())
    for name in (b'"My Folder"', b"{9}\r\nMy Folder"):
        with selected({command: answering(b"* %b %b %b\r\n" % (response, name, behind))}) as (client, _):
            data = getattr(client, command.lower())("My Folder", *arguments)[1]
            parsed = (data[0] if command == "GETQUOTAROOT" else data).parsed()
            found = parsed[0][0] if command == "GETANNOTATION" else parsed[0]
            assert (found.mailbox, parsed.defects) == ("My Folder", ())


def test_a_quota_without_a_list_reaches_the_command() -> None:
    with selected({"GETQUOTA": answering(b'* QUOTA ""\r\n')}) as (client, _):
        data = client.getquota("")[1]
        assert (data, data.parsed()[0].resources) == ([b'""'], ())
        assert [defect.what for defect in data.parsed().defects] == ["QUOTA: no list"]


def test_a_uid_in_quotes_reaches_the_command() -> None:
    with selected({"UID FETCH": answering(b'* 3 FETCH (UID "9" FLAGS (\\Seen))\r\n')}) as (client, _):
        data = client.uid("FETCH", "9", "(FLAGS)")[1]
        assert data.parsed()[0].uid == 9
