"""The examples of README.md survive a server that refuses: a mailbox that is \\Noselect, and a NO to every other command."""

from __future__ import annotations

from contextlib import nullcontext, suppress

import pytest

import imapkit
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer
from tests.test_docs import PAGES, blocks, here

README = PAGES[0]
CODE = [pytest.param(line, code, id=f"README.md:{line}") for line, code in blocks(README, "python") if "IMAP4(" in code]
MESSAGES = 3
LISTED = b"".join(
    b'* LIST (%s) "/" %s\r\n' % row
    for row in ((b"\\Noselect \\HasChildren", b"Archive"), (b"", b"Archive/2024"), (b"", b"INBOX"))
)


def keep(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command)


KEEPS: dict[str, Handler] = {"CREATE": keep, "APPEND": keep}
LIVED = {"LOGIN", "LIST", "SELECT", "EXAMINE", "LOGOUT", "CAPABILITY", "STATUS", "SEARCH", "FETCH", "IDLE", "NOOP", *KEEPS}


def listing(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, untagged=LISTED)


def status(conversation: Conversation, command: ReceivedCommand) -> None:
    name = command.args.split(b" ")[0].strip(b'"')
    if name == b"Archive":
        conversation.no(command, b"[CANNOT] \\Noselect mailbox")
    else:
        conversation.ok(command, untagged=b"* STATUS %s (MESSAGES 3 UIDNEXT 4)\r\n" % name)


def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.no(command, b"[UNAVAILABLE] not today")


def found(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, untagged=b"* SEARCH 1 3\r\n")


def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
    """Message 2 has neither ENVELOPE nor BODYSTRUCTURE, and nothing in its body."""
    header = b"Subject: hello world\r\n\r\n"
    rows = []
    for number in range(1, MESSAGES + 1) if b"*" in command.args else [int(command.args.split()[0])]:
        section = b"BODY[]" if b"BODY.PEEK[]" in command.args else b"BODY[HEADER.FIELDS (SUBJECT)]"
        item = b"%s {%d}\r\n%s" % (section, len(header), header) if number != 2 else b"%s NIL" % section
        rows.append(b"* %d FETCH (UID %d %s)\r\n" % (number, number, item))
    conversation.ok(command, untagged=b"".join(rows))


def idle(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(b"+ idling\r\n")
    assert conversation.read_line() == b"DONE"
    conversation.ok(command)


SERVERS: dict[str, dict[str, Handler]] = {
    "noselect": {"LIST": listing, "STATUS": status, "SEARCH": found, "FETCH": fetch, "IDLE": idle, **KEEPS},
    "refuses": dict.fromkeys(LIVED - {"LOGIN", "SELECT", "EXAMINE", "LOGOUT", "CAPABILITY"}, refuse),
}


@pytest.mark.parametrize("behaviour", SERVERS)
@pytest.mark.parametrize(("line", "code"), CODE)
def test_an_example_survives(line: int, code: str, behaviour: str, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer(handlers=SERVERS[behaviour], capabilities=b"IMAP4rev1 IDLE", messages=MESSAGES) as server:
        program = compile("\n" * (line - 1) + here(code, server.port), str(README), "exec", dont_inherit=True)
        # A typed call raises for a NO.
        with suppress(imapkit.NoResponse) if "Client.over" in code or "imapkit.connect" in code else nullcontext():
            exec(program, {"__name__": "__main__"})
    assert set(server.names) <= LIVED
    assert "StatusText" not in capsys.readouterr().out


def test_the_examples_meet_what_they_are_to_survive(capsys: pytest.CaptureFixture[str]) -> None:
    [code] = [code for _, code in blocks(README, "python") if "imap.list()" in code]
    with ScriptedServer(handlers=SERVERS["noselect"], messages=MESSAGES) as server:
        exec(compile(here(code, server.port), "README.md", "exec"), {"__name__": "__main__"})
    asked = [command.args for command in server.commands if command.name == "STATUS"]
    assert [args.split(b" ")[0].strip(b'"') for args in asked] == [b"Archive", b"Archive/2024", b"INBOX"]
    assert capsys.readouterr().out.startswith("Archive/2024 3\nINBOX 3\n")
