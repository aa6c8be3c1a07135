"""``IMAP4_stream``: a command's standard input and output instead of a socket."""

from __future__ import annotations

import shlex
import signal
import sys

import pytest

import imapkit
from imapkit.core.transport.pipes import dispose, open_stream
from tests.core.rig import MARGIN, within

SERVER = r"""
import sys
out, lines = sys.stdout.buffer, sys.stdin.buffer
def say(text):
    out.write(text + b"\r\n")
    out.flush()
say(b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] hello")
for line in lines:
    tag, name, *rest = line.split()
    if name == b"APPEND":
        size = int(rest[-1].strip(b"{+}"))
        say(b"* OK %d" % len(lines.read(size)))
        lines.readline()
    if name == b"LOGOUT":
        say(b"* BYE farewell")
    say(tag + b" OK done")
    if name == b"LOGOUT":
        break
"""


def stream(code: str) -> imapkit.IMAP4_stream:
    """A client of a Python program."""
    return imapkit.IMAP4_stream(f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)}", timeout=20.0, families=["rev1"])


def test_a_session_over_pipes() -> None:
    with stream(SERVER) as imap:
        assert (imap.state, imap.host, imap.sock) == ("AUTH", imap.command, None)
        assert imap.noop() == ("OK", [b"done"])
        assert imap.append("x", None, None, b"x" * 500_000)[0] == "OK"
        assert imap.response("OK")[1][-1] == b"500000"
        assert imap.logout() == ("BYE", [b"farewell"])
        assert imap.process.poll() == 0
        assert imap.Terminate


def test_shut_down_it_ends_its_command() -> None:
    with stream(SERVER) as imap, within(10 * MARGIN):
        process = imap.process
        imap.shutdown()
        imap.logout()
        assert process.wait(10) is not None
        with pytest.raises(imapkit.IMAP4.error):
            imap.noop()


@pytest.mark.parametrize(
    ("code", "message"),
    [("", "closed the connection before its greeting"), ("print('Usage: imapd')", "unrecognised server welcome")],
)
def test_a_command_that_is_no_server(code: str, message: str) -> None:
    with within(10 * MARGIN), pytest.raises(imapkit.IMAP4.abort, match=message):
        stream(code)


def test_a_command_that_ends_meanwhile() -> None:
    with within(10 * MARGIN), stream(SERVER.replace("line.split()", "line.split()\n    sys.exit(3)")) as imap:
        with pytest.raises(imapkit.IMAP4.abort, match="closed the connection"):
            imap.noop()
        assert imap.logout()[0] == "NO"
        assert imap.process.poll() == 3


@pytest.mark.parametrize(("heeds", "signal_number"), [(True, signal.SIGTERM), (False, signal.SIGKILL)])
def test_a_command_that_does_not_end_is_ended(heeds: bool, signal_number: int) -> None:
    deaf = "pass" if heeds else "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    code = f"import signal, time; {deaf}; print('ready', flush=True); time.sleep(60)"
    process = open_stream(f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)}")
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    with within(MARGIN):
        dispose(process, patience=0.02)
    assert process.wait(10) == -signal_number
