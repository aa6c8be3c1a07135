"""getmail 6 on imapkit in place of the standard library's imaplib, against Dovecot: it does just what it does on imaplib."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.live.support import logged_in
from tests.programs.support import (
    PYTHON,
    SHIMS,
    Home,
    Mailboxes,
    Running,
    amount,
    changed,
    differences,
    fill,
    in_maildir,
    message,
    message_id,
    missing,
    on_server,
    write_sections,
)
from tests.servers.base import Server, skip_or_fail

pytestmark = pytest.mark.live

PROGRAM = "/usr/bin/getmail"
MAILBOXES = {
    "INBOX": {number: "" if number % 2 else r"\Seen" for number in range(20)},
    "With Space": dict.fromkeys(range(100, 104), ""),
    "Work/Über uns": dict.fromkeys(range(200, 206), ""),
}
EVERYWHERE = '("INBOX", "With Space", "Work/Über uns")'

Settings = Mapping[str, object]
ONLY_NEW: Settings = {"read_all": "false"}
DELETE: Settings = {"delete": "true"}


#   getmail forks, then sets its handler of SIGCHLD (signal 17, so bit 16), and only then waits for it: a child that ends
#   sooner is not noticed for a minute, with either library. So this one waits until its parent does.
DELIVER = """\
#!/bin/sh
until awk '/^State:/ { state = $2 } /^SigCgt:/ { caught = substr($2, length($2) - 4, 1) }
           END { exit !(state == "S" && caught ~ /[13579bdf]/) }' "/proc/$PPID/status"; do :; done
exec cat > "$(mktemp "$1/new/XXXXXXXX")"
"""


class Getmail:
    """getmail, on one of the two libraries, with a Maildir for what it gets."""

    def __init__(self, home: Home, server: Server) -> None:
        self.home, self.server = home, server
        for part in ("cur", "new"):
            (home.directory / "mail" / part).mkdir(parents=True)
        # A destination that does not mind being root.
        self.deliver = home.directory / "deliver"
        self.deliver.write_text(DELIVER)
        self.deliver.chmod(0o755)

    def get(
        self,
        user: str,
        retriever: Settings | None = None,
        options: Settings | None = None,
        *,
        status: int | None = 0,
        **environment: str,
    ) -> str:
        """Run it once; ``retriever`` and ``options``: settings of the sections of these names, beside or instead of the usual."""
        how: Settings = {"type": "SimpleIMAPRetriever", "mailboxes": EVERYWHERE, "record_mailbox": "false", **(retriever or {})}
        port = self.server.tls_port if "SSL" in str(how["type"]) else self.server.port
        login = {"server": "localhost", "port": port, "username": user, "password": self.server.users[user]}
        program = {"path": self.deliver, "arguments": f'("{self.home.directory}/mail",)', "allow_root_commands": "true"}
        sections: dict[str, Settings] = {
            "retriever": {**login, **how},
            "destination": {"type": "MDA_external", **program},
            "options": {"delivered_to": "false", "received": "false", "verbose": 2, **(options or {})},
        }
        rc = write_sections(self.home.directory / "getmailrc", sections)
        where = ("--getmaildir", str(self.home.directory), "--rcfile", str(rc))
        return self.home.run(PROGRAM, *where, status=status, **environment)

    def got(self) -> Mailboxes:
        """All that it has delivered so far."""
        return in_maildir(self.home.directory)


Both = tuple[Getmail, Getmail]


@pytest.fixture
def both(dovecot: Server, installed: tuple[Path, Path], tmp_path: Path) -> Both:
    """getmail on imapkit, and getmail on imaplib."""
    skip_or_fail(missing("getmail6", PROGRAM))
    libraries, cache = installed
    ours = Home(tmp_path / "ours", (SHIMS / "shim_imaplib", libraries), cache)
    return Getmail(ours, dovecot), Getmail(Home(tmp_path / "theirs", (), cache), dovecot)


@pytest.fixture
def ours(both: Both) -> Getmail:
    """getmail on imapkit."""
    return both[0]


def test_nothing_of_it_is_changed_and_it_is_imapkit_that_it_runs_on(both: Both) -> None:
    ours, theirs = both
    code = "import getmailcore._retrieverbases as b; print(b.imaplib.__file__, b.IMAP4_SSL_EXTENDED.__mro__)"
    said = ours.home.run(PYTHON, "-c", code)
    assert said.split()[0].endswith("/imapkit/as_imaplib.py")
    assert "imapkit.client.IMAP4_SSL" in said
    assert "imapkit" not in theirs.home.run(PYTHON, "-c", code)
    without = ours.get("alice", status=None, IMAPKIT_DISABLE="rev1")
    assert "imapkit" in without
    assert changed("getmail6") == []


def test_everything_and_then_only_what_is_new(both: Both, dovecot: Server) -> None:
    fill(dovecot, "alice", MAILBOXES)
    for getmail in both:
        assert "30 messages" in getmail.get("alice", options=ONLY_NEW)
    with logged_in(dovecot, "alice") as imap:
        imap.append("INBOX", None, None, b"Message-ID: <999@example.com>\r\n\r\nnew\r\n")
    for getmail in both:
        assert "1 messages" in getmail.get("alice", options=ONLY_NEW)
    got = [getmail.got() for getmail in both]
    assert differences(got[0], got[1]) == []
    assert amount(got[0]) == 31
    everything = {key: mail.content for messages in on_server(dovecot, "alice").values() for key, mail in messages.items()}
    added = b"Return-Path: <unknown>\n"
    assert {key: mail.content.removeprefix(added) for key, mail in got[0]["mail"].items()} == everything


HOW: dict[str, tuple[Settings, Settings]] = {
    "delete": ({}, DELETE),
    "search": ({"imap_search": "UNSEEN", "use_peek": "false", "mailboxes": '("INBOX",)'}, DELETE),
    "move": ({"move_on_delete": "Done"}, {**DELETE, "skip_imap_fetch_size": "true"}),
    "cram-md5": ({"use_cram_md5": "true", "use_peek": "false", "mailboxes": "ALL"}, {}),
}


@pytest.mark.parametrize("how", HOW)
def test_its_changes_on_the_server(both: Both, dovecot: Server, how: str) -> None:
    left = []
    for i, getmail in enumerate(both):
        user = f"u{2 * list(HOW).index(how) + i:02}"
        fill(dovecot, user, {**MAILBOXES, "Done": {}})
        getmail.get(user, *HOW[how])
        left.append(on_server(dovecot, user))
    assert differences(left[0], left[1]) == []
    got = [getmail.got() for getmail in both]
    assert differences(got[0], got[1]) == []
    assert amount(got[0]) == (10 if how == "search" else 30)
    assert amount(left[0]) == {"delete": 0, "search": 20}.get(how, 30)


def test_tls(ours: Getmail, dovecot: Server) -> None:
    assert dovecot.cafile is not None
    fill(dovecot, "carol", {"INBOX": {1: ""}})
    tls: Settings = {"type": "SimpleIMAPSSLRetriever", "mailboxes": '("INBOX",)'}
    stranger = Path(dovecot.cafile).with_name("other-ca.pem")
    assert "certificate" in ours.get("carol", {**tls, "ca_certs": stranger}, status=None)
    assert "certificate" in ours.get("carol", tls, status=None)
    assert amount(ours.got()) == 0
    assert "1 messages" in ours.get("carol", {**tls, "ca_certs": dovecot.cafile}, ONLY_NEW)
    assert "1 skipped" in ours.get("carol", tls, ONLY_NEW, SSL_CERT_FILE=dovecot.cafile)
    assert ours.got()["mail"].keys() == {message_id(1)}


def test_a_wrong_password(both: Both) -> None:
    for getmail in both:
        said = getmail.get("alice", {"password": "wrong"}, status=None)
        assert "credential/login error" in said
        assert "AUTHENTICATIONFAILED" in said


def test_idle(ours: Getmail, dovecot: Server) -> None:
    """getmail writes IDLE by hand, with imaplib's private functions, and waits for the socket."""
    ours.get("bob", retriever={"mailboxes": '("INBOX",)'}, options=ONLY_NEW)
    before = amount(ours.got())
    where = ("--getmaildir", str(ours.home.directory), "--rcfile", str(ours.home.directory / "getmailrc"))
    argv = (PROGRAM, *where, "--idle", "INBOX", "--verbose", "--trace")
    with ours.home.running(*argv) as running, logged_in(dovecot, "bob") as imap:
        for more in (1, 2):
            idles, arrived = partial(_idles, running, more), partial(_has, ours, before + more)
            running.until(idles)
            assert imap.append("INBOX", None, None, message(5000 + more))[0] == "OK"
            running.until(arrived)


def _idles(running: Running, times: int) -> bool:
    return running.said().count("Entering IDLE mode") >= times


def _has(getmail: Getmail, messages: int) -> bool:
    return amount(getmail.got()) >= messages
