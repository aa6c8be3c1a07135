"""The work of clients with imaplib's interface, and of those with imaplib2's."""

from __future__ import annotations

import imaplib
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.canned import now
from bench.payloads import APPENDED, BODY_SIZE, MESSAGE
from bench.worker import Run

__all__ = ["STATUS", "Blocking", "Countdown", "Fetching", "Importable", "Peer", "Sync", "Threaded", "fresh"]

STATUS = "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"
"""What STATUS is asked for."""
_BEGINS = 0.05
_IMPORT = "import time; t = time.perf_counter(); import {}; print((time.perf_counter() - t) * 1000)"
_SWITCH = "from bench.schemes import SCHEMES, switch_off; [switch_off(name) for name in SCHEMES if name == {!r}]; "
_FIRST = """
import sys, time
sys.path.append({place!r})
import {module}
t = time.perf_counter()
client = {module}.IMAP4({host!r}, {port})
print((time.perf_counter() - t) * 1000)
client.logout()
"""


def fresh(code: str) -> float:
    """The number that this code prints in a new interpreter, which may keep what it compiles."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ).stdout)


def _measured(run: Run, code: str) -> None:
    before = "" if run.without is None else _SWITCH.format(run.without)
    # (The second time all sources are compiled.)
    run.note(wall=[fresh(before + code) for _ in range(2)][-1])


class Peer:
    """Any client."""

    compresses = False


class Fetching(Peer):
    """A client that can send FETCH."""

    def _fetch(self, run: Run, items: str, each: int) -> None:
        """Fetch these items of all messages, and look at the answer, which has at least ``each`` bytes for each."""
        raise NotImplementedError

    def flags(self, run: Run) -> None:
        """FETCH of flags."""
        self._fetch(run, "(FLAGS)", len("1 (FLAGS ())"))

    def structures(self, run: Run) -> None:
        """FETCH of envelopes and structures."""
        self._fetch(run, "(ENVELOPE BODYSTRUCTURE)", len("1 (ENVELOPE () BODYSTRUCTURE ())"))

    def bodies(self, run: Run) -> None:
        """FETCH of messages."""
        self._fetch(run, "(BODY.PEEK[])", BODY_SIZE)


class Importable(Peer):
    """A client in Python."""

    module: str

    def importing(self, run: Run) -> None:
        """How long a new interpreter takes to import it."""
        _measured(run, _IMPORT.format(self.module))


class Blocking(Peer):
    """One command after another; ``connect`` gives a client, logged in, with the mailbox selected."""

    def connect(self, run: Run) -> Any:
        """The client."""
        raise NotImplementedError

    def _noop(self, client: Any) -> object:
        """Whether it was done."""
        raise NotImplementedError

    def _append(self, client: Any) -> object:
        """Whether it was done."""
        raise NotImplementedError

    def noops(self, run: Run) -> None:
        """One after another."""
        client = self.connect(run)
        with run.timed():
            for _ in range(run.size):
                run.check(self._noop(client))
        client.logout()

    def far(self, run: Run) -> None:
        """One after another, as there is no other way."""
        self.noops(run)

    def appends(self, run: Run) -> None:
        """One after another."""
        client = self.connect(run)
        with run.timed():
            for _ in range(run.size):
                with run.each():
                    run.check(self._append(client))
        client.logout()


class Sync(Blocking, Fetching, Importable):
    """imaplib's interface."""

    def connect(self, run: Run) -> Any:
        """A client, logged in, with the mailbox selected."""
        client = self.open(run)
        client.login(run.user, run.password)
        if run.compress:
            client.enable_compression()
        client.select(run.mailbox)
        return client

    def open(self, run: Run) -> Any:
        """A client."""
        raise NotImplementedError

    def _noop(self, client: Any) -> object:
        return client.noop()[0] == "OK"

    def _append(self, client: Any) -> object:
        return client.append(APPENDED, None, None, MESSAGE)[0] == "OK"

    def first(self, run: Run) -> None:
        """How long the first client takes, import and logging out apart, with ``run.size`` more distributions to look through."""
        with tempfile.TemporaryDirectory() as place:
            for i in range(run.size):
                info = Path(place, f"package_{i}-1.0.dist-info")
                info.mkdir()
                (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: package-{i}\nVersion: 1.0\n")
                (info / "entry_points.txt").write_text(f"[console_scripts]\ncommand-{i} = package_{i}:main\n")
            _measured(run, _FIRST.format(place=place, module=self.module, host=run.host, port=run.port))

    def _fetch(self, run: Run, items: str, each: int) -> None:
        client = self.connect(run)
        with run.timed():
            typ, data = client.fetch(f"1:{run.size}", items)
            size = sum(len(item) if isinstance(item, bytes) else len(item[0]) + len(item[1]) for item in data)
        run.check(typ == "OK" and len(data) >= run.size and size >= each * run.size)
        client.logout()

    def listing(self, run: Run) -> None:
        """LIST of many mailboxes."""
        client = self.connect(run)
        with run.timed():
            typ, data = client.list()
        run.check(typ == "OK" and len(data) == run.size)
        client.logout()

    def big(self, run: Run) -> None:
        """FETCH of one large message."""
        client = self.connect(run)
        with run.timed():
            typ, data = client.fetch("1", "(BODY.PEEK[])")
        run.check(typ == "OK" and len(data[0][1]) == run.size)
        client.logout()


def _other(run: Run) -> imaplib.IMAP4:
    """A client beside the one that is measured, logged in."""
    if run.cafile is None:
        client = imaplib.IMAP4(run.host, run.port)
    else:
        client = imaplib.IMAP4_SSL(run.host, run.port, ssl_context=ssl.create_default_context(cafile=run.cafile))
    client.login(run.user, run.password)
    return client


class Countdown:
    """Waits for ``count`` callbacks, which come on another thread; keeps their errors."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._done = threading.Event()
        self._failed: Any = None

    def __call__(self, answer: tuple[Any, Any, Any]) -> None:
        """A callback: the result, the argument, the error."""
        result, _, error = answer
        self._failed = self._failed or error or (None if result[0] == "OK" else result)
        self._left -= 1
        if not self._left:
            self._done.set()

    def wait(self) -> bool:
        """Whether all have come, and all with OK."""
        return self._done.wait(120) and self._failed is None


class Threaded(Sync):
    """imaplib2's interface: callbacks, threads, IDLE."""

    compresses = True

    def noops_pipelined(self, run: Run) -> None:
        """With callbacks."""
        done, client = Countdown(run.size), self.connect(run)
        with run.timed():
            for _ in range(run.size):
                client.noop(callback=done)
            run.check(done.wait())
        client.logout()

    def far(self, run: Run) -> None:
        """With callbacks."""
        self.noops_pipelined(run)

    def appends_pipelined(self, run: Run) -> None:
        """With callbacks."""
        done, client = Countdown(run.size), self.connect(run)
        with run.timed():
            for _ in range(run.size):
                client.append(APPENDED, None, None, MESSAGE, callback=done)
            run.check(done.wait())
        client.logout()

    def appends_held(self, run: Run) -> None:
        """The same, of a server that holds its small answers back."""
        self.appends_pipelined(run)

    def idlers(self, run: Run) -> None:
        """Connections in IDLE, by callback; they end with the process, since to log out takes some clients minutes."""
        # Code and threads that the first one brings for all are not counted for each.
        clients = [self._idler(run)]
        with run.resident():
            clients += [self._idler(run) for _ in range(run.size)]

    def _idler(self, run: Run) -> Any:
        client = self.connect(run)
        client.idle(callback=lambda answer: None)
        return client

    def callback(self, run: Run) -> None:
        """From the tagged line, which holds the time of sending, to the callback; microseconds."""
        client = self.connect(run)
        found = []
        for _ in range(run.size):
            called = threading.Event()
            answers: list[tuple[int, Any]] = []

            def back(answer: Any, called: threading.Event = called, answers: list[tuple[int, Any]] = answers) -> None:
                answers.append((now(), answer))
                called.set()

            client.noop(callback=back)
            run.check(called.wait(10))
            at, answer = answers[0]
            found.append(at - int(answer[0][1][0].split()[-1]))
        client.logout()
        run.note(delay=statistics.median(found))

    def idle_news(self, run: Run) -> None:
        """From the untagged line, which holds the time of sending, to the return of ``idle``; microseconds."""
        client = self.connect(run)
        found = []
        for _ in range(run.size):
            client.response("EXISTS")
            client.idle(timeout=10)
            at = now()
            found.append(at - int(client.response("EXISTS")[1][-1]))
        client.logout()
        run.note(delay=statistics.median(found))

    def idle_seen(self, run: Run) -> None:
        """From the OK to another client's APPEND, and from the untagged line, to the callback of IDLE; microseconds."""
        client, other = self.connect(run), _other(run)
        since_append, since_line = [], []
        for _ in range(run.size):
            idling = threading.Event()
            ended: list[int] = []

            def back(answer: Any, idling: threading.Event = idling, ended: list[int] = ended) -> None:
                ended.append(now())
                idling.set()

            client.response("EXISTS")
            client.idle(timeout=30, callback=back)
            # No client reports when the server has accepted IDLE, and some only queue it here.
            time.sleep(_BEGINS)
            other.append(run.mailbox, "", "", MESSAGE)
            at = now()
            run.check(idling.wait(30))
            since_append.append(ended[0] - at)
            since_line.append(ended[0] - int(client.response("EXISTS")[1][-1]))
        client.logout()
        other.logout()
        run.note(delay=statistics.median(since_append))
        if run.cafile is None and not run.compress:  # else the relay cannot write the time into the line
            run.note(delay_after_the_line=statistics.median(since_line))

    def threads(self, run: Run) -> None:
        """The same number of FETCHes over one connection, from one thread and from 16."""
        with run.timed():
            one, _ = self._threads(run, 1)
            many, times = self._threads(run, 16)
        run.note(p99_in_medians=times[int(len(times) * 0.99)] / times[len(times) // 2])
        run.figures |= {"1 thread": one * 1000, "16 threads": many * 1000, "16 in 1": many / one}

    def _threads(self, run: Run, count: int) -> tuple[float, list[float]]:
        """How long all took, and each, in seconds and in order."""
        times: list[float] = []
        client = self.connect(run)

        def some(first: int) -> None:
            for i in range(first, run.size + 1, count):
                start = time.perf_counter()
                run.check(client.fetch(str(i), "(FLAGS)")[0] == "OK")
                times.append(time.perf_counter() - start)

        with ThreadPoolExecutor(count) as pool:
            start = time.perf_counter()
            list(pool.map(some, range(1, count + 1)))
            whole = time.perf_counter() - start
        client.logout()
        run.check(len(times) == run.size)
        return whole, sorted(times)
