"""imapkit behind imaplib's names: those that imaplib2 has not, or has in another form."""

from __future__ import annotations

import imaplib
import shlex
import ssl
import sys
import threading
from typing import Any

import pytest

from imapkit import as_imaplib
from imapkit.testing import LOCALHOST, Conversation, ReceivedCommand, ScriptedServer, within


def test_all_that_imaplib_documents_is_there() -> None:
    assert [name for name in imaplib.__all__ if not hasattr(as_imaplib, name)] == []
    for name in ("IMAP4", "IMAP4_SSL", "IMAP4_stream"):
        theirs, ours = getattr(imaplib, name), getattr(as_imaplib, name)
        public = {each for each in dir(theirs) if not each.startswith("_")}
        # Readers of the connection, of which there is one here already.
        assert public - set(dir(ours)) - {"readline", "file"} == set()


@pytest.mark.parametrize("name", ["_command", "_command_complete", "_get_line", "_get_response", "_new_tag", "_quote",
                                  "_simple_command", "_untagged_response", "_check_bye"])  # fmt: skip
def test_the_private_names_that_programs_use(name: str) -> None:
    assert callable(getattr(imaplib.IMAP4, name))
    assert callable(getattr(as_imaplib.IMAP4, name))


def select(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, b"[READ-WRITE] done", untagged=b"* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDNEXT 9] next\r\n")


def test_responses_of_select_stay_as_from_imaplib() -> None:
    with ScriptedServer(handlers={"SELECT": select}) as server, within():
        both: list[Any] = []
        for library in (imaplib, as_imaplib):
            with library.IMAP4(server.host, server.port) as imap:
                imap.login("user", "password")
                assert imap.select("INBOX") == ("OK", [b"3"])
                left = imap.untagged_responses
                both.append({name: left[name] for name in ("EXISTS", "FLAGS", "UIDNEXT")})
                assert "READ-WRITE" in left
                assert left.pop("EXISTS") == [b"3"]
                assert left.pop("EXISTS", None) is None
                assert "EXISTS" not in left
                with pytest.raises(KeyError):
                    left.pop("EXISTS")
                with pytest.raises(KeyError):
                    del left["EXISTS"]
                left["EXISTS"] = [b"4"]
                assert imap.response("EXISTS") == ("EXISTS", [b"4"])
                assert len(left) == len(list(left)) == len(left.items())
                imap.untagged_responses = {}
                assert not imap.untagged_responses
        assert both[0] == both[1]


def test_the_code_of_the_greeting_is_not_left_over() -> None:
    greeting = b"* OK [CAPABILITY IMAP4REV1 AUTH=PLAIN] hello\r\n"
    with ScriptedServer(greeting=greeting) as server, as_imaplib.IMAP4(server.host, server.port) as imap, within():
        assert "CAPABILITY" not in imap.untagged_responses
        assert "AUTH=PLAIN" in imap.capabilities


def test_unselect() -> None:
    def unselect(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, b"closed")

    with (
        ScriptedServer(handlers={"SELECT": select, "UNSELECT": unselect}) as server,
        as_imaplib.IMAP4(server.host, server.port) as imap,
        within(),
    ):
        imap.login("user", "password")
        imap.select()
        assert imap.state == "SELECTED"
        assert imap.unselect() == ("OK", [b"closed"])
        assert imap.state == "AUTH"


def test_the_time_out_of_the_socket_is_that_of_commands() -> None:
    go = threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        assert go.wait(10)

    with ScriptedServer(handlers={"NOOP": slow}) as server, within(), as_imaplib.IMAP4(server.host, server.port) as imap:
        imap.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            imap.noop()
        go.set()


def test_a_subclass_that_makes_the_socket() -> None:
    import socket

    made: list[Any] = []

    class Own(as_imaplib.IMAP4):
        def _create_socket(self, timeout: float | None = None) -> Any:
            made.append(timeout)
            return socket.create_connection((self.host, self.port))

        def open(self, host: str = "", port: int | None = 143, timeout: float | None = None) -> None:  # type: ignore[override]
            super().open(host, port, 7)

    with ScriptedServer() as server, Own(server.host, server.port, 5) as imap:
        assert imap.noop()[0] == "OK"
    assert made == [7]


def test_debug_output_goes_where_a_program_sends_it() -> None:
    said: list[str] = []
    with ScriptedServer() as server, as_imaplib.IMAP4(server.host, server.port) as imap:
        imap.debug = 5
        imap._mesg = said.append  # type: ignore[assignment, method-assign]
        imap.noop()
    assert any("NOOP" in line for line in said)


def test_debug_output_that_was_kept_is_printed_once() -> None:
    said: list[str] = []
    with ScriptedServer() as server, as_imaplib.IMAP4(server.host, server.port) as imap:
        imap.debug = 3
        imap._mesg = said.append  # type: ignore[assignment, method-assign]
        imap._log(3, "a word of the program's own")
        assert not said
        imap.print_log()
        imap.print_log()
        imap.debug = 0
    assert [line for line in said if "own" in line] == ["a word of the program's own"]


def test_responses_left_over_can_be_shown_and_only_emptied() -> None:
    with ScriptedServer(handlers={"SELECT": select}) as server, as_imaplib.IMAP4(server.host, server.port) as imap, within():
        imap.login("user", "password")
        imap.select()
        assert repr(imap.untagged_responses) == repr(dict(imap.untagged_responses))
        assert "'EXISTS': [b'3']" in repr(imap.untagged_responses)
        with pytest.raises(ValueError, match="can only be emptied"):
            imap.untagged_responses = {"EXISTS": [b"4"]}
        assert imap.utf8_enabled is False


def test_tls_with_imaplibs_arguments() -> None:
    context = LOCALHOST.client_context()
    with ScriptedServer(tls=LOCALHOST) as server, within():
        with as_imaplib.IMAP4_SSL(server.host, server.port, ssl_context=context) as imap:
            assert imap.noop()[0] == "OK"
            assert imap.sock.cipher()
        with pytest.raises(ssl.SSLCertVerificationError):
            as_imaplib.IMAP4_SSL(server.host, server.port, timeout=5)


def test_starttls_with_imaplibs_arguments() -> None:
    def agree(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        conversation.start_tls()

    options: dict[str, Any] = {"capabilities": b"IMAP4REV1 STARTTLS", "tls": LOCALHOST, "implicit_tls": False}
    with (
        ScriptedServer(handlers={"STARTTLS": agree}, **options) as server,
        as_imaplib.IMAP4(server.host, server.port) as imap,
        within(),
    ):
        assert imap.starttls(LOCALHOST.client_context())[0] == "OK"
        assert imap.noop()[0] == "OK"


def test_a_command_in_place_of_a_socket() -> None:
    code = "print('* PREAUTH [CAPABILITY IMAP4rev1] hi', flush=True); print(input().split()[0], 'OK done', flush=True)"
    with as_imaplib.IMAP4_stream(f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)}") as imap, within():
        assert imap.noop() == ("OK", [b"done"])
