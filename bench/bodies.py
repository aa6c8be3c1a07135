"""Large messages by the typed API, both ways: ``python -m bench.bodies``; time and memory, in ratio to the same work in memory.

Each piece of work runs in a process of its own, in turn, against a server that answers ranges, and that may be some milliseconds
away.
"""

from __future__ import annotations

import argparse
import json
import queue
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import imapkit
from bench.worker import Run
from imapkit import Client

__all__ = ["main"]

_RANGE = re.compile(rb"\[\](?:<(\d+)\.(\d+)>)?")
_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")
_LINE = b"x" * 70


# the server


class _Server:
    """One connection: answers leave ``away`` seconds after the command has come."""

    def __init__(self, sock: socket.socket, data: memoryview, away: float) -> None:
        self._sock, self._data, self._away = sock, data, away
        self._file = sock.makefile("rb")
        self._due: queue.SimpleQueue[tuple[float, list[Any]] | None] = queue.SimpleQueue()

    def run(self) -> None:
        sending = threading.Thread(target=self._send, daemon=True)
        sending.start()
        self._answer(b"* OK hello\r\n")
        while line := self._file.readline():
            tag, _, rest = line.partition(b" ")
            self._command(tag, rest)
        self._due.put(None)
        sending.join()

    def _answer(self, *parts: Any) -> None:
        self._due.put((time.perf_counter() + self._away, list(parts)))

    def _send(self) -> None:
        while (each := self._due.get()) is not None:
            time.sleep(max(0.0, each[0] - time.perf_counter()))
            try:
                for part in each[1]:
                    self._sock.sendall(part)
            except OSError:
                return

    def _command(self, tag: bytes, rest: bytes) -> None:
        done = b"%b OK done\r\n" % tag
        if rest.startswith(b"UID FETCH"):
            found = _RANGE.search(rest)
            assert found is not None
            start, size = (int(found[1]), int(found[2])) if found[1] else (0, len(self._data))
            part = self._data[start : start + size]
            name = b"BODY[]<%d>" % start if found[1] else b"BODY[]"
            self._answer(b"* 1 FETCH (UID 7 %b {%d}\r\n" % (name, len(part)), part, b")\r\n" + done)
        elif rest.startswith(b"STATUS"):
            self._answer(b"* STATUS a (MESSAGES 1 UNSEEN 0)\r\n" + done)
        elif rest.startswith(b"CAPABILITY"):
            self._answer(b"* CAPABILITY IMAP4rev1\r\n" + done)
        elif literal := _LITERAL.search(rest):
            self._answer(b"+ go\r\n")
            left = int(literal[1])
            while left:
                left -= len(self._file.read(min(left, 1 << 18)))
            self._file.readline()
            self._answer(done)
        else:
            self._answer(done)


def _serve(away: float, sizes: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    data = memoryview(_LINE * (int(sizes) // len(_LINE) + 1))[: int(sizes)]
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_Server(sock, data, away).run, daemon=True).start()


@contextmanager
def _server(away: float, size: int) -> Iterator[int]:
    argv = [sys.executable, "-m", "bench.bodies", "--serve", str(away), str(size)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


# the client


@contextmanager
def _client(run: Run) -> Iterator[imapkit.IMAP4]:
    with imapkit.IMAP4(run.host, run.port) as raw:
        raw.login("a", "b")
        yield raw


def _down_raw(run: Run) -> None:
    """FETCH of the whole message into memory."""
    with _client(run) as raw:
        raw.select("a")
        with run.timed():
            _, data = raw.uid("FETCH", "7", "(UID BODY.PEEK[])")
        run.check(len(data[0][1]) == run.size)


def _down_saved(run: Run) -> None:
    """The same, and its writing to a file."""
    with _client(run) as raw, TemporaryDirectory(dir=_memory()) as folder:
        raw.select("a")
        path = Path(folder) / "body"
        with run.timed():
            _, data = raw.uid("FETCH", "7", "(UID BODY.PEEK[])")
            path.write_bytes(data[0][1])
        run.check(path.stat().st_size == run.size)


def _down(run: Run, **options: Any) -> None:
    with _client(run) as raw, TemporaryDirectory(dir=_memory()) as folder:
        box, path = Client.over(raw).select("a"), Path(folder) / "body"
        with run.timed():
            done = box.download(7, "", path, **options)
        run.check(done == run.size == path.stat().st_size)


def _memory() -> str | None:
    """A folder in memory, so that no disk is measured."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _others(run: Run) -> None:
    """The longest STATUS while a message is downloaded in pieces."""
    worst = 0.0
    with _client(run) as raw, TemporaryDirectory(dir=_memory()) as folder:
        client = Client.over(raw)
        box = client.select("a")
        with run.timed():
            future = box.nowait.download(7, "", Path(folder) / "body")
            while not future.done():
                begun = time.perf_counter()
                client.status("b", "UNSEEN")
                worst = max(worst, time.perf_counter() - begun)
                time.sleep(0.002)
            run.check(future.result() == run.size)
    run.figures["worst"] = worst * 1000


def _up(run: Run, end: bytes, make: Callable[[Path], Any]) -> None:
    line = _LINE + end
    with _client(run) as raw, TemporaryDirectory(dir=_memory()) as folder:
        client, path = Client.over(raw), Path(folder) / "message"
        with path.open("wb") as file:
            for _ in range(run.size // len(line)):
                file.write(line)
        with run.timed():
            client.append("a", make(path))


WORKS: dict[str, Callable[[Run], None]] = {
    "down: raw": _down_raw,
    "down: raw, saved": _down_saved,
    "down: one literal": lambda run: _down(run, chunk=None),
    "down: 4 x 1 MiB": _down,
    "down: 4 x 1 MiB, others": _others,
    "up: bytes": lambda run: _up(run, b"\r\n", Path.read_bytes),
    "up: a path": lambda run: _up(run, b"\r\n", lambda path: path),
    "up: bytes, LF": lambda run: _up(run, b"\n", Path.read_bytes),
    "up: a path, LF": lambda run: _up(run, b"\n", lambda path: path),
}
AWAY: dict[str, Callable[[Run], None]] = {
    "away: one literal": lambda run: _down(run, chunk=None),
    "away: 8 x 1 MiB": lambda run: _down(run, window=8),
    "away: 4 x 1 MiB": _down,
    "away: 1 x 1 MiB": lambda run: _down(run, window=1),
}
"""With the server 10 ms away."""
AGAINST = {
    **dict.fromkeys(("down: one literal", "down: 4 x 1 MiB", "down: 4 x 1 MiB, others"), "down: raw, saved"),
    "up: a path": "up: bytes",
    "up: a path, LF": "up: bytes",
}


def _work(name: str, port: int, size: int) -> dict[str, float]:
    argv = [sys.executable, "-m", "bench.bodies", "--work", name, str(port), str(size)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _one(name: str, port: str, size: str) -> None:
    options = {"host": "127.0.0.1", "port": int(port), "cafile": None, "compress": False, "user": "a", "password": "b"}
    run = Run({**options, "mailbox": "a", "size": int(size)})
    {**WORKS, **AWAY}[name](run)
    print(json.dumps(run.figures))


def _rounds(works: dict[str, Callable[[Run], None]], away: float, size: int, rounds: int) -> None:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in works}
    with _server(away, size) as port:
        for _ in range(rounds):
            for name, each in found.items():
                each.append(_work(name, port, size))
    print(f"{size / 1e6:g} MB, {away * 1000:g} ms away, median of {rounds}")
    for name, each in found.items():
        middle = {figure: statistics.median(one[figure] for one in each) for figure in each[0]}
        ratio = ""
        if other := AGAINST.get(name):
            ratio = f" {statistics.median(one['wall'] / two['wall'] for one, two in zip(each, found[other], strict=True)):.2f} x"
        worst = f", others' STATUS at worst {middle['worst']:.0f} ms" if "worst" in middle else ""
        print(f"{name}: {middle['wall']:.0f} ms{ratio}, {middle['memory'] / 1024:.1f} MiB{worst}")


def main() -> int:
    """Run it, and print a row for each piece of work."""
    parser = argparse.ArgumentParser(prog="python -m bench.bodies", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=int, default=200_000_000, help="bytes of the message")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        _serve(float(chosen.serve[0]), chosen.serve[1])
    elif chosen.work:
        _one(*chosen.work)
    else:
        _rounds(WORKS, 0.0, chosen.size, chosen.rounds)
        _rounds(AWAY, 0.01, chosen.size // 5, chosen.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
