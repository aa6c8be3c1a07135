"""imaplib's private names, for old programs: what they send and read, beside the threads of others."""

from __future__ import annotations

import logging
import select
import threading
from typing import Any

import pytest

from imapkit import IMAP4
from imapkit.errors import ArgumentError, BadResponse, ServerBye, StateError, abort, error
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer, selected, within

LIST = b'* LIST () "/" %b\r\n'


def consume(imap: IMAP4, tag: bytes) -> list[bytes | None]:
    """What IMAPClient and imap_tools do: read until the command is answered."""
    lines = []
    while True:
        line = imap._get_response()
        if imap.tagged_commands[tag]:
            break
        lines.append(line)
    return lines


@pytest.mark.parametrize("greeting", [b"* OK [CAPABILITY IMAP4REV1 LOGINDISABLED] hi\r\n", b"* OK hi\r\n"])
def test_no_password_goes_where_the_server_forbids_it(greeting: bytes) -> None:
    capabilities = b"IMAP4REV1 LOGINDISABLED"
    with (
        ScriptedServer(capabilities=capabilities, greeting=greeting) as server,
        IMAP4(server.host, server.port, timeout=10) as imap,
        within(),
    ):
        with pytest.raises(error, match="LOGINDISABLED"):
            imap._simple_command("LOGIN", "ann", '"pass"')
        with pytest.raises(error, match="LOGINDISABLED"):
            imap.xatom("LOGIN", "ann", "pass")
        assert "LOGIN" not in server.names


def answering(untagged: bytes, text: bytes = b"done") -> Any:
    """A handler that sends this and OK."""

    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, text, untagged=untagged)

    return answer


def test_a_simple_command_and_its_responses() -> None:
    with selected({"LIST": answering(LIST % b"a" + b"* 7 EXISTS\r\n" + LIST % b"b")}) as (imap, server), within():
        assert imap._simple_command("LIST", '""', "*") == ("OK", [b"done"])
        assert server.commands[-1].args == b'"" *'
        assert imap._untagged_response("OK", [b"done"], "LIST") == ("OK", [b'() "/" a', b'() "/" b'])
        assert imap._untagged_response("OK", [b"done"], "LIST") == ("OK", [None])
        assert imap._untagged_response("OK", [b"done"], "EXISTS") == ("OK", [b"7"])
        assert imap._untagged_response("NO", [b"why"], "LIST") == ("NO", [b"why"])
        assert imap.tagged_commands == {}


def test_nothing_is_quoted_and_none_is_left_out() -> None:
    with selected({"FETCH": answering(b""), "UID FETCH": answering(b"")}) as (imap, server), within():
        imap._simple_command("FETCH", b"1", "(FLAGS)", None)
        imap._simple_command("UID", "FETCH", "1:*", '(BODY[HEADER.FIELDS ("x y")])')
        assert [command.args for command in server.commands[-2:]] == [b"1 (FLAGS)", b'1:* (BODY[HEADER.FIELDS ("x y")])']


def test_responses_of_the_last_command_that_were_not_taken_stay_for_response() -> None:
    with selected({"LIST": answering(LIST % b"a"), "NOOP": answering(b"")}) as (imap, _), within():
        imap._simple_command("LIST", '""', "*")
        imap._simple_command("NOOP")
        assert imap.response("LIST") == ("LIST", [b'() "/" a'])


def test_line_by_line() -> None:
    news = b"* 4 EXISTS\r\n* 2 FETCH (FLAGS (\\Seen) BODY[TEXT] {2}\r\nhi)\r\n* OK still here\r\n"
    with selected({"NOOP": answering(news)}) as (imap, _), within():
        tag = imap._command("NOOP")
        assert consume(imap, tag) == [b"* 4 EXISTS", b"* 2 FETCH (FLAGS (\\Seen) BODY[TEXT] {2}", b"* OK still here"]
        assert imap.tagged_commands.pop(tag) == ("OK", [b"done"])
        assert imap.response("EXISTS") == ("EXISTS", [b"4"])
        with pytest.raises(error, match="no command is under way"):
            imap._get_response()


def test_bad_no_and_the_end() -> None:
    def bad(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b BAD %b\r\n" % (command.tag, b"what?"))

    def no(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b NO %b\r\n" % (command.tag, b"never"))

    def bye(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* BYE enough\r\n")
        conversation.close()

    with selected({"LIST": bad, "LSUB": no, "NOOP": bye}) as (imap, _), within():
        with pytest.raises(BadResponse, match="what"):
            imap._simple_command("LIST", '""', "*")
        assert imap._simple_command("LSUB", '""', "*") == ("NO", [b"never"])
        imap._check_bye()
        tag = imap._command("NOOP")
        with pytest.raises(ServerBye, match="enough"):
            imap._command_complete("NOOP", tag)
        with pytest.raises(abort):
            imap._check_bye()


@pytest.mark.parametrize("bad", ["a\r\nb", b"a\nb", "a\0", "a {3}"])
def test_no_argument_becomes_a_second_command(bad: str | bytes) -> None:
    with selected() as (imap, server), within():
        before = len(server.received)
        with pytest.raises(ArgumentError):
            imap._simple_command("LIST", bad, "*")
        with pytest.raises(ArgumentError):
            imap._command("NOOP\r\nx")
        assert len(server.received) == before
        assert imap.noop()[0] == "OK"


def test_states_and_layers_are_kept() -> None:
    with ScriptedServer() as server, IMAP4(server.host, server.port, timeout=10) as imap, within():
        with pytest.raises(StateError):
            imap._simple_command("FETCH", "1", "FLAGS")
        with pytest.raises(ArgumentError, match=r"starttls\(\)"):
            imap._simple_command("STARTTLS")
        assert imap._simple_command("LOGIN", "user", '"pass word"')[0] == "OK"
        assert imap.state == "AUTH"


def test_a_command_that_is_not_under_way_has_no_end() -> None:
    with selected() as (imap, _), within():
        with pytest.raises(error, match="no such command is under way: b'X1'"):
            imap._command_complete("NOOP", b"X1")
        with pytest.raises(error):
            imap._get_response()
        assert imap.noop()[0] == "OK"


def test_a_line_outside_of_an_idle_is_what_get_response_gives() -> None:
    with selected({"LIST": answering(LIST % b"a")}) as (imap, _), within():
        tag = imap._command("LIST", '""', "*")
        assert imap._get_line() == b'* LIST () "/" a'
        assert consume(imap, tag) == []
        assert imap.tagged_commands.pop(tag) == ("OK", [b"done"])


def test_a_secret_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b BAD %b\r\n" % (command.tag, b'no such: open"sesame in ' + command.args))

    caplog.set_level(logging.DEBUG)
    with ScriptedServer(handlers={"LOGIN": refuse}) as server, IMAP4(server.host, server.port, timeout=10) as imap, within():
        with pytest.raises(BadResponse) as refused:
            imap._simple_command("LOGIN", "ann", '"open\\"sesame"')
        with pytest.raises(ArgumentError) as unsent:
            imap._simple_command("LOGIN", "ann", "open\r\nsesame{9}")
    assert [command.args for command in server.commands if command.name == "LOGIN"] == [b'ann "open\\"sesame"']
    for shown in (str(refused.value), str(unsent.value), caplog.text):
        assert "sesame" not in shown


def test_a_command_written_piece_by_piece() -> None:
    for capabilities, announcement in ((b"IMAP4REV1", b"{3}"), (b"IMAP4REV1 LITERAL+", b"{3+}")):
        with selected({"UID SEARCH": answering(b"* SEARCH 2 3\r\n")}, capabilities=capabilities) as (imap, server), within():
            tag = imap._new_tag()
            imap.send(tag + b" UID SEARCH CHARSET UTF-8 SUBJECT")
            imap.send(b" " + announcement + b"\r\n")
            if not announcement.endswith(b"+}"):
                assert imap._get_response() is None
            imap.send(b"\xe2\x98\x83")
            imap.send(b" SEEN")
            imap.send(b"\r\n")
            assert imap._command_complete("SEARCH", tag)[0] == "OK"
            assert imap._untagged_response("OK", [b""], "SEARCH") == ("OK", [b"2 3"])
            received = server.commands[-1]
            assert received.name == "UID SEARCH"
            assert list(received.literals) == [b"\xe2\x98\x83"]
            assert imap.noop()[0] == "OK"


@pytest.mark.parametrize("written", [b"OTHER NOOP\r\n", b"%b NOOP\r\n%b NOOP\r\n", b"%b NO\0OP\r\n", b"%b\r\n"])
def test_lines_that_are_no_command_are_not_sent(written: bytes) -> None:
    with selected() as (imap, server), within():
        before = len(server.received)
        tag = imap._new_tag()
        with pytest.raises(ArgumentError):
            imap.send(written.replace(b"%b", tag))
        assert len(server.received) == before
        assert imap.noop()[0] == "OK"


def idling(news: threading.Event, *lines: bytes) -> Any:
    """A handler of IDLE that sends the lines when the test asks for them."""

    def idle(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        if lines:
            assert news.wait(10)
            conversation.send(b"".join(lines))
        assert conversation.read_line() == b"DONE"
        conversation.ok(command, b"Idle completed", untagged=b"* 9 EXISTS\r\n")

    return idle


def readable(sock: Any, seconds: float) -> bool:
    """Whether a program that polls sees something."""
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def test_idle_as_imapclient_does_it() -> None:
    news = threading.Event()
    handler = idling(news, b"* 4 EXISTS\r\n", b"* 1 RECENT\r\n")
    with selected({"IDLE": handler}, capabilities=b"IMAP4REV1 IDLE") as (imap, server), within():
        real = imap.sock
        tag = imap._command("IDLE")
        assert imap._get_response() is None
        sock = imap.sock
        sock.settimeout(None)
        sock.setblocking(0)
        assert sock.getpeername() == real.getpeername()
        assert not readable(sock, 0)
        with pytest.raises(OSError, match="nothing more"):
            imap._get_line()
        news.set()
        lines: list[bytes] = []
        while len(lines) < 2:
            assert readable(sock, 10)
            try:
                lines.append(imap._get_line())
            except OSError:
                continue
        assert lines == [b"* 4 EXISTS", b"* 1 RECENT"]
        with pytest.raises(OSError, match="nothing more"):
            imap._get_line()
        assert not readable(sock, 0)
        imap.send(b"DONE\r\n")
        assert consume(imap, tag) == [b"* 9 EXISTS"]
        assert imap.tagged_commands.pop(tag) == ("OK", [b"Idle completed"])
        assert imap.sock is real
        assert server.received.count(b"DONE\r\n") == 1
        assert imap.noop()[0] == "OK"


def test_another_thread_ends_the_idle_of_an_old_program() -> None:
    with selected({"IDLE": idling(threading.Event())}, capabilities=b"IMAP4REV1 IDLE") as (imap, server), within():
        tag = imap._command("IDLE")
        assert imap._get_response() is None
        sock = imap.sock
        other = threading.Thread(target=imap.noop)
        other.start()
        other.join(10)
        assert readable(sock, 10)
        sock.setblocking(False)
        assert imap._get_line() == b"* 9 EXISTS"
        with pytest.raises(OSError, match="nothing more"):
            imap._get_line()
        assert not readable(sock, 0)
        imap.send(b"DONE\r\n")
        assert consume(imap, tag) == []
        assert server.received.count(b"DONE\r\n") == 1


def test_an_idle_whose_connection_ends() -> None:
    def idle(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        assert go.wait(10)
        conversation.send(b"* BYE enough\r\n")
        conversation.close()

    go = threading.Event()
    with selected({"IDLE": idle}, capabilities=b"IMAP4REV1 IDLE") as (imap, _), within():
        tag = imap._command("IDLE")
        sock = imap.sock
        assert imap._get_response() is None
        go.set()
        for _ in range(2):
            assert readable(sock, 10)
            with pytest.raises(abort, match="EOF"):
                imap._get_line()
        with pytest.raises(ServerBye):
            imap._command_complete("IDLE", tag)


def test_a_refused_idle() -> None:
    def idle(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b NO %b\r\n" % (command.tag, b"never"))

    with selected({"IDLE": idle}, capabilities=b"IMAP4REV1 IDLE") as (imap, _), within():
        tag = imap._command("IDLE")
        assert imap._get_response() == tag + b" NO never"
        assert imap.tagged_commands == {tag: ("NO", [b"never"])}


class Hooked(IMAP4):
    """A subclass that sends by itself."""

    def send(self, data: bytes) -> None:
        super().send(data)


def test_a_subclass_that_sends_by_itself_ends_its_idle() -> None:
    handlers = {"IDLE": idling(threading.Event())}
    with ScriptedServer(capabilities=b"IMAP4REV1 IDLE", handlers=handlers) as server, within():
        with Hooked(server.host, server.port, timeout=10) as imap:
            imap.login("user", "password")
            tag = imap._command("IDLE")
            assert imap._get_response() is None
            imap.send(b"DONE\r\n")
            assert consume(imap, tag) == [b"* 9 EXISTS"]
            imap._command("IDLE")
            assert imap.noop()[0] == "OK"
        assert server.received.count(b"DONE\r\n") == 2


def test_each_thread_has_its_own_answers() -> None:
    def each(conversation: Conversation, command: ReceivedCommand) -> None:
        name = command.args.split()[-1]
        conversation.ok(command, name, untagged=LIST % name * 3)

    wrong: list[Any] = []
    with selected({"LIST": each}) as (imap, _), within(20):

        def work(name: str) -> None:
            for _ in range(30):
                typ, data = imap._simple_command("LIST", '""', name)
                found = imap._untagged_response(typ, data, "LIST")
                if (typ, data, found[1]) != ("OK", [name.encode()], [b'() "/" ' + name.encode()] * 3):
                    wrong.append((typ, data, found))

        threads = [threading.Thread(target=work, args=(f"box{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert wrong == []


def test_a_time_out_that_a_program_sets_on_the_socket_ends_nothing() -> None:
    go = threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        assert go.wait(10)
        conversation.ok(command)

    with selected({"NOOP": slow, "CHECK": answering(b"")}) as (imap, _), within():
        for seconds in (0.001, 0, None):
            imap.sock.settimeout(seconds)
            go.clear()
            done: list[Any] = []
            imap.noop(callback=done.append)
            assert imap.sock.gettimeout() == seconds
            # Longer than the time-out, for the reader thread.
            assert not go.wait(0.02)
            go.set()
            assert imap.check()[0] == "OK"


def test_the_methods_of_a_mock() -> None:
    assert IMAP4._quote(object(), 'a"b\\') == '"a\\"b\\\\"'  # type: ignore[arg-type]
    assert {"_simple_command", "_command", "_get_response", "_untagged_response", "tagged_commands"} <= set(dir(IMAP4))
