"""A server that writes with Nagle's algorithm holds its second small answer until the first is acknowledged."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import imapkit
from tests.core.rig import Answers, within

_APPEND = re.compile(rb"(\w+) APPEND .*\{(\d+)\}\r\n")
COUNT = 20


def serve(listener: socket.socket) -> None:
    """Answer each command in a write of its own, as a server does that neither gathers its answers nor sets TCP_NODELAY."""
    sock, _ = listener.accept()
    with sock, sock.makefile("rb") as lines:
        assert not sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        sock.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")
        for line in lines:
            append = _APPEND.match(line)
            if append:
                sock.sendall(b"+ go on\r\n")
                lines.read(int(append[2]))
                lines.readline()
            sock.sendall(b"%b OK done\r\n" % line.split()[0])
            if b"LOGOUT" in line:
                return


@contextmanager
def client() -> Iterator[imapkit.IMAP4]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        with imapkit.IMAP4("127.0.0.1", listener.getsockname()[1], families=["rev1"]) as imap:
            yield imap
        thread.join()


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="only Linux lets a program ask for it")
def test_pipelined_appends_do_not_wait_for_delayed_acknowledgements() -> None:
    """The "+" for the second APPEND lies behind the OK to the first: unless that is acknowledged, each takes 40 ms."""
    taken = []
    with within(10), client() as imap:
        for _ in range(4):
            answers = Answers()
            begun = time.monotonic()
            for _ in range(COUNT):
                imap.append("INBOX", None, None, b"x" * 100, callback=answers)
            assert {answer[0][0] for answer in answers.take(COUNT)} == {"OK"}
            taken.append(time.monotonic() - begun)
    assert min(taken) < 0.1, "three delayed acknowledgements take so long; without TCP_QUICKACK there are six or more"
