"""The command on a terminal of any width, in a pipe that closes, without outputs, and interrupted at its prompt."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from imapkit.cli.main import main
from imapkit.cli.target import PASSWORD
from imapkit.testing import ServerFactory

pytestmark = pytest.mark.timeout(60)
COMMAND = [sys.executable, "-m", "imapkit"]
LIMIT = 30.0
"""Seconds for the program to write something, or to end."""
CAPABILITIES = b"IMAP4rev1 AUTH=PLAIN UIDPLUS " + b"X-" + b"VERY-LONG-NAME-OF-A-CAPABILITY"


def environment(**more: str) -> dict[str, str]:
    unset = ("PYTHONUNBUFFERED", "COLUMNS", "LINES", "IMAPKIT_PLUGINS", "IMAPKIT_DISABLE", PASSWORD)
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return kept | {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"} | more


def take_interrupts() -> None:
    """Take SIGINT: the programs that a shell runs in the background ignore it, and so do theirs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Terminal:
    """A program on a terminal of ``columns`` columns: its output, its input, and its status."""

    def __init__(self, argv: Sequence[str], columns: int = 80, **environ: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        argv = [*COMMAND, *argv]

        def control() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            take_interrupts()

        self._program = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(**environ),
            start_new_session=True,
            preexec_fn=control,
        )
        os.close(theirs)
        self.output = ""

    def read(self, until: str | None = None) -> str:
        """Read until the program has written ``until`` (None: until it ends)."""
        deadline = time.monotonic() + LIMIT
        while until is None or until not in self.output:
            assert time.monotonic() < deadline, self.output
            if select.select([self._ours], [], [], 0.2)[0]:
                try:
                    self.output += os.read(self._ours, 65536).decode("utf-8", "replace")
                except OSError:
                    break
        return self.output

    def write(self, data: bytes) -> None:
        os.write(self._ours, data)

    def end(self) -> int:
        """Read the rest and return the status."""
        self.read()
        os.close(self._ours)
        return self._program.wait(LIMIT)


def lines(output: str) -> list[str]:
    """The visible lines, without the sequences for colors."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output).replace("\r", "").split("\n")


@pytest.fixture(params=["rich", "plain"])
def libraries(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """An environment with rich, and one as if it were not installed."""
    if request.param == "rich":
        pytest.importorskip("rich")
        return {}
    (tmp_path / "usercustomize.py").write_text("")
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda name, package=None: None if name == 'rich' else found(name, package)\n"
    )
    return {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}


OUTPUT_ON_TERMINALS = """
import json, pty, fcntl, os, struct, sys, termios
from imapkit.cli.main import main

def on_a_terminal(columns, argv):
    child, ours = pty.fork()
    if not child:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        sys.exit(main(argv))
    output = b""
    try:
        while piece := os.read(ours, 65536):
            output += piece
    except OSError:  # the child has ended
        pass
    os.close(ours)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), output.decode()

columns, argv = json.loads(sys.argv[1])
print(json.dumps([on_a_terminal(width, argv) for width in columns]))
"""
"""Forks for each width, so that imapkit is imported once; ``Terminal`` runs the command itself."""


@pytest.mark.parametrize(
    "argv", [["plugins"], ["doctor"], ["--help"], ["doctor", "--help"], ["plugins", "nonsense"]], ids=" ".join
)
def test_lines_fit_the_terminal(argv: list[str], libraries: dict[str, str]) -> None:
    widths = [40, 60, 80, 200]
    program = [sys.executable, "-c", OUTPUT_ON_TERMINALS, json.dumps([widths, argv])]
    done = subprocess.run(program, stdout=subprocess.PIPE, text=True, timeout=LIMIT, env=environment(**libraries), check=True)
    for columns, (status, output) in zip(widths, json.loads(done.stdout), strict=True):
        assert status == (2 if "nonsense" in argv else 0), output
        assert len(lines(output)) > 1
        assert [line for line in lines(output) if len(line) > columns] == []


@pytest.mark.parametrize("columns", [60, 80])
def test_the_capabilities_of_a_server_fit_the_terminal(
    columns: int, libraries: dict[str, str], imap_server: ServerFactory
) -> None:
    server = imap_server(capabilities=CAPABILITIES)
    terminal = Terminal(["doctor", "--host", server.host, "--port", str(server.port)], columns, **libraries)
    assert terminal.end() == 0, terminal.output
    assert [line for line in lines(terminal.output) if len(line) > columns] == []
    assert "2 of 4 capabilities are served, 1 partly." in terminal.output


def test_an_error_fits_the_terminal() -> None:
    terminal = Terminal(["doctor"], 50, IMAPKIT_PLUGINS="nosuch")
    assert terminal.end() == 1
    found = lines(terminal.output)
    assert [line for line in found if len(line) > 50] == []
    assert "IMAPKIT_PLUGINS: there is no family 'nosuch'" in " ".join(found)


def test_without_a_terminal_the_width_is_always_the_same(libraries: dict[str, str], imap_server: ServerFactory) -> None:
    server = imap_server(capabilities=CAPABILITIES)
    argv = [*COMMAND, "doctor", "--host", server.host, "--port", str(server.port)]
    output = {
        subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT, env=environment(COLUMNS=columns, **libraries)).stdout
        for columns in ("20", "300")
    }
    assert len(output) == 1
    assert max(map(len, output.pop().splitlines())) <= 110


# The password


ASKING = ["doctor", "--user", "ada"]


def test_ctrl_c_at_the_password(imap_server: ServerFactory) -> None:
    server = imap_server()
    terminal = Terminal([*ASKING, "--host", server.host, "--port", str(server.port)])
    terminal.read("password of ada")
    terminal.write(b"\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.output
    assert terminal.output.endswith("\r\n")
    assert server.names == []


def test_the_end_of_input_at_the_password(imap_server: ServerFactory) -> None:
    server = imap_server()
    terminal = Terminal([*ASKING, "--host", server.host, "--port", str(server.port)])
    terminal.read("password of ada")
    terminal.write(b"\x04")
    assert terminal.end() == 1
    assert "Traceback" not in terminal.output
    assert "imapkit: error: no password was given: type it, or set IMAPKIT_PASSWORD" in terminal.output


@pytest.mark.parametrize(("typed", "status"), [("secret\n", 0), ("", 1), ("\n", 1)])
def test_a_password_from_a_pipe(typed: str, status: int, imap_server: ServerFactory) -> None:
    server = imap_server()
    argv = [*COMMAND, *ASKING, "--host", server.host, "--port", str(server.port)]
    done = subprocess.run(
        argv, input=typed, capture_output=True, text=True, timeout=LIMIT, env=environment(), start_new_session=True
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    assert ("no password was given" in done.stderr) is (status == 1)


# Outputs


@pytest.mark.parametrize("argv", [["plugins"], ["doctor"], ["--help"], ["--version"], ["plugins", "--json"]], ids=" ".join)
def test_a_closed_pipe(argv: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as output:
        done = subprocess.run([*COMMAND, *argv], stdout=output, stderr=subprocess.PIPE, timeout=LIMIT, env=environment())
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("argv", [["plugins"], ["--help"]], ids=" ".join)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk(argv: list[str]) -> None:
    with open("/dev/full", "wb") as output:
        done = subprocess.run([*COMMAND, *argv], stdout=output, stderr=subprocess.PIPE, timeout=LIMIT, env=environment())
    assert done.returncode == 1
    assert done.stderr == b"imapkit: OSError: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("argv", ["plugins", "doctor", "--help", "doctor --host 127.0.0.1 --port 1"])
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "2>&-"])
def test_a_missing_output(argv: str, closed: str) -> None:
    shell = f"exec {' '.join(COMMAND)} {argv} {closed}"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, timeout=LIMIT, env=environment())
    assert done.returncode == (1 if "--host" in argv else 0), done.stderr
    assert b"Traceback" not in done.stderr


def test_doctor_reports_a_failing_server_after_good_families() -> None:
    """Its first line is about the families alone, and makes that clear."""
    argv = [*COMMAND, "doctor", "--host", "127.0.0.1", "--port", "1"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT, env=environment())
    assert done.returncode == 1
    assert done.stdout == "the installed command families load and agree\n"
    assert done.stderr.startswith("imapkit: ConnectError: ")


@pytest.mark.parametrize("port", ["abc", "-1", "0", "65536", "1e3", "", "\u0663", "9" * 5000])
def test_an_invalid_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--host", "localhost", f"--port={port}"])
    assert ended.value.code == 2
    errors = capsys.readouterr().err
    last = errors.splitlines()[-1]
    assert last.startswith("imapkit doctor: error: argument --port: '")
    assert last.endswith(" is not a port: a number from 1 to 65535")
    assert len(last) < 200
    assert "_port" not in errors


def test_an_unknown_action_of_plugins() -> None:
    done = subprocess.run([*COMMAND, "plugins", "nonsense"], capture_output=True, text=True, timeout=LIMIT, env=environment())
    assert done.returncode == 2
    assert re.search(r"error: argument ACTION: invalid choice: 'nonsense' \(choose from '?new'?\)", done.stderr)
    assert done.stderr.startswith("usage: imapkit plugins ")


def test_ctrl_c_while_a_server_is_silent() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT)
        argv = [*COMMAND, "doctor", "--host", "127.0.0.1", "--port", str(listener.getsockname()[1])]
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), preexec_fn=take_interrupts
        ) as program:
            connection, _ = listener.accept()
            with connection:
                program.send_signal(signal.SIGINT)
                _, output = program.communicate(timeout=LIMIT)
        assert (program.returncode, output) == (130, b"")
