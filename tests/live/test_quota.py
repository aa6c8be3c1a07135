"""QUOTA, against the servers that announce it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import IMAP4
from tests.live.support import Answers, letter, logged_in, needing, outcome, place
from tests.servers.base import Server, not_announced
from tests.servers.quirks import Quirk

pytestmark = pytest.mark.live

LIMITS = {"STORAGE": 8_000_000, "MESSAGE": 1_000_000}
"""What every server is configured to give to every user."""


@pytest.fixture(autouse=True)
def _announced(server: Server) -> None:
    """The servers that have quotas."""
    needing(server, "QUOTA")


@pytest.fixture
def administered(server: Server) -> Server:
    """The servers with an administrator that sets quotas."""
    if "admin" not in server.users:
        not_announced(server, "administrator of quotas")
    return server


def root_of(imap: IMAP4) -> bytes:
    """The quota root of INBOX."""
    ((roots,), _) = (each.parsed() for each in imap.getquotaroot("INBOX")[1])
    (root,) = roots.roots
    return bytes(root)


@contextmanager
def administrator(server: Server, user: str) -> Iterator[IMAP4]:
    """The administrator, once that user has mailboxes."""
    with logged_in(server, user):
        pass
    with logged_in(server, "admin") as imap:
        yield imap


def test_getquotaroot(server: Server) -> None:
    with logged_in(server, "u08") as imap:
        typ, data = imap.getquotaroot("INBOX")
        assert typ == "OK"
        ((root,), (quota,)), ((raw_root,), (raw_quota,)) = [each.parsed() for each in data], data
        assert (root.mailbox, root.roots) == ("INBOX", (quota.name,))
        assert {each.name: (each.usage, each.limit) for each in quota.resources} == {
            name: (0, limit) for name, limit in LIMITS.items()
        }
        assert not (*root.defects, *quota.defects)
        assert quota.name in raw_root
        assert raw_quota.endswith(b" (STORAGE 0 8000000 MESSAGE 0 1000000)")
        assert not {name for name, _ in imap.untagged_responses} & {"QUOTA", "QUOTAROOT"}


def test_usage_is_counted(server: Server) -> None:
    with logged_in(server, "u09") as imap:
        box = place(server, "counted for the quota")
        assert imap.create(box)[0] == "OK"
        (before,) = imap.getquotaroot(box)[1][1].parsed()
        for _ in range(3):
            assert imap.append(box, None, None, letter("big", "x" * 10_000))[0] == "OK"
        (after,) = imap.getquotaroot(box)[1][1].parsed()
        assert after.resource("message").usage - before.resource("message").usage == 3
        assert after.resource("storage").usage - before.resource("storage").usage in range(28, 33)
        assert imap.delete(box)[0] == "OK"


@pytest.mark.parametrize("name", ["a b", "Reçus", "R&D", "(paren)"])
def test_getquotaroot_of_awkward_names(server: Server, name: str) -> None:
    with logged_in(server) as imap:
        box = place(server, f"quota {name}")
        assert imap.create(box)[0] == "OK"
        typ, (roots, _) = imap.getquotaroot(box)
        assert typ == "OK"
        assert [root.mailbox for root in roots.parsed()] == [box]
        assert imap.delete(box)[0] == "OK"


def test_callbacks(server: Server) -> None:
    answers = Answers()
    with logged_in(server, "u08") as imap:
        commands: Any = imap
        for number in range(4):
            assert commands.getquotaroot("INBOX", callback=answers, cb_arg=number) == (None, None)
        answers.wait(*range(4))
        assert {failure for _, failure in answers.given.values()} == {None}
        assert {result[1][1].parsed()[0].name for result, _ in answers.given.values()} == {root_of(imap)}


def test_getquota(server: Server) -> None:
    with logged_in(server, "u08") as imap:
        root = root_of(imap).decode()
        if Quirk.GETQUOTA_FOR_ADMINISTRATORS in server.quirks:
            assert imap.getquota(root)[0] == "NO"
            return
        (quota,) = imap.getquota(root)[1].parsed()
        assert quota.root == root
        assert {each.name: each.limit for each in quota.resources} == LIMITS


def test_getquota_of_a_root_that_is_not_there(server: Server) -> None:
    with logged_in(server, "u08") as imap:
        typ, _ = outcome(imap.getquota, "nowhere")
        assert typ == ("OK" if Quirk.ANY_QUOTA_ROOT_EXISTS in server.quirks else "NO")
        assert imap.noop()[0] == "OK"


def test_setquota_is_refused_to_users(server: Server) -> None:
    """Cyrus then reads the refused arguments as a command, and answers BAD, which is ignored."""
    with logged_in(server, "u08") as imap:
        root = root_of(imap).decode()
        for _ in range(3):
            typ, data = imap.setquota(root, {"STORAGE": 1})
            assert typ == "NO"
            assert data[0]
        (quota,) = imap.getquotaroot("INBOX")[1][1].parsed()
        assert {each.name: each.limit for each in quota.resources} == LIMITS


def test_over_quota(server: Server) -> None:
    if "admin" in server.users:
        with administrator(server, "narrow") as imap:
            assert imap.setquota("user.narrow", {"STORAGE": 20, "MESSAGE": 3})[0] == "OK"
    with logged_in(server, "narrow") as imap:
        assert imap.append("INBOX", None, None, letter("fits"))[0] == "OK"
        refusal = too_big(imap)
        # The response code of RFC 5530 is left to the server.
        assert imap.response("OVERQUOTA")[1] == ([b""] if refusal.startswith(b"[OVERQUOTA]") else [None])
        assert b"quota" in refusal.lower()
        (quota,) = imap.getquotaroot("INBOX")[1][1].parsed()
        assert (quota.resource("STORAGE").limit, quota.resource("MESSAGE").limit) == (20, 3)


def too_big(imap: IMAP4) -> bytes:
    """How the server says that a message does not fit."""
    typ, data = imap.append("INBOX", None, None, letter("too big", "x" * 30_000))
    assert typ == "NO"
    return bytes(data[0])


def test_setquota_of_an_administrator(administered: Server) -> None:
    with administrator(administered, "u13") as imap:
        root = "user.u13"
        for limits in ({"STORAGE": 20, "MESSAGE": 3}, "(STORAGE 20 MESSAGE 3)", "STORAGE 20 MESSAGE 3"):
            assert imap.setquota(root, {})[0] == "OK"
            assert imap.getquota(root) == ("OK", [b"user.u13 ()"])
            assert imap.setquota(root, limits) == ("OK", [None])
            (quota,) = imap.getquota(root)[1].parsed()
            assert {each.name: each.limit for each in quota.resources} == {"STORAGE": 20, "MESSAGE": 3}
        assert imap.setquota(root, "(STORAGE 8000000)")[0] == "OK"
        assert imap.getquota("user.nobody")[0] == "NO"


def test_8_threads_ask_for_different_roots(administered: Server) -> None:
    users = [f"u{number:02}" for number in range(8, 12)]
    for user in users:
        with logged_in(administered, user):
            pass
    with logged_in(administered, "admin") as imap:

        def ask(thread: int) -> None:
            for turn in range(20):
                root = f"user.{users[(thread + turn) % len(users)]}"
                (quota,) = imap.getquota(root)[1].parsed()
                assert quota.root == root
                ((found,), (of_it,)) = (each.parsed() for each in imap.getquotaroot(root)[1])
                assert (found.mailbox, of_it.root) == (root, root)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(8)))
        assert not {name for name, _ in imap.untagged_responses} & {"QUOTA", "QUOTAROOT"}
