"""``docs/reliability.md`` names every public method and attribute; what it says of them holds, and any thread may call them."""

from __future__ import annotations

import os
import random
import re
import threading
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import imapkit
from imapkit import ext
from imapkit.core.contract.command import Command
from imapkit.core.support.limits import Limits, Timeouts
from imapkit.testing import ScriptedServer, load_only, within
from tests.stress.server import Shuffler

PAGE = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text("utf-8")
REGISTRY = load_only(*ext.INDEX)
CLIENTS = [imapkit.IMAP4, imapkit.IMAP4_SSL, imapkit.IMAP4_stream]
COMMAND_OF = {"fetch_to": "FETCH", "enable_compression": "COMPRESS", "login_cram_md5": "AUTHENTICATE", "recent": "NOOP"}
COMMAND_OF |= {f"x_gm_{name}": "STORE" for name in ("add_labels", "remove_labels", "set_labels")}
COMMAND_OF |= {"x_gm_labels": "FETCH", "x_gm_search": "SEARCH"}
"""Methods that are not called as their command is."""
TOGETHER, APART, IN_TURN, ALONE, HOOKS = 0, 1, 2, 3, 6


def rows(heading: str) -> list[tuple[str, ...]]:
    """The rows of the table whose first column is headed so."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines()[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


GROUPS = [names(row[1]) for row in rows("in flight")]
ATTRIBUTES = [name for row in rows("attribute") for name in names(row[0])]


def test_the_tables_are_complete() -> None:
    methods = [name for group in GROUPS for name in group]
    assert len(GROUPS) == 7
    assert len(set(methods)) == len(methods)
    for cls in CLIENTS:
        # A family that another test has had, and that is gone, may still be listed.
        public = {name for name in dir(cls) if not name.startswith("_") and hasattr(cls, name)}
        called = {name for name in public if callable(getattr(cls, name)) and not isinstance(getattr(cls, name), type)}
        assert called - {"compressor", "decompressor"} <= set(methods)
        assert public - called <= set(ATTRIBUTES)
    assert set(methods) - {name for cls in CLIENTS for name in dir(cls)} == set()
    assert set(ATTRIBUTES) - {name for cls in CLIENTS for name in dir(cls)} == set()


def together(command: Command) -> int:
    """What the registry says of it."""
    if command.exclusive:
        return ALONE
    if command.subject is not None:
        return APART
    return IN_TURN if command.result else TOGETHER


@pytest.mark.parametrize("kind", [TOGETHER, APART, IN_TURN, ALONE])
def test_commands_that_are_in_flight_together(kind: int) -> None:
    commands = {name: REGISTRY.commands[COMMAND_OF.get(name, name.upper())] for name in GROUPS[kind]}
    assert {name: together(command) for name, command in commands.items()} == dict.fromkeys(commands, kind)


def test_commands_that_name_messages_by_number() -> None:
    sentence = PAGE.partition(" name messages by number")[0].rpartition("\n\n")[2]
    assert names(sentence) == sorted(command.name.lower() for command in REGISTRY.commands.values() if command.seqnums)


def test_the_defaults_are_those_of_the_code() -> None:
    units = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
    shown = {}
    for name, value, _ in rows("limit"):
        number, _, unit = value.replace(",", "").partition(" ")
        shown[name.strip("`")] = int(number) * units.get(unit, 1)
    assert shown == {field.name: field.default for field in fields(Limits)}
    waits = {row[0].strip("`"): float(row[1]) for row in rows("name") if row[0].startswith("`")}
    assert waits == {field.name: field.default for field in fields(Timeouts)}


def test_every_test_that_is_named_exists() -> None:
    for place in re.findall(r"`(tests/[\w/.]+)`", PAGE):
        assert (Path(__file__).parents[2] / place).exists(), place


# any method, from any thread

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "append": ("box", None, None, b"x"),
    "authenticate": ("PLAIN", lambda challenge: b""),
    "copy": ("1", "box"),
    "enable": ("UTF8=ACCEPT",),
    "family": (object,),
    "fetch": ("1", "FLAGS"),
    "fetch_to": ("1", "BODY[]", BytesIO()),
    "getannotation": ("box", "/comment", "value"),
    "id": ("name", "x"),
    "idle": (0.01,),
    "login": ("user", "password"),
    "login_cram_md5": ("user", "password"),
    "listrights": ("box", "who"),
    "move": ("1", "box"),
    "deleteacl": ("box", "who"),
    "setacl": ("box", "who", "lrs"),
    "parse": ("EXISTS", [b"3"]),
    "partial": ("1", "RFC822", "1", "10"),
    "proxyauth": ("who",),
    "rename": ("box", "other"),
    "response": ("EXISTS",),
    "search": (None, "ALL"),
    "setannotation": ("box", "/comment", '("value.priv" "x")'),
    "setquota": ("root", "(STORAGE 5)"),
    "sort": ("(SUBJECT)", "UTF-8", "ALL"),
    "status": ("box", "(MESSAGES)"),
    "store": ("1", "+FLAGS", "(x)"),
    "thread": ("REFERENCES", "UTF-8", "ALL"),
    "uid": ("FETCH", "1", "FLAGS"),
    "submit": ("X-SOMETHING",),
    "xatom": ("X-SOMETHING",),
    "x_gm_labels": ("1",),
    "x_gm_search": ("in:unread",),
    **dict.fromkeys(("x_gm_add_labels", "x_gm_remove_labels", "x_gm_set_labels"), ("1", "todo")),
    **dict.fromkeys(("create", "delete", "subscribe", "unsubscribe", "getacl", "myrights", "getquota", "getquotaroot"), ("box",)),
}
LEFT_OUT = {"starttls", "enable_compression", "ssl", "logout", "shutdown", *GROUPS[HOOKS]}
"""A server that only says OK to the first two is not understood any more; the last are called by the client."""


def work(client: imapkit.IMAP4, rng: random.Random, done: set[str], wrong: list[str], last: str) -> None:
    """Call every method, in any order, and read attributes; in the end ``last``, together with the other threads."""
    methods = [name for group in GROUPS for name in group if name not in LEFT_OUT]
    for name in [*rng.sample(methods, len(methods)), last]:
        try:
            answer = getattr(client, name)(*ARGUMENTS.get(name, ()))
            if name == "pop_untagged_responses":
                list(answer)
            getattr(client, rng.choice(ATTRIBUTES), None)
            done.add(name)
        except imapkit.IMAP4.error:
            pass  # not valid in that state, or the connection has ended
        except BaseException as exc:
            wrong.append(f"{name}: {exc!r}")


def any_thread_calls_any_method(rng: random.Random) -> None:
    """Six threads, one client."""
    greeting = b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE ENABLE UTF8=ACCEPT LITERAL+] hi\r\n"
    done, wrong = set[str](), list[str]()
    shuffler = Shuffler(random.Random(rng.random()))
    with ScriptedServer(shuffler, greeting=greeting, patience=30) as server, within(20):
        client = imapkit.IMAP4(server.host, server.port, timeout=30)
        threads = [
            threading.Thread(target=work, args=(client, random.Random(rng.random()), done, wrong, last))
            for last in ("logout", "shutdown", "noop", "logout", "shutdown", "noop")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert client.logout()[0] == "NO"
    assert wrong == []
    assert client.state == "LOGOUT"
    assert len(done) > 25, "most of them were valid at some time"


def test_any_thread_may_call_any_method(rng: random.Random) -> None:
    any_thread_calls_any_method(rng)


@pytest.mark.heavy
def test_any_thread_may_call_any_method_at_any_moment(rng: random.Random) -> None:
    """A failure shows in one of some ten runs, or fewer."""
    for _ in range(int(os.environ.get("IMAPKIT_CYCLES", "15"))):
        any_thread_calls_any_method(rng)
