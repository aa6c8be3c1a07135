"""QUOTA, against Dovecot and Cyrus; pymap has none."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import IMAP4
from tests.live.support import Answers, letter, logged_in, place
from tests.servers.base import Server

pytestmark = pytest.mark.live

ROOT = {"dovecot": b"User quota", "cyrus": b"INBOX"}
LIMITS = {"dovecot": (8 * 1024 * 1024, 1_000_000), "cyrus": (8_000_000, 1_000_000)}


@pytest.fixture(params=["dovecot", "cyrus"])
def server(request: pytest.FixtureRequest) -> Server:
    """The servers that have quotas."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Server)
    return found


@contextmanager
def administrator(cyrus: Server, user: str) -> Iterator[IMAP4]:
    """Cyrus' administrator, once that user has mailboxes."""
    with logged_in(cyrus, user):
        pass
    with logged_in(cyrus, "admin") as imap:
        yield imap


def test_getquotaroot(server: Server) -> None:
    with logged_in(server, "u08") as imap:
        typ, data = imap.getquotaroot("INBOX")
        assert typ == "OK"
        (root,), (quota,) = (each.parsed() for each in data)
        assert (root.mailbox, root.roots) == ("INBOX", (ROOT[server.name],))
        assert quota.name == ROOT[server.name]
        assert [(each.name, each.limit) for each in quota.resources] == list(
            zip(("STORAGE", "MESSAGE"), LIMITS[server.name], strict=True)
        )
        assert not (*root.defects, *quota.defects)
        assert data == [[b"INBOX " + (b"INBOX" if server.name == "cyrus" else b'"User quota"')], quota_data(server)]
        assert not {name for name, _ in imap.untagged_responses} & {"QUOTA", "QUOTAROOT"}


def quota_data(server: Server) -> list[bytes]:
    """The QUOTA response for whoever has no messages."""
    root = b"INBOX" if server.name == "cyrus" else b'"User quota"'
    return [b"%b (STORAGE 0 %d MESSAGE 0 %d)" % (root, *LIMITS[server.name])]


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
        assert {result[1][1].parsed()[0].name for result, _ in answers.given.values()} == {ROOT[server.name]}


def test_getquota_of_dovecot(dovecot: Server) -> None:
    with logged_in(dovecot, "u08") as imap:
        assert imap.getquota("User quota") == ("OK", quota_data(dovecot))
        (root,) = imap.getquotaroot("INBOX")[1][0].parsed()
        (quota,) = imap.getquota(root.roots[0])[1].parsed()
        assert quota.root == "User quota"
        for other in ("", "user quota", "nowhere"):
            assert imap.getquota(other)[0] == "NO"


def test_setquota_is_refused_by_dovecot(dovecot: Server) -> None:
    with logged_in(dovecot, "u08") as imap:
        typ, data = imap.setquota("User quota", {"STORAGE": 1})
        assert typ == "NO"
        assert b"admin" in data[0]
        assert imap.getquota("User quota") == ("OK", quota_data(dovecot))


def test_over_quota_on_dovecot(dovecot: Server) -> None:
    with logged_in(dovecot, "narrow") as imap:
        assert imap.append("INBOX", None, None, letter("fits"))[0] == "OK"
        refusal = too_big(imap)
        assert refusal.startswith(b"[OVERQUOTA]")
        assert imap.response("OVERQUOTA") == ("OVERQUOTA", [b""])
        (quota,) = imap.getquota("User quota")[1].parsed()
        assert (quota.resource("STORAGE").limit, quota.resource("MESSAGE").limit) == (20, 3)


def too_big(imap: IMAP4) -> bytes:
    """How the server says that a message does not fit."""
    typ, data = imap.append("INBOX", None, None, letter("too big", "x" * 30_000))
    assert typ == "NO"
    return bytes(data[0])


def test_setquota_on_cyrus(cyrus: Server) -> None:
    with administrator(cyrus, "narrow") as imap:
        root = "user.narrow"
        for limits in ({"STORAGE": 20, "MESSAGE": 3}, "(STORAGE 20 MESSAGE 3)", "STORAGE 20 MESSAGE 3"):
            assert imap.setquota(root, {})[0] == "OK"
            assert imap.getquota(root) == ("OK", [b"user.narrow ()"])
            assert imap.setquota(root, limits) == ("OK", [None])
            (quota,) = imap.getquota(root)[1].parsed()
            assert {each.name: each.limit for each in quota.resources} == {"STORAGE": 20, "MESSAGE": 3}
        with logged_in(cyrus, "narrow") as narrow:
            assert narrow.append("INBOX", None, None, letter("fits"))[0] == "OK"
            assert too_big(narrow) == b"Over quota"  # Cyrus sends no response code
        assert imap.setquota(root, "(STORAGE 8000000)")[0] == "OK"
        assert imap.getquota("user.nobody")[0] == "NO"


def test_cyrus_allows_it_to_administrators_only(cyrus: Server) -> None:
    """It reads what it refused as a command, and says so: nothing comes of that."""
    with logged_in(cyrus, "u08") as imap:
        for _ in range(3):
            assert imap.setquota("INBOX", "(STORAGE 1)") == ("NO", [b"Permission denied"])
            assert imap.getquota("INBOX") == ("NO", [b"Permission denied"])
        assert imap.getquotaroot("INBOX")[1][1] == quota_data(cyrus)


def test_8_threads_ask_for_different_roots(cyrus: Server) -> None:
    users = [f"u{number:02}" for number in range(8, 12)]
    for user in users:
        with logged_in(cyrus, user):
            pass
    with logged_in(cyrus, "admin") as imap:

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
