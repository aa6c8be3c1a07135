"""What the tests of real programs share: a home of the program's own, its environment, and mail to compare.

The programs are Debian's and run on the system's Python, as they are. What they import by the name of ``imaplib2`` or
``imaplib`` is a shim that gives them imapkit. What is on the server is read with the standard library's imaplib.
"""

from __future__ import annotations

import contextlib
import imaplib
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

import imapkit
from imapkit.core.wire import mutf7
from tests.live.support import SECONDS, logged_in
from tests.servers.base import ENVIRONMENT, POLL_SECONDS, Server

PYTHON = "/usr/bin/python3"
SHIMS = Path(__file__).parent

MAILDIR_FLAGS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
COMMON_FLAGS = frozenset(MAILDIR_FLAGS.values())


def missing(package: str, path: str) -> str | None:
    """Why a program of Debian's cannot run here on imapkit; None when it can. ``path``: something that the package has."""
    if not Path(path).exists():
        return f"no {path} here: apt-get install {package}"
    done = subprocess.run([PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False)
    return f"{PYTHON} is older than 3.11, which imapkit needs" if done.returncode else None


def changed(package: str) -> list[str]:
    """The files of a package that differ from Debian's."""
    done = subprocess.run(["dpkg", "--verify", package], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    # An image may do without the documentation.
    return [line for line in done.stdout.splitlines() if not re.search("/share/(doc|man|locale)/", line)]


def libraries(directory: Path) -> Path:
    """A directory for PYTHONPATH with imapkit and what it needs, and nothing else of the Python that runs the tests."""
    directory.mkdir()
    (directory / "imapkit").symlink_to(Path(imapkit.__file__).parent)
    for found in _needed("imapkit", {}).values():
        tops = {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}
        for top in tops:
            # imapkit may be installed in place: then its metadata only is with the others.
            if found.name != "imapkit" or top.endswith(".dist-info"):
                (directory / top).symlink_to(str(found.locate_file(top)))
    return directory


def _needed(name: str, known: dict[str, Distribution]) -> dict[str, Distribution]:
    """An installed distribution and all that it requires on the system's Python."""
    with contextlib.suppress(PackageNotFoundError):
        found = known[name] = distribution(name)
        for requirement in map(Requirement, found.requires or ()):
            wanted = requirement.marker is None or requirement.marker.evaluate({"python_version": "3.11", "extra": ""})
            if wanted and requirement.name not in known:
                _needed(requirement.name, known)
    return known


class Mail(NamedTuple):
    """A message, its line ends as in a file, and its flags."""

    content: bytes
    flags: frozenset[str]


Mailboxes = dict[str, dict[bytes, Mail]]
"""Messages by their Message-ID, by the name of their mailbox."""


@dataclass(frozen=True)
class Home:
    """Where a program lives: nothing outside of this directory is read or written by it."""

    directory: Path
    path: tuple[Path, ...]
    cache: Path

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of the program, with the shim first on its path."""
        return {
            **ENVIRONMENT,
            "LANG": "C.UTF-8",
            "HOME": str(self.directory),
            "PYTHONPATH": os.pathsep.join(map(str, self.path)),
            "PYTHONPYCACHEPREFIX": str(self.cache),
            **more,
        }

    def run(self, *argv: str, status: int | None = 0, **environment: str) -> str:
        """Run a program to its end; returns what it said. ``status``: what it has to end with, if that is known."""
        done = subprocess.run(
            argv, env=self.environment(environment), cwd=self.directory, text=True, errors="backslashreplace", timeout=SECONDS,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert status is None or done.returncode == status, done.stdout
        return done.stdout

    @contextlib.contextmanager
    def running(self, *argv: str, **environment: str) -> Iterator[Running]:
        """Run a program meanwhile, and see that it has ended."""
        log = self.directory / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                argv, env=self.environment(environment), cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        try:
            yield Running(process, log)
        finally:
            process.kill()
            process.wait(SECONDS)


@dataclass(frozen=True)
class Running:
    """A program that runs, and what it has said so far."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """All that it has said."""
        return self.log.read_text(encoding="utf-8", errors="backslashreplace")

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds; fails if the program ends before."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(POLL_SECONDS)


def write_sections(path: Path, sections: Mapping[str, Mapping[str, object]]) -> Path:
    """Write a configuration file, which only its owner may read."""
    lines = [f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()) for name, values in sections.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(0o600)
    return path


# mail


def message(number: int, body: str = "", more: str = "") -> bytes:
    """A message with the Message-ID ``<number@example.com>``; every seventh is large, every fifth not in ASCII."""
    if not body:
        body = f"This is number {number}.\n"
        body += "Grüße aus Köln, 日本\n" if number % 5 == 0 else ""
        body += "All work and no play makes Jack a dull boy.\n" * (500 if number % 7 == 0 else number % 3)
    head = f"From: Ann <ann@example.com>\nTo: bob@example.com\nSubject: Number {number}\nMessage-ID: <{number}@example.com>\n"
    mime = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
    date = f"Date: Mon, 02 Mar 2026 10:{number // 60 % 60:02}:{number % 60:02} +0000\n"
    return f"{head}{date}{more}{mime}\n{body}".encode()


def message_id(number: int) -> bytes:
    """The Message-ID of ``message(number)``."""
    return b"<%d@example.com>" % number


def fill(server: Server, user: str, mailboxes: Mapping[str, Mapping[int, str]]) -> None:
    """Put messages on the server: by mailbox, number and flags."""
    with logged_in(server, user) as imap:
        for name, messages in mailboxes.items():
            if name != "INBOX":
                assert imap.create(name)[0] == "OK"
                assert imap.subscribe(name)[0] == "OK"
            for number, flags in messages.items():
                assert imap.append(name, flags, None, message(number))[0] == "OK"


def _by_id(mails: Iterable[Mail]) -> dict[bytes, Mail]:
    found: dict[bytes, Mail] = {}
    for mail in mails:
        match = re.search(rb"^Message-ID: *(<[^>\n]*>)", mail.content, re.IGNORECASE | re.MULTILINE)
        key = match[1] if match else mail.content
        assert key not in found, f"twice: {key!r}"
        found[key] = mail
    return found


def on_server(server: Server, user: str) -> Mailboxes:
    """All that a user has on the server."""
    found: Mailboxes = {}
    with imaplib.IMAP4(server.host, server.port, timeout=SECONDS) as imap:
        imap.login(user, server.users[user])
        for line in imap.list()[1]:
            match = isinstance(line, bytes) and re.match(rb'\(([^)]*)\) "/" (?:"((?:[^"\\]|\\.)*)"|(.*))\Z', line)
            assert match, line
            if b"\\Noselect" not in match[1]:
                name = re.sub(rb"\\(.)", rb"\1", match[2] or b"") or match[3]
                found[mutf7.decode(name)] = _by_id(_fetched(imap, name.decode("ascii")))
    return found


def _fetched(imap: imaplib.IMAP4, name: str) -> Iterator[Mail]:
    typ, count = imap.select('"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"')), readonly=True)
    assert typ == "OK", count
    if count == [b"0"]:
        return
    for item in imap.fetch("1:*", "(FLAGS BODY.PEEK[])")[1]:
        if isinstance(item, tuple):
            flags = frozenset(flag.decode("ascii") for flag in imaplib.ParseFlags(item[0]))
            yield Mail(item[1].replace(b"\r\n", b"\n"), flags & COMMON_FLAGS)


def in_maildir(directory: Path) -> Mailboxes:
    """All that is in the Maildirs below a directory, by the path of each."""
    found: Mailboxes = {}
    for place in directory.rglob("cur"):
        files = [file for part in ("cur", "new") for file in (place.parent / part).iterdir()]
        found[str(place.parent.relative_to(directory))] = _by_id(map(_in_file, files))
    return found


def _in_file(path: Path) -> Mail:
    flags = path.name.partition(":2,")[2]
    return Mail(path.read_bytes(), frozenset(MAILDIR_FLAGS[flag] for flag in flags))


def file_of(directory: Path, number: int) -> Path:
    """The file of ``message(number)`` in a Maildir."""
    with contextlib.suppress(StopIteration):
        return next(file for file in directory.glob("[cn][ue][rw]/*") if message_id(number) in file.read_bytes())
    raise AssertionError(f"no message {number} in {directory}")


def differences(one: Mailboxes, other: Mailboxes) -> list[str]:
    """What is different, briefly: mailboxes, messages, contents, flags."""
    found = [f"mailbox {name!r}: on one side only" for name in sorted(one.keys() ^ other.keys())]
    for name in sorted(one.keys() & other.keys()):
        here, there = one[name], other[name]
        found += [f"{name!r} {key!r}: on one side only" for key in sorted(here.keys() ^ there.keys())]
        for key in sorted(here.keys() & there.keys()):
            if here[key].content != there[key].content:
                found.append(f"{name!r} {key!r}: {here[key].content[:200]!r} != {there[key].content[:200]!r}")
            if here[key].flags != there[key].flags:
                found.append(f"{name!r} {key!r}: {sorted(here[key].flags)} != {sorted(there[key].flags)}")
    return found


def amount(mailboxes: Mailboxes) -> int:
    """How many messages there are."""
    return sum(map(len, mailboxes.values()))
