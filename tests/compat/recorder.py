"""A client library runs a script: every call and its result, in a form in which two libraries can be compared."""

from __future__ import annotations

import importlib
import re
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["PASSWORD", "Abandoned", "Recorder", "Setting", "letter"]

PATIENCE = 20.0
"""Seconds after which a call counts as one that never returns."""
PASSWORD = "pw"

# What no two sessions have in common, and nothing else: the user, clocks, and what a server makes up.
MUST_DIFFER = [
    (re.compile(rb"\bu0[0-9]\b"), b"USER"),
    (re.compile(rb" \([0-9.]+ \+ [0-9.]+ (?:\+ [0-9.]+ )?secs\)"), b""),
    (re.compile(rb"\b(UIDVALIDITY|APPENDUID|COPYUID|HIGHESTMODSEQ) \d+"), rb"\1 #"),
    (re.compile(rb"(\bMAILBOXID )?\([a-z0-9]{24}\)"), rb"\1(#)"),
    (re.compile(rb"\bSESSIONID=<[^>]*>"), b"SESSIONID"),
    (re.compile(rb"/tmp/\S+/"), b"/tmp/"),
]
NUMBERS = ("UIDVALIDITY", "HIGHESTMODSEQ", "APPENDUID", "COPYUID")
"""Responses whose data alone does not say what the numbers in it are."""


class Abandoned(Exception):
    """A call did not return: the steps behind it are not run."""


class Setting:
    """Where a script runs: the server, and the user logged in there."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.server: str = told["server"]
        self.host: str = told["host"]
        self.port: int = told["port"]
        self.tls_port: int = told["tls_port"]
        self.cafile: str = told["cafile"]
        self.other_cafile: str = told["other_cafile"]
        self.stream: str | None = told["stream"]
        self.user: str = told["user"]
        self.directory: str = told["directory"]

    def place(self, name: str) -> str:
        """The full name of a mailbox: Cyrus has them below INBOX."""
        return f"INBOX.{name}" if self.server == "cyrus" else name

    def below(self, name: str, child: str) -> str:
        """The name of a child."""
        return f"{name}{'.' if self.server == 'cyrus' else '/'}{child}"


class Recorder:
    """Stands for the client: a method that is called here is called there, and what comes of it is written down.

    ``but(*ids)``: the next step may differ as these rows of the list of differences say.
    """

    def __init__(self, library: str, setting: Setting) -> None:
        self.library = library
        self.on = setting
        self.module: ModuleType = importlib.import_module(library)
        self.client: Any = None
        self.steps: list[dict[str, Any]] = []
        self._excuses: tuple[str, ...] = ()
        self._patience = PATIENCE

    def but(self, *ids: str, patience: float = PATIENCE) -> Recorder:
        """What the next step may differ by; ``patience`` if one of the libraries is known not to return."""
        self._excuses, self._patience = ids, patience
        return self

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.step(_shown(name, args, kwargs), lambda: getattr(self.client, name)(*args, **kwargs))

    def connect(self, cls: str = "IMAP4", *args: Any, **kwargs: Any) -> Any:
        """A client, at the plain port unless said otherwise. imaplib has no ``debug`` and the like."""
        if not args and "host" not in kwargs:
            args = (self.on.host, self.on.port)
        made = getattr(self.module, cls)
        return self.connect_by(cls, lambda: made(*args, **kwargs))

    def connect_by(self, label: str, make: Callable[[], Any]) -> Any:
        """A client that ``make`` makes."""

        def opened() -> bool:
            self.client = make()
            return True

        return self.step(label, opened)

    def look(self, label: str, value: Callable[[], Any]) -> Any:
        """Write down whatever ``value()`` is."""
        return self.step(label, value)

    def called_back(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """A command with a callback: what it returns, and what the callback is given. imaplib has none."""
        if self.library == "imaplib":
            return None
        came: list[Any] = []
        done = threading.Event()

        def callback(answer: Any) -> None:
            came.append(answer)
            done.set()

        def call() -> Any:
            returned = getattr(self.client, name)(*args, callback=callback, cb_arg="mine", **kwargs)
            done.wait(PATIENCE)
            return returned, [self._answer(answer) for answer in came]

        return self.step("callback of " + _shown(name, args, kwargs), call)

    def _answer(self, answer: Any) -> Any:
        result, cb_arg, failure = answer
        return result, cb_arg, failure and f"{_class_of(failure[0], self.client)}, told in {type(failure[1]).__name__}"

    def step(self, label: str, call: Callable[[], Any]) -> Any:
        """Run ``call``, and write down what comes of it; returns what it returned, or None."""
        excuses, self._excuses = self._excuses, ()
        patience, self._patience = self._patience, PATIENCE
        came: dict[str, Any] = {}

        def work() -> None:
            try:
                came["value"] = call()
            except BaseException as exc:
                came["raised"] = exc

        thread = threading.Thread(target=work, daemon=True)
        started = time.monotonic()
        thread.start()
        thread.join(patience)
        seconds = round(time.monotonic() - started, 2)
        told = {"step": label, "but": list(excuses), "seconds": seconds, **self._came(came), **self._attributes()}
        self.steps.append(told)
        if not came:
            raise Abandoned(label)
        return came.get("value")

    def _came(self, came: dict[str, Any]) -> dict[str, str]:
        if "raised" in came:
            exc = came["raised"]
            return {"outcome": f"raises {_class_of(type(exc), self.client)}", "text": f"{type(exc).__name__}: {exc}"}
        return {"outcome": f"returns {plain(came['value'])!r}" if came else "never returns", "text": ""}

    def _attributes(self) -> dict[str, str]:
        """imaplib has no ``mailbox``."""
        names = ("state", "mailbox", "is_readonly") if self.library != "imaplib" else ("state", "is_readonly")
        return {name: repr(plain(vars_of(self.client, name))) for name in names}

    def leftovers(self) -> Any:
        """The responses that belong to no command. imaplib does not list them."""
        if self.library == "imaplib":
            return None
        return self.step("leftovers", lambda: [(name, data) for name, data in self.client.pop_untagged_responses()])


def vars_of(client: Any, name: str) -> Any:
    """An attribute, whatever becomes of it."""
    try:
        return getattr(client, name, None)
    except Exception as exc:
        return type(exc).__name__


def plain(value: Any, numbers: bool = False) -> Any:
    """``value`` in plain types, without what no two sessions have in common."""
    if isinstance(value, (bytes, bytearray)):
        return _bytes(bytes(value), numbers)
    if isinstance(value, str):
        return _bytes(value.encode("utf-8", "surrogateescape"), False).decode("utf-8", "surrogateescape")
    if isinstance(value, (list, tuple)):
        named = len(value) == 2 and isinstance(value[0], str) and value[0].upper() in NUMBERS
        made = [plain(item, numbers or named) for item in value]
        return tuple(made) if isinstance(value, tuple) else made
    return value


def _bytes(value: bytes, numbers: bool) -> bytes:
    for pattern, instead in MUST_DIFFER:
        value = pattern.sub(instead, value)
    return re.sub(rb"\A\d+", b"#", value) if numbers else value


def _class_of(cls: type, client: Any) -> str:
    """imaplib's three classes by their place in the tree; any other by its name."""
    for name in ("readonly", "abort", "error"):
        if client is not None and issubclass(cls, getattr(client, name)):
            return name
    names = [each.__name__ for each in cls.__mro__]
    return next((name for name in ("abort", "error") if name in names), cls.__name__)


def _shown(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    given = [_abridged(arg) for arg in args] + [f"{key}={_abridged(arg)}" for key, arg in kwargs.items()]
    return f"{name}({', '.join(given)})"


def _abridged(value: Any) -> str:
    shown = repr(plain(value)) if isinstance(value, (str, bytes, int, float, tuple, list, type(None))) else type(value).__name__
    return shown if len(shown) < 100 else f"{shown[:80]}... of {len(value)}"


def letter(subject: str, body: str = "hello", more: str = "") -> bytes:
    """A small message."""
    name = subject.replace(" ", ".")
    head = f"From: Ann <ann@example.com>\r\nTo: bob@example.com\r\nSubject: {subject}\r\nMessage-ID: <{name}@example.com>\r\n"
    return f"{head}Date: Mon, 05 Jan 2026 09:08:07 +0000\r\n{more}\r\n{body}\r\n".encode()
