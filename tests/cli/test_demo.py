"""The demo: it reports correct results, finds errors, and changes nothing on a server of the user's."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pytest

pytest.importorskip("rich", reason="the demo needs rich: pip install 'imapkit[demo]'")

import imapkit
from imapkit.cli import demo, mailhost
from imapkit.cli._ask import Findings, by_callbacks, content
from imapkit.cli.corpus import Message
from imapkit.cli.screen import Screen, size
from imapkit.cli.target import Target
from imapkit.core.contract.commands import Result
from imapkit.plugin import Data
from imapkit.testing import LOCALHOST, Conversation, Handler, ReceivedCommand, ScriptedServer

PEM = LOCALHOST.pem
DATES = [datetime(2026, 3, day, 12, 30, 7, tzinfo=UTC) for day in (1, 9, 10, 11)]
FLAGS = ("", r"\Seen", r"\Seen \Flagged", r"\Deleted", r"\Answered \Seen", "")
SUBJECTS = ("Frühlingsblüher", "Re: décalée", "plain", "打ち合わせの資料", "Re: FRühling")
READING = {"CAPABILITY", "LOGIN", "LIST", "STATUS", "EXAMINE", "SEARCH", "FETCH", "LOGOUT"}
LETTERS = 3


def letter(number: int) -> Message:
    """A message that differs from all others; every fifth is large."""
    subject = SUBJECTS[number % len(SUBJECTS)]
    sender = ("ada@example.org", "bob@example.com")[number % 2]
    head = f"From: {sender}\r\nSubject: {subject}\r\nMessage-ID: <{number}@example.org>\r\n"
    head += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    body = f"Number {number}\r\n" * (6000 if number % 5 == 4 else 1)
    coded = head.replace(subject, encoded(subject)).encode("ascii") + b"\r\n" + body.encode()
    return Message(coded, FLAGS[number % len(FLAGS)], DATES[number % len(DATES)])


def encoded(subject: str) -> str:
    """RFC 2047, quoted-printable."""
    return "=?utf-8?q?" + "".join(f"={byte:02X}" for byte in subject.encode()) + "?="


MAIL = {"INBOX": [letter(n) for n in range(11)], "Größe & Maß": [letter(n) for n in range(11, 15)], "Empty": list[Message]()}


def rows(output: str) -> dict[str, list[str]]:
    """The rows of the tables by their first cell; two spaces separate cells."""
    lines = (re.split(r" {2,}", line.strip()) for line in output.splitlines())
    return {cells[0]: cells[1:] for cells in lines if len(cells) > 1}


@pytest.mark.live
def test_the_tour() -> None:
    pytest.importorskip("pymap")
    file = io.StringIO()
    findings = demo.tour(Screen(file), MAIL)
    output = file.getvalue()
    assert findings.problems == []
    assert "\x1b" not in output
    assert "\r" not in output
    table = rows(output)
    assert table["Größe & Maß"][-1] == "4 of 4"
    assert table["INBOX"][-1] == "11 of 11"
    assert table["Empty"][0] == "0"
    assert table["UNSEEN"][0] == str(sum(r"\Seen" not in message.flags for message in MAIL["INBOX"]))
    assert table["LARGER 50000"][0] == "2"
    assert table['SUBJECT "Frühling"'][0] == "5"
    assert table['SUBJECT "打ち合わせ"'][0] == "2"
    assert table["append"] == ["11 messages, read back and compared", "yes"]
    assert table["delete"] == ["2 messages removed, 7 left: the right ones", "yes"]
    for way in ("one at a time", "futures", "asyncio"):
        assert (table[way][0], table[way][-1]) == ("11", "11 of 11")
    assert float(table["one at a time"][1]) >= 11 * demo.ROUND_TRIP
    assert "NO" not in output.split()
    assert "Connections in use throughout: 1." in output
    end = f"No thread is left.\n{findings.checks} of {findings.checks} checks as expected, in "
    assert end in output


@pytest.mark.live
def test_the_tour_finds_altered_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pymap")
    deliver = mailhost.deliver

    def falsified(host: mailhost.MailHost, user: str, mailbox: str, messages: Iterable[Message]) -> None:
        changed = [m._replace(content=m.content.replace(b"Number 3", b"Number E"), flags="") for m in messages]
        deliver(host, user, mailbox, changed)

    monkeypatch.setattr(mailhost, "deliver", falsified)
    file = io.StringIO()
    findings = demo.tour(Screen(file), MAIL)
    wrong = {problem.partition(":")[0] for problem in findings.problems}
    assert {"STATUS of INBOX", "message 4 of INBOX", "SEARCH UNSEEN", "message 4, one at a time"} <= wrong
    assert "message 1 of INBOX" not in wrong
    assert f"NOT AS EXPECTED: {findings.problems[0]}"[:60] in file.getvalue()
    assert rows(file.getvalue())["futures"][-1] == "10 of 11"


@pytest.mark.live
def test_the_exit_status_reports_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pymap")
    monkeypatch.setattr(demo, "tour", lambda screen, mail: Findings(2, ["x"]))
    assert demo.embedded() == 1
    monkeypatch.setattr(demo, "tour", lambda screen, mail: Findings(2))
    assert demo.embedded() == 0


@pytest.mark.live
def test_read_only_changes_nothing_on_a_real_server() -> None:
    pytest.importorskip("pymap")
    file = io.StringIO()
    with mailhost.running() as host:
        for name, messages in MAIL.items():
            mailhost.deliver(host, host.user, name, messages)
        before = everything(host)
        findings = demo.read_only(Screen(file), Target(host.host, host.user, host.port), host.password)
        assert everything(host) == before
    assert findings.problems == []
    table = rows(file.getvalue())
    assert table["(all)"] == ["11"]
    assert table["Größe & Maß"][0] == "4"
    assert table["11"][-2:] == ["ada@example.org", "Frühlingsblüher"]
    assert "4 mailboxes" not in file.getvalue()
    assert "3 mailboxes in all." in file.getvalue()


def everything(host: mailhost.MailHost) -> dict[str, list[tuple[bytes, frozenset[bytes]]]]:
    """The contents of a server, \\Recent included, which only a SELECT would remove."""
    found = {}
    with imapkit.IMAP4(host.host, host.port) as imap:
        imap.login(host.user, host.password)
        for name, messages in MAIL.items():
            imap.examine(name)
            data = imap.fetch("1:*", "(FLAGS BODY.PEEK[])")[1] if messages else []
            responses = [response.items for response in getattr(data, "parsed", list)()]
            found[name] = [(items["BODY[]"], frozenset(items["FLAGS"])) for items in responses]
    return found


def header_handlers(subject: bytes) -> Mapping[str, Handler]:
    """A server with a mailbox of some messages, and one that the user may not read."""

    def listing(conversation: Conversation, command: ReceivedCommand) -> None:
        lines = [
            b'() "/" INBOX',
            rb'(\NOSELECT) "/" Top',
            b'() "/" Secret',
            b'() "/" "[red]x[/]"',
            b'() "/" Bad',
            b'() "/" "x\xff"',
        ]
        conversation.ok(command, untagged=b"".join(b"* LIST %s\r\n" % line for line in lines))

    def status(conversation: Conversation, command: ReceivedCommand) -> None:
        name = command.args.rpartition(b" (")[0]
        if b"Secret" in name:
            conversation.no(command, b"[NOPERM] not yours")
        elif b"Bad" in name:
            conversation.bad(command, b"what?")
        else:
            conversation.ok(command, untagged=b"* STATUS %s (MESSAGES 3 UNSEEN 1)\r\n" % name)

    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        header = b"From: x\r\nSubject: %s\r\n\r\n" % subject
        item = b"BODY[HEADER.FIELDS (Date From Subject)]"  # the server chooses the case of the names
        number = command.args.split()[0]
        untagged = b"* %s FETCH (%s {%d}\r\n%s)\r\n" % (number, item, len(header), header)
        conversation.ok(command, untagged=untagged)

    def search(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* SEARCH 1 3\r\n" if command.args == b"UNSEEN" else b"* SEARCH\r\n")

    return {"LIST": listing, "STATUS": status, "FETCH": fetch, "SEARCH": search}


def look_at(server: ScriptedServer, **target: object) -> tuple[Findings, str]:
    file = io.StringIO()
    aim = Target(server.host, "ada", server.port)._replace(**target)  # type: ignore[arg-type]
    return demo.read_only(Screen(file), aim, "pw"), file.getvalue()


def test_read_only_sends_no_changing_command() -> None:
    with ScriptedServer(handlers=header_handlers(b"hello"), messages=LETTERS) as server:
        findings, output = look_at(server)
    assert findings.problems == []
    assert set(server.names) == READING - {"CAPABILITY"} or set(server.names) == READING
    fetches = [command.args for command in server.commands if command.name == "FETCH"]
    assert len(fetches) == 4 * LETTERS
    assert all(b"BODY.PEEK[HEADER.FIELDS " in args for args in fetches)
    table = rows(output)
    assert table["INBOX"] == ["3", "1"]
    assert table["Secret"] == ["NO [NOPERM] not yours"]
    assert table["[red]x[/]"] == ["3", "1"]
    assert "BAD [what?]" in table["Bad"][0]
    assert "mailbox name" in table["x\\udcff"][0]
    assert table["UNSEEN"] == ["2"]
    assert table["FLAGGED"] == ["0"]
    assert "Top" not in output
    assert "6 mailboxes in all." in output


def test_an_empty_inbox() -> None:
    with ScriptedServer(handlers=header_handlers(b"hello")) as server:
        findings, output = look_at(server)
    assert findings.problems == []
    assert "FETCH" not in server.names
    assert rows(output)["(all)"] == ["0"]


def test_a_preauth_greeting() -> None:
    greeting = b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n"
    with ScriptedServer(handlers=header_handlers(b"hello"), messages=1, greeting=greeting) as server:
        look_at(server)
    assert "LOGIN" not in server.names


def test_only_the_newest_messages_are_shown() -> None:
    with ScriptedServer(handlers=header_handlers(b"hello"), messages=5000) as server:
        findings, _ = look_at(server)
    asked = [int(command.args.split()[0]) for command in server.commands if command.name == "FETCH"]
    assert findings.problems == []
    assert set(asked) == set(range(4901, 5001))
    assert len(asked) == 100 + 3 * 40


@pytest.mark.parametrize("subject", [b"\x1b[2Jgone\x07", b"=?utf-8?q?=1B[2Jgone?=", b"=?nosuch?q?gone?=", b"=?utf-8?b?gone=A?="])
def test_control_sequences_in_a_header_do_not_reach_the_terminal(subject: bytes) -> None:
    with ScriptedServer(handlers=header_handlers(subject), messages=1) as server:
        findings, output = look_at(server)
    assert findings.problems == []
    assert "gone" in rows(output)["1"][-1]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", output)


@pytest.mark.parametrize("trust", [{"insecure": True}, {"cafile": PEM, "host": "localhost"}])
def test_over_tls(trust: Mapping[str, object]) -> None:
    with ScriptedServer(handlers=header_handlers(b"hello"), messages=1, tls=(PEM, PEM)) as server:
        assert look_at(server, ssl=True, **trust)[0].problems == []
    assert server.names[-1] == "LOGOUT"


def test_an_untrusted_certificate_is_refused() -> None:
    with ScriptedServer(tls=(PEM, PEM)) as server, pytest.raises(imapkit.TLSError):
        look_at(server, ssl=True, host="localhost")
    assert server.names == []


def test_a_result_that_is_not_ok_is_an_error() -> None:
    refused = {"FETCH": lambda conversation, command: conversation.no(command, b"no such message")}
    with ScriptedServer(handlers=refused, messages=1) as server, imapkit.IMAP4(server.host, server.port) as imap:
        imap.login("ada", "pw")
        imap.select()
        with pytest.raises(imapkit.error, match="the server answered NO"):
            content(imap.fetch(1, "BODY.PEEK[]"))


def test_a_failure_in_a_callback_is_an_error() -> None:
    def fetch(number: int, item: str, **options: object) -> Result:
        options["callback"]((None, options["cb_arg"], (imapkit.abort, "the line is dead")))  # type: ignore[operator]
        return "OK", Data()

    with pytest.raises(imapkit.error, match="abort: the line is dead"):
        by_callbacks(fetch, [1, 2], "BODY.PEEK[]")


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (16_076_927, "16.1 MB")])
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_an_ascii_output() -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii", write_through=True) as file:
        screen = Screen(file)
        screen.step("Größe")
        screen.table(("Name", ">n"), [("Reçus", 1)])
        with screen.progress("FETCH", 2) as advance:
            advance(2)
        output = raw.getvalue().decode("ascii")
    assert "1. Gr??e" in output
    assert re.search(r"Re\?us *\| +1", output)
