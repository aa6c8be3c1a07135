"""Login, logout and what is between, of the base family, against real servers."""

from __future__ import annotations

import subprocess
import threading
from typing import Any

import pytest

from imapkit import IMAP4, IMAP4_stream, NoResponse, StateError
from tests.live.support import SECONDS, Answers, connect, logged_in, needing, outcome, syntax_error
from tests.servers.base import AWKWARD_PASSWORD, Server, not_announced

pytestmark = pytest.mark.live


def awkward_user(server: Server) -> str:
    """The user whose password holds whatever needs quoting."""
    (user,) = (name for name, password in server.users.items() if password == AWKWARD_PASSWORD)
    return user


def works(imap: IMAP4) -> None:
    """Whether the session is that of a logged in user."""
    assert imap.state == "AUTH"
    assert imap.select("INBOX")[0] == "OK"


def test_greeting_and_login(server: Server) -> None:
    with connect(server) as imap:
        assert imap.state == "NONAUTH"
        assert imap.welcome.startswith(b"* OK")
        assert imap.PROTOCOL_VERSION == "IMAP4REV1"
        typ, data = imap.login("tester", server.users["tester"])
        assert typ == "OK"
        assert all(isinstance(line, bytes) for line in data)
        works(imap)
    assert imap.state == "LOGOUT"


def test_password_that_needs_quoting(server: Server) -> None:
    with connect(server) as imap:
        assert imap.login(awkward_user(server), AWKWARD_PASSWORD)[0] == "OK"
        works(imap)


@pytest.mark.parametrize("given", ["pässwörd", "pässwörd".encode()], ids=["text", "bytes"])
def test_non_ascii_password(server: Server, given: str | bytes) -> None:
    if "utf8" not in server.users:
        not_announced(server, "user whose password is not in ASCII")
    with connect(server) as imap:
        assert imap.authenticate("PLAIN", lambda _: "\0utf8\0pässwörd")[0] == "OK"
        works(imap)
    with connect(server) as imap:
        assert imap.login("utf8", given)[0] == "OK"
        works(imap)


def test_refused_login_leaves_the_connection_usable(server: Server) -> None:
    with connect(server) as imap:
        with pytest.raises(IMAP4.error) as raised:
            imap.login("tester", "not the password")
        assert isinstance(raised.value, NoResponse)
        assert not isinstance(raised.value, IMAP4.abort)
        assert raised.value.typ == "NO"
        assert "not the password" not in str(raised.value)
        assert imap.state == "NONAUTH"
        assert imap.login("tester", server.users["tester"])[0] == "OK"
        works(imap)


def test_authenticate_plain(server: Server) -> None:
    challenges: list[bytes] = []

    def answer(challenge: bytes) -> str:
        challenges.append(challenge)
        return f"\0{awkward_user(server)}\0{AWKWARD_PASSWORD}"

    with connect(server) as imap:
        assert imap.authenticate("plain", answer)[0] == "OK"
        assert challenges == [b""]
        works(imap)


def test_authenticate_runs_on_the_calling_thread(server: Server) -> None:
    seen: list[threading.Thread] = []

    def answer(_: bytes) -> bytes:
        seen.append(threading.current_thread())
        return f"\0tester\0{server.users['tester']}".encode()

    with connect(server) as imap:
        imap.authenticate("PLAIN", answer)
    assert seen == [threading.current_thread()]


def test_cram_md5(server: Server) -> None:
    with connect(needing(server, "AUTH=CRAM-MD5")) as imap:
        assert imap.login_cram_md5("carol", server.users["carol"])[0] == "OK"
        works(imap)


def test_authobject_that_raises(server: Server) -> None:
    class Forgotten(Exception):
        pass

    def answer(_: bytes) -> bytes:
        raise Forgotten("the password")

    with connect(server) as imap:
        with pytest.raises(Forgotten, match="the password"):
            imap.authenticate("PLAIN", answer)
        assert imap.state == "NONAUTH"
        assert imap.noop()[0] == "OK"
        assert imap.login("tester", server.users["tester"])[0] == "OK"


def test_authobject_that_cancels(server: Server) -> None:
    with connect(server) as imap:
        with pytest.raises(IMAP4.error) as raised:
            imap.authenticate("PLAIN", lambda _: None)
        assert not isinstance(raised.value, IMAP4.abort)
        assert imap.state == "NONAUTH"
        assert imap.login("tester", server.users["tester"])[0] == "OK"


def test_commands_of_later_states_are_refused_before_they_are_sent(server: Server) -> None:
    with connect(server) as imap:
        with pytest.raises(StateError):
            imap.select("INBOX")
        imap.login("tester", server.users["tester"])
        with pytest.raises(StateError):
            imap.fetch(1, "FLAGS")
        with pytest.raises(StateError):
            imap.login("tester", server.users["tester"])
        works(imap)


def test_capability_and_noop(server: Server) -> None:
    with logged_in(server) as imap:
        typ, data = imap.capability()
        assert typ == "OK"
        names = data[0].upper().decode().split()
        assert "IMAP4REV1" in names
        assert set(imap.capabilities) == set(names)
        assert imap.noop()[0] == "OK"
        assert imap.NOOP()[0] == "OK"


def test_xatom(server: Server) -> None:
    with logged_in(server) as imap:
        assert imap.xatom("NOOP")[0] == "OK"
        assert outcome(imap.xatom, "XNOSUCH", "argument")[0] == syntax_error(server)
        assert imap.noop()[0] == "OK"


def test_callbacks(server: Server) -> None:
    answers = Answers()
    with connect(server) as imap:
        in_order: list[tuple[Any, ...]] = [
            (imap.capability,),
            (imap.login, "tester", server.users["tester"]),
            (imap.noop,),
            (imap.logout,),
        ]
        for number, (command, *arguments) in enumerate(in_order):
            assert command(*arguments, callback=answers, cb_arg=number) == (None, None)
            answers.wait(number)
    failures = [failure for _, failure in answers.given.values()]
    assert failures == [None] * 4
    assert [result[0] for result, _ in answers.given.values()] == ["OK", "OK", "OK", "BYE"]


def test_callback_of_a_refused_login(server: Server) -> None:
    answers = Answers()
    with connect(server) as imap:
        imap.login("tester", "not the password", callback=answers, cb_arg=1)
        answers.wait(1)
        result, failure = answers.given[1]
        assert result is None
        assert issubclass(failure[0], IMAP4.error)
        assert failure[1]


def test_logout_twice_and_then_nothing(server: Server) -> None:
    with logged_in(server) as imap:
        assert imap.logout()[0] == "BYE"
        assert imap.logout()[0] == "NO"
        with pytest.raises((IMAP4.abort, StateError)):
            imap.noop()
        assert imap.state == "LOGOUT"


def test_logout_from_many_threads(server: Server) -> None:
    with logged_in(server) as imap:
        results: list[str] = []
        threads = [threading.Thread(target=lambda: results.append(imap.logout()[0])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert len(results) == 8
        assert results.count("BYE") >= 1
        assert set(results) <= {"BYE", "NO"}


def test_with_does_not_mask_an_exception(server: Server) -> None:
    with pytest.raises(KeyError, match="mine"), logged_in(server) as imap:
        raise KeyError("mine")
    assert imap.state == "LOGOUT"


def test_preauth_over_a_stream(server: Server) -> None:
    if server.stream_command is None:
        not_announced(server, "program that speaks IMAP over a pipe")
    with IMAP4_stream(server.stream_command("bob"), timeout=SECONDS) as imap:
        assert imap.state == "AUTH"
        assert imap.welcome.startswith(b"* PREAUTH")
        body = b"Subject: piped\r\n\r\n" + b"x" * 300_000 + b"\r\n"
        assert imap.append("INBOX", None, None, body)[0] == "OK"
        (count,) = imap.select("INBOX")[1]
        assert imap.fetch(int(count), "BODY.PEEK[]")[1][0][1] == body
        process: subprocess.Popen[bytes] = imap.process
        assert process.poll() is None
    assert process.poll() == 0


def test_logindisabled_sends_no_password(secretive: Server) -> None:
    server = secretive
    with connect(server) as imap:
        assert "LOGINDISABLED" in imap.capabilities
        with pytest.raises(IMAP4.error, match="LOGINDISABLED"):
            imap.login("tester", server.users["tester"])
        assert imap.state == "NONAUTH"
        assert imap.noop()[0] == "OK"
        assert server.directory is not None
        assert "tester" not in (server.directory / "log").read_text()
