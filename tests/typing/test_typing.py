"""What a type checker says of a program that uses imapkit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is in the extra dev")

ROOT = Path(__file__).parents[2]

PROGRAM = """\
from __future__ import annotations

import ssl
from typing import Any

from imapkit import IMAP4, IMAP4_SSL, IMAP4_stream, Limits, abort, error, unverified_context


def show(answer: tuple[Any, Any, Any]) -> None:
    print(answer)


with IMAP4("localhost", 143, timeout=3.0, families=["rev1"], limits=Limits(line=1000)) as imap:
    typ, data = imap.login("me", b"secret")
    name: str = typ
    items: list[Any] = data
    imap.select("INBOX", readonly=True)
    imap.fetch("1:*", "(UID)", callback=show, cb_arg=1, timeout=2.5)
    imap.search(None, "SUBJECT", "hello world")
    imap.append("INBOX", None, None, b"Subject: x")
    imap.uid("FETCH", 1, "FLAGS", callback=None)
    state: str = imap.state
    known: tuple[str, ...] = imap.capabilities
    try:
        imap.noop()
    except IMAP4.abort:
        pass
    imap.noop(cb=show)  # error: call-arg
    imap.login(1, "secret")  # error: arg-type
    imap.fetch("1")  # error: call-arg
    imap.append("INBOX", None, None, 7)  # error: arg-type
    imap.select(readonly="yes")  # error: arg-type
    imap.noop(timeout="soon")  # error: arg-type
    imap.noop(callback=7)  # error: arg-type
    imap.authenticate("PLAIN", "secret")  # error: arg-type

IMAP4("localhost", "143")  # error: arg-type
IMAP4_SSL("localhost", ca_certs="ca.pem", ssl_context=unverified_context()).logout()
IMAP4_SSL(ssl_context="none")  # error: arg-type
IMAP4_stream("true").logout()
IMAP4_stream()  # error: call-arg
wrong: int = IMAP4().state  # error: assignment
kind: type[error] = abort
context: ssl.SSLContext = unverified_context()
"""


@pytest.mark.timeout(120)
def test_mypy_strict(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\n", encoding="utf-8")
    options = [
        "--strict",
        "--no-pretty",
        "--show-error-codes",
        "--no-error-summary",
        "--no-incremental",
        "--config-file",
        str(config),
    ]
    # Followed and yet silent: what is wrong inside imapkit is for the lint stage to say.
    argv = [sys.executable, "-m", "mypy", *options, "--follow-imports", "silent", str(program)]
    environ = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, env=environ, timeout=100)
    assert not done.stderr
    lines = PROGRAM.splitlines()
    wanted = {(number, line.rpartition("# error: ")[2]) for number, line in enumerate(lines, 1) if "# error: " in line}
    reported = {(int(found[1]), found[2]) for found in re.finditer(r"program\.py:(\d+): error: .*\[([\w-]+)\]", done.stdout)}
    assert reported == wanted, done.stdout
    assert done.stdout.count(": error: ") == len(wanted), done.stdout
