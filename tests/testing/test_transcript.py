"""Transcripts as scripts."""

from __future__ import annotations

import imaplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from imapkit.testing import ScriptedServer
from imapkit.testing.transcript import replay

TIMEOUT = 5.0


@contextmanager
def playing(transcript: str) -> Iterator[socket.socket]:
    with (
        ScriptedServer(replay(transcript), greeting=b"") as server,
        socket.create_connection((server.host, server.port), TIMEOUT) as sock,
    ):
        yield sock


def rest(sock: socket.socket) -> bytes:
    """All data until the end."""
    data = b""
    while more := sock.recv(1 << 16):
        data += more
    return data


def session(transcript: str, sent: bytes, received: bytes) -> None:
    """Play for one client that sends ``sent``, ends its direction, and receives ``received``."""
    with playing(transcript) as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        assert rest(sock) == received


def test_imaplib_follows_a_transcript_with_literals_both_ways() -> None:
    script = replay("""
        # A whole session, greeting and all.
        S: * PREAUTH [CAPABILITY IMAP4rev1] ready
        C: <tag> CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: <tag> OK done
        C: <tag> SELECT INBOX
        S: * 1 EXISTS
        S: <tag> OK [READ-WRITE] done

        C: <tag> APPEND Sent (\\Seen) {15}
        S: + go
        C: Subject: a
        C:
        C: b
        S: <tag> OK done
        C: <tag> FETCH 1 (BODY[])
        S: * 1 FETCH (BODY[] {8}
        S: Hel
        S: lo!)
        S: <tag> OK done
        C: <tag> LOGOUT
        S: * BYE bye
        S: <tag> OK done
    """)
    with ScriptedServer(script, greeting=b"") as server, imaplib.IMAP4(server.host, server.port, TIMEOUT) as client:
        assert client.select() == ("OK", [b"1"])
        assert client.append("Sent", "\\Seen", "", b"Subject: a\r\n\r\nb") == ("OK", [b"done"])
        assert client.fetch("1", "(BODY[])") == ("OK", [(b"1 (BODY[] {8}", b"Hel\r\nlo!"), b")"])
        assert client.logout() == ("BYE", [b"bye"])


def test_tags_by_name_for_pipelined_commands() -> None:
    with playing("C: <tag1> NOOP\nC: <tag2> CHECK\nS: <tag2> OK <tag1>\nS: <tag1> OK\n") as sock:
        sock.sendall(b"x NOOP\r\ny.7 CHECK\r\n")
        assert rest(sock) == b"y.7 OK x\r\nx OK\r\n"


def test_all_else_is_byte_for_byte() -> None:
    with playing("S:\r\nS:  two  \n\tS: ü <tagged>\nC: a NOOP\n") as sock:
        sock.sendall(b"a NOOP\r\n")
        assert rest(sock) == b"\r\n two  \r\n\xc3\xbc <tagged>\r\n"


def test_one_script_plays_for_every_connection() -> None:
    with ScriptedServer(replay("C: <tag> NOOP\nS: <tag> OK"), greeting=b"") as server:
        for tag in (b"a", b"b"):
            with socket.create_connection((server.host, server.port), TIMEOUT) as sock:
                sock.sendall(tag + b" NOOP\r\n")
                assert rest(sock) == tag + b" OK\r\n"


@pytest.mark.parametrize("sent", [b"a CHECK\r\n", b"a NOOP \r\n", b"a noop\r\n", b"NOOP\r\n", b"\r\n"])
def test_a_client_that_sends_something_else_fails(sent: bytes) -> None:
    with pytest.raises(AssertionError, match="line 2: expected b'<tag> NOOP', got "):
        session("\nC: <tag> NOOP\nS: <tag> OK", sent, b"")


def test_a_client_that_leaves_early_fails() -> None:
    with pytest.raises(AssertionError, match="line 3: the client closed the connection before b'<tag> LOGOUT'"):
        session("C: <tag> NOOP\nS: <tag> OK\nC: <tag> LOGOUT", b"a NOOP\r\n", b"a OK\r\n")


def test_a_client_that_does_not_read_the_last_lines_does_not_fail() -> None:
    text = "S: " + "x" * (1 << 24)
    with playing(f"C: <tag> LOGOUT\n{text}\nS: <tag> OK") as sock:
        sock.sendall(b"a LOGOUT\r\n")
        assert sock.recv(10, socket.MSG_WAITALL) == b"x" * 10


@pytest.mark.parametrize(
    ("transcript", "message"),
    [
        ("S: * OK\nQ: what", "line 2 .* neither"),
        ("S * OK", "line 1 .* neither"),
        ("S:* OK", "line 1 .* neither"),
        ("S: <tag> OK", r"line 1 .* \[b'tag'\]"),
        ("C: <tag1> NOOP\nS: <tag2> OK", r"line 2 .* \[b'tag2'\]"),
        ("C: LOGIN <tag>\nS: <tag> OK", r"line 2 .* \[b'tag'\]"),
    ],
)
def test_a_bad_transcript_is_refused_at_once(transcript: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replay(transcript)
