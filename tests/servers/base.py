"""What the private servers share: a directory, ports, a foreground process, and the wait for its greeting."""

from __future__ import annotations

import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

import pytest

from .quirks import Quirk

HOST = "127.0.0.1"
USERS = {"tester": "secret", "alice": "alicepw", "bob": "bobpw", "carol": "carolpw"}
AWKWARD_USER, AWKWARD_PASSWORD = "user@example.com", 'p"w\\d {5} x'
CROWD = {f"u{number:02}": "pw" for number in range(17)}

# A client-side LC_ALL, TZ or DOVECOT_* variable must not change what a server answers.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C", "TZ": "UTC"}
REQUIRE = "IMAPKIT_REQUIRE_SERVERS"
NOT_ANNOUNCED = "not announced"
START_SECONDS = 30.0
# Dovecot's master takes a second for its log process even when idle, and longer with clients.
STOP_SECONDS = 0.5
KILL_SECONDS = 10.0
POLL_SECONDS = 0.02
# Below Linux's default ephemeral range: no outgoing connection takes the port between our look and the server's bind.
PORTS = range(20000, 32768)
# AF_UNIX socket paths end at 107 bytes, and the servers append some 45 of their own.
LONGEST_PARENT = 40


class ServerFailure(RuntimeError):
    """A private server did not start; the message ends with what it logged."""


@dataclass(frozen=True)
class Server:
    """A running private server: its addresses, its accounts, and the directory of its files.

    ``directory`` is None for a server inside this process; ``stream_command(user)`` gives a shell command which
    speaks IMAP on its standard input and output and greets with PREAUTH, where the server can do that.
    ``personal`` begins the names of a user's own mailboxes, and ``others`` those of another user's, before the name of
    that user; None where no user sees another one's.  ``quirks`` are where this server departs from the RFCs, or from
    what most servers do: a test asks for one by its name, and never for a server or a version.
    """

    name: str
    host: str
    port: int
    tls_port: int | None
    cafile: str | None
    users: dict[str, str]
    separator: str
    directory: Path | None
    stream_command: Callable[[str], str] | None
    personal: str = ""
    others: str | None = None
    quirks: frozenset[Quirk] = frozenset()


class Kind(Protocol):
    """A server that the tests can start."""

    def missing(self) -> str | None:
        """Why it cannot run here, telling what to do about it; None when it can."""

    def running(self, *, certificate: str = "server") -> AbstractContextManager[Server]:
        """A private one, stopped and removed at the end; ``certificate`` is one of `certs.Certificates`."""


def skip_or_fail(reason: str | None) -> None:
    """Skip the calling test when ``reason`` says a server cannot run here; fail it if servers are required."""
    if reason is None:
        return
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{REQUIRE}=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def not_announced(server: Server, feature: str) -> NoReturn:
    """Skip the calling test, which is about what a running server has not; servers being required does not matter."""
    pytest.skip(f"{NOT_ANNOUNCED}: {server.name} has no {feature}")


def program(name: str) -> str | None:
    """The path of a program, looked for in the system's directories too, where ordinary users' PATH ends short."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), ENVIRONMENT["PATH"]]))


def lacking(programs: Mapping[str, str]) -> str | None:
    """The first of ``programs`` (name: Debian package) that is not there, as a reason naming the package."""
    for name, package in programs.items():
        if program(name) is None:
            return f"no {name} here: install {package}"
    return None


def nameless() -> str | None:
    """Why the servers, which are configured with names of users, cannot run as ours; None when they can."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return f"user {os.geteuid()} has no name: add it to /etc/passwd"
    return None


def render(template: str, values: Mapping[str, object]) -> str:
    """The text of a template beside this module, each ``@name@`` replaced from ``values``; KeyError without one."""
    text = (Path(__file__).parent / template).read_text(encoding="utf-8")
    return re.sub(r"@(\w+)@", lambda match: str(values[match[1]]), text)


@contextmanager
def private_directory(prefix: str) -> Iterator[Path]:
    """A new directory with a short path, removed at the end with all that is in it."""
    parent = tempfile.gettempdir()
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent if len(parent) <= LONGEST_PARENT else "/tmp")).resolve()
    try:
        path.chmod(0o755)
        yield path
    finally:
        shutil.rmtree(path)


def free_ports(count: int, host: str = HOST) -> list[int]:
    """Different free ports of ``host``."""
    # The system's generator, because test runs that seed `random` alike would all try the same ports.
    candidates = random.SystemRandom().sample(PORTS, len(PORTS))
    with ExitStack() as held:
        return [_bind_first_free(held, host, candidates) for _ in range(count)]


def _bind_first_free(held: ExitStack, host: str, candidates: list[int]) -> int:
    while candidates:
        probe, port = held.enter_context(socket.socket()), candidates.pop()
        with suppress(OSError):
            probe.bind((host, port))
            return port
    raise ServerFailure(f"no free port in {PORTS}")


@contextmanager
def foreground(
    argv: Sequence[str], log: Path, identity: tuple[int, int] | None = None, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``argv`` as the leader of its own process group, as ``identity`` (uid, gid), and stop it at the end.

    ``env`` is added to the environment that all servers have.
    """
    uid, gid = identity or (None, None)
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**ENVIRONMENT, **(env or {})}, cwd=log.parent,
            start_new_session=True, user=uid, group=gid, extra_groups=None if uid is None else [],
        )  # fmt: skip
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], seconds: float = STOP_SECONDS) -> None:
    """SIGTERM to the process; SIGKILL to whatever of its group still runs after ``seconds``; return when none does.

    The bound is short because the directory goes away: nothing that a server could still save is wanted.
    """
    process.terminate()
    if not _ends_within(process, seconds):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        _ends_within(process, KILL_SECONDS)
    process.wait()


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while process.poll() is None or members(process.pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def members(group: int) -> list[int]:
    """The processes of a group that still run; a zombie does not, and where process 1 reaps none it stays for ever."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _runs_in(entry / "stat", group)]


def _runs_in(stat: Path, group: int) -> bool:
    try:
        state, _parent, its_group = stat.read_bytes().rpartition(b")")[2].split()[:3]
    except OSError:  # it ended while we looked
        return False
    return int(its_group) == group and state not in (b"Z", b"X")


def wait_ready(process: subprocess.Popen[bytes], address: tuple[str, int], log: Path, seconds: float = START_SECONDS) -> None:
    """Return once the server greets at ``address``; ServerFailure when its process ends or ``seconds`` pass first."""
    wait_until(lambda timeout: _greets(address, timeout), f"greet at {address}", process, log, seconds)


def wait_until(
    ready: Callable[[float], bool], done: str, process: subprocess.Popen[bytes], log: Path, seconds: float = START_SECONDS
) -> None:
    """Return once ``ready``, given the seconds left, is true; otherwise ServerFailure: the process does not do ``done``."""
    deadline = time.monotonic() + seconds
    while not ready(max(deadline - time.monotonic(), POLL_SECONDS)):
        if process.poll() is not None:
            raise ServerFailure(f"{process.args!r} ended with status {process.returncode}\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise ServerFailure(f"{process.args!r} does not {done}\n{_tail(log)}")
        time.sleep(POLL_SECONDS)


def accepts(address: tuple[str, int], timeout: float) -> bool:
    """Whether a server accepts connections there."""
    try:
        socket.create_connection(address, timeout).close()
    except OSError:
        return False
    return True


def _greets(address: tuple[str, int], timeout: float) -> bool:
    try:
        with socket.create_connection(address, timeout) as connection, connection.makefile("rb") as lines:
            return lines.readline().startswith(b"* OK")
    except OSError:
        return False


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-3000:] if log.exists() else ""
