"""OfflineIMAP 3 on imapkit, against Dovecot: what is in the Maildirs is what is on the server, message by message."""

from __future__ import annotations

import hashlib
import re
import signal
import ssl
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from imapkit.testing import DelayProxy
from tests.live.support import SECONDS, logged_in
from tests.programs.support import (
    PYTHON,
    SHIMS,
    Home,
    Mailboxes,
    Running,
    amount,
    changed,
    differences,
    file_of,
    fill,
    in_maildir,
    message,
    message_id,
    missing,
    on_server,
    write_sections,
)
from tests.servers import socks
from tests.servers.base import Server, skip_or_fail
from tests.servers.dovecot import running

pytestmark = pytest.mark.live

PROGRAM = "/usr/bin/offlineimap"
FLAGS = ("", r"\Seen", r"\Seen \Answered", r"\Flagged", r"\Draft \Seen", r"\Answered \Flagged \Seen")


class Offline:
    """OfflineIMAP with a configuration, which makes each account a directory below ``mail``."""

    def __init__(self, home: Home, server: Server) -> None:
        self.home, self.server = home, server
        self.mail = home.directory / "mail"

    def configure(
        self,
        remote: Mapping[str, Mapping[str, object]],
        *,
        account: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        general: Mapping[str, object] | None = None,
    ) -> None:
        """An account for each name in ``remote``, with what its remote repository has beside or instead of the usual."""
        metadata, names = self.home.directory / "metadata", ",".join(remote)
        sections: dict[str, Mapping[str, object]] = {
            "general": {"metadata": metadata, "accounts": names, "ui": "basic", "fsync": "no", **(general or {})}
        }
        for user, options in remote.items():
            here, there = f"{user}-local", f"{user}-remote"
            sections[f"Account {user}"] = {
                "localrepository": here, "remoterepository": there, "utf8foldernames": "yes", **(account or {})
            }  # fmt: skip
            maildir = {"type": "Maildir", "localfolders": self.mail / user, "sep": "/"}
            sections[f"Repository {here}"] = maildir if local is None else local
            sections[f"Repository {there}"] = {**self.imap(user), **options}
        write_sections(self.home.directory / "offlineimaprc", sections)

    def imap(self, user: str) -> dict[str, object]:
        """A repository on the server, at the plain port."""
        return {
            "type": "IMAP", "remotehost": "localhost", "ipv6": "no", "remoteport": self.server.port,
            "ssl": "no", "starttls": "no", "remoteuser": user, "remotepass": self.server.users[user],
        }  # fmt: skip

    def tls(self, **options: object) -> dict[str, object]:
        """What the remote repository needs for TLS from the start."""
        return {"ssl": "yes", "remoteport": self.server.tls_port, **options}

    @property
    def command(self) -> tuple[str, ...]:
        return (PROGRAM, "-c", str(self.home.directory / "offlineimaprc"))

    def sync(self, *options: str, status: int = 0, **environment: str) -> str:
        """Run it once; returns what it said."""
        said = self.home.run(*self.command, "-o", *options, status=status, **environment)
        assert "(imapkit " in said
        return said

    def local(self, user: str) -> Mailboxes:
        """What the account's Maildirs hold."""
        return in_maildir(self.mail / user)

    def agrees(self, user: str) -> int:
        """Hold the Maildirs against the server; returns how many messages there are."""
        here, there = self.local(user), on_server(self.server, user)
        assert differences(here, there) == []
        return amount(here)


@pytest.fixture
def offline(dovecot: Server, installed: tuple[Path, Path], tmp_path: Path) -> Offline:
    """OfflineIMAP in a home of the test's own."""
    skip_or_fail(missing("offlineimap3", "/usr/share/offlineimap3/offlineimap"))
    libraries, cache = installed
    return Offline(Home(tmp_path, (SHIMS / "shim", libraries), cache), dovecot)


def some(first: int, count: int) -> dict[int, str]:
    """Numbers of messages, with all kinds of flags."""
    return {number: FLAGS[number % len(FLAGS)] for number in range(first, first + count)}


def test_nothing_of_it_is_changed_and_all_of_it_is_imapkits(offline: Offline) -> None:
    code = (
        "import sys; sys.path.insert(0, '/usr/share/offlineimap3'); import offlineimap.imaplibutil as util\n"
        "for kind in (util.WrappedIMAP4, util.WrappedIMAP4_SSL, util.IMAP4_Tunnel):\n"
        "    print(kind.fetch.__module__, *(base.__module__ for base in kind.__mro__))\n"
        "print('imaplib' in sys.modules, sys.modules['imaplib2'].__file__)"
    )
    *kinds, modules = offline.home.run(PYTHON, "-c", code).splitlines()
    assert len(kinds) == 3
    assert all({"imapkit.client", "imapkit.ext.rev1.message"} <= set(kind.split()) for kind in kinds)
    assert modules == f"False {SHIMS / 'shim' / 'imaplib2' / '__init__.py'}"
    assert changed("offlineimap3") == []


MAILBOXES = {
    "INBOX": some(0, 120),
    "With Space": some(200, 60),
    "Empty": {},
    "Work": some(300, 30),
    "Work/Über uns": some(400, 80),
    "Work/Über uns/2026": some(500, 20),
    "日本 & co": some(600, 40),
    "R&D": some(700, 10),
}


def test_hundreds_of_messages_and_then_changes_on_both_sides(offline: Offline) -> None:
    fill(offline.server, "tester", MAILBOXES)
    offline.configure({"tester": {"maxconnections": 3}})
    said = offline.sync()
    assert said.count("Copy message UID") == 360
    assert 1 < said.count("Establishing connection") <= 3
    assert offline.agrees("tester") == 360
    assert set(offline.local("tester")) == set(MAILBOXES)

    before = offline.local("tester")
    assert "message UID" not in offline.sync()
    assert differences(before, offline.local("tester")) == []

    change_the_server(offline.server)
    change_the_maildir(offline.mail / "tester")
    offline.sync()
    assert offline.agrees("tester") == 360 - 2 - 2 + 2 + 3 + 1
    after = offline.local("tester")
    assert after["INBOX"][message_id(10)].flags == {r"\Seen", r"\Flagged"}
    assert after["INBOX"][message_id(20)].flags == {r"\Answered", r"\Seen"}
    assert after["Work/New here"].keys() == {message_id(901), message_id(902)}
    assert after["Neu, nur lokal"].keys() == {message_id(911), message_id(912)}
    assert after["INBOX"].keys() >= {message_id(910)}
    assert after["With Space"].keys() >= {message_id(903)}
    gone = {"INBOX": (1, 2), "Work/Über uns": (401, 402)}
    assert not any(message_id(number) in after[name] for name, numbers in gone.items() for number in numbers)
    assert after["INBOX"][message_id(910)].content == message(910)

    assert "message UID" not in offline.sync()
    assert offline.agrees("tester") == 362


def change_the_server(server: Server) -> None:
    with logged_in(server, "tester") as imap:
        imap.create("Work/New here")
        for number, name in ((901, "Work/New here"), (902, "Work/New here"), (903, "With Space")):
            imap.append(name, r"\Seen" if number == 902 else None, None, message(number))
        imap.select("INBOX")
        assert imap.search(None, "HEADER", "Message-ID", "<10@example.com>") == ("OK", [b"11"])
        imap.store("11", "FLAGS", r"(\Seen \Flagged)")
        imap.store("2:3", "+FLAGS", r"(\Deleted)")
        imap.expunge()


def change_the_maildir(mail: Path) -> None:
    set_flags(file_of(mail / "INBOX", 20), "RS")
    for number in (401, 402):
        file_of(mail / "Work/Über uns", number).unlink()
    deliver(mail / "INBOX", 910)
    deliver(mail / "Neu, nur lokal", 911)
    deliver(mail / "Neu, nur lokal", 912)


def set_flags(file: Path, flags: str) -> None:
    file.rename(file.parent.parent / "cur" / f"{file.name.partition(':')[0]}:2,{flags}")


def deliver(maildir: Path, number: int) -> None:
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True, exist_ok=True)
    (maildir / "new" / f"{number}.here").write_bytes(message(number))


def test_two_accounts_at_once_or_one_after_the_other(offline: Offline) -> None:
    fill(offline.server, "alice", {"INBOX": some(0, 40), "Lists": some(100, 10)})
    fill(offline.server, "bob", {"INBOX": some(30, 40), "Lists/imap": some(200, 10)})
    offline.configure({"alice": {}, "bob": {"maxconnections": 2}}, general={"maxsyncaccounts": 2, "socktimeout": 30})
    offline.sync()
    assert (offline.agrees("alice"), offline.agrees("bob")) == (50, 50)
    for user in ("alice", "bob"):
        deliver(offline.mail / user / "INBOX", 80)
        set_flags(file_of(offline.mail / user / "INBOX", 60 if user == "bob" else 6), "FS")
    offline.sync("-1")
    assert (offline.agrees("alice"), offline.agrees("bob")) == (51, 51)


def test_the_same_as_with_imaplib2(offline: Offline) -> None:
    fill(offline.server, "carol", {"INBOX": some(0, 40), "Work/Über uns": some(100, 20)})
    offline.configure({"carol": {}})
    offline.sync()
    with_imapkit = offline.local("carol")
    other = Home(offline.home.directory / "other", (), offline.home.cache)
    other.directory.mkdir()
    plain = Offline(other, offline.server)
    plain.configure({"carol": {}})
    assert "imapkit" not in other.run(*plain.command, "-o")
    assert differences(with_imapkit, plain.local("carol")) == []
    assert amount(with_imapkit) == 60


@pytest.mark.parametrize("mechanism", ["LOGIN", "PLAIN", "CRAM-MD5"])
def test_each_way_to_log_in(offline: Offline, mechanism: str) -> None:
    user = {"LOGIN": "user@example.com", "PLAIN": "u00", "CRAM-MD5": "u01"}[mechanism]
    fill(offline.server, user, {"INBOX": some(0, 3)})
    offline.configure({user: {"auth_mechanisms": mechanism}})
    said = offline.sync("-d", "imap")
    assert f"Attempting {mechanism} authentication" in said
    assert offline.agrees(user) == 3
    if mechanism == "LOGIN":
        assert offline.server.users[user] not in said


def test_a_wrong_password_is_reported(offline: Offline) -> None:
    offline.configure({"u02": {"remotepass": "wrong", "auth_mechanisms": "PLAIN, LOGIN"}})
    said = offline.sync(status=1)
    assert "All authentication types failed" in said
    assert "AUTHENTICATIONFAILED" in said
    assert offline.local("u02") == {}


# TLS


def test_tls_with_a_private_authority(offline: Offline) -> None:
    fill(offline.server, "u03", {"INBOX": some(0, 30), "Big": {7: ""}})
    offline.configure({"u03": offline.tls(sslcacertfile=offline.server.cafile, maxconnections=2)})
    offline.sync()
    deliver(offline.mail / "u03" / "INBOX", 77)
    offline.sync()
    assert offline.agrees("u03") == 32


def test_a_strangers_certificate_is_refused(offline: Offline) -> None:
    assert offline.server.directory is not None
    offline.configure({"u04": offline.tls(sslcacertfile=offline.server.directory / "other-ca.pem")})
    assert "certificate of localhost" in offline.sync(status=1)
    assert offline.local("u04") == {}


@pytest.mark.parametrize("certificate", ["expired", "wrong_host"])
def test_a_bad_certificate_is_refused(offline: Offline, certificate: str) -> None:
    with running(certificate=certificate) as server:
        there = Offline(offline.home, server)
        there.configure({"u04": there.tls(sslcacertfile=server.cafile)})
        assert "certificate of localhost" in there.sync(status=1)
        assert there.local("u04") == {}


def test_a_pinned_certificate_needs_no_authority(offline: Offline) -> None:
    assert offline.server.tls_port is not None
    pem = ssl.get_server_certificate((offline.server.host, offline.server.tls_port))
    good = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    offline.configure({"u05": offline.tls(cert_fingerprint=good[:-1] + ("0" if good[-1] != "0" else "1"))})
    assert "does not match configured fingerprint" in offline.sync(status=1)
    assert offline.local("u05") == {}
    fill(offline.server, "u05", {"INBOX": some(0, 3)})
    offline.configure({"u05": offline.tls(cert_fingerprint=good)})
    offline.sync()
    assert offline.agrees("u05") == 3


def test_starttls(offline: Offline) -> None:
    assert offline.server.cafile is not None
    fill(offline.server, "u06", {"INBOX": some(0, 20)})
    offline.configure({"u06": {"starttls": "yes", "usecompression": "yes"}})
    assert "certificate of localhost" in offline.sync(status=1)
    said = offline.sync("-d", "imap", SSL_CERT_FILE=offline.server.cafile)
    assert "Using STARTTLS connection" in said
    assert offline.agrees("u06") == 20


# tunnels, compression, servers that can do less


def test_a_tunnel(offline: Offline) -> None:
    assert offline.server.stream_command is not None
    fill(offline.server, "u07", {"INBOX": some(0, 40), "Work/Über uns": some(100, 20)})
    offline.configure({"u07": {"preauthtunnel": offline.server.stream_command("u07"), "maxconnections": 2}})
    offline.sync()
    deliver(offline.mail / "u07" / "INBOX", 77)
    file_of(offline.mail / "u07" / "INBOX", 5).unlink()
    offline.sync()
    assert offline.agrees("u07") == 60


def test_a_socks_proxy(offline: Offline, tmp_path: Path) -> None:
    # OfflineIMAP needs PySocks, and nothing else of the Python that runs the tests.
    found = find_spec("socks")
    assert found is not None
    assert found.origin is not None
    (tmp_path / "pysocks").mkdir()
    (tmp_path / "pysocks" / "socks.py").symlink_to(found.origin)
    offline.home = replace(offline.home, path=(*offline.home.path, tmp_path / "pysocks"))
    fill(offline.server, "u16", {"INBOX": some(0, 40), "Work/\u00dcber uns": some(100, 20)})
    connected: list[socks.Proxy] = []
    setup = socks.Proxy.setup

    def counted(proxy: socks.Proxy) -> None:
        connected.append(proxy)
        setup(proxy)

    with socks.running() as (host, port), pytest.MonkeyPatch.context() as patch:
        patch.setattr(socks.Proxy, "setup", counted)
        account = {"proxy": f"SOCKS5:{host}:{port}"}
        offline.configure({"u16": offline.tls(sslcacertfile=offline.server.cafile)}, account=account)
        offline.sync()
        deliver(offline.mail / "u16" / "INBOX", 77)
        offline.sync()
        assert len(connected) >= 2
    assert offline.agrees("u16") == 61


@pytest.mark.parametrize("way", ["plain", "tls", "tunnel"])
def test_compression(offline: Offline, way: str) -> None:
    assert offline.server.stream_command is not None
    user = {"plain": "u08", "tls": "u09", "tunnel": "u10"}[way]
    ways: dict[str, dict[str, object]] = {
        "plain": {},
        "tls": offline.tls(sslcacertfile=offline.server.cafile),
        "tunnel": {"preauthtunnel": offline.server.stream_command(user)},
    }
    fill(offline.server, user, {"INBOX": some(0, 30)})
    offline.configure({user: {"usecompression": "yes", **ways[way]}})
    offline.sync()
    deliver(offline.mail / user / "INBOX", 77)
    said = offline.sync("-d", "imap")
    assert re.search(r"COMPRESS\b", said)
    assert offline.agrees(user) == 31


def test_a_server_without_uidplus_is_asked_for_the_uid(offline: Offline) -> None:
    assert offline.server.stream_command is not None
    limited = offline.server.stream_command("u11").replace("/imap -c", "/imap -o imap_capability=IMAP4rev1 -c")
    offline.configure({"u11": {"preauthtunnel": limited}})
    offline.sync()
    for number in (1, 2, 3):
        deliver(offline.mail / "u11" / "INBOX", number)
    assert "APPENDUID" not in offline.sync()
    there = on_server(offline.server, "u11")["INBOX"]
    assert there.keys() == {message_id(number) for number in (1, 2, 3)}
    assert all(b"\nX-OfflineIMAP: " in mail.content for mail in there.values())
    assert "message UID" not in offline.sync()


def test_only_the_messages_asked_for(offline: Offline) -> None:
    """SEARCH, LSUB, EXAMINE: only subscribed mailboxes, only small messages, and only if their number has changed."""
    fill(offline.server, "u12", {"INBOX": some(0, 20), "Lists": some(100, 5), "Not": some(200, 5)})
    with logged_in(offline.server, "u12") as imap:
        imap.unsubscribe("Not")
        imap.subscribe("INBOX")
    offline.configure({"u12": {"subscribedonly": "yes"}}, account={"maxsize": 2000})
    offline.sync()
    here, there = offline.local("u12"), on_server(offline.server, "u12")
    assert here.keys() == {"INBOX", "Lists"}
    small = {name: {key: mail for key, mail in there[name].items() if len(mail.content) < 2000} for name in here}
    assert differences(here, small) == []
    assert 15 < amount(here) < 25
    with logged_in(offline.server, "u12") as imap:
        assert imap.append("INBOX", None, None, message(50))[0] == "OK"
    assert offline.sync("-q").count("Copy message UID") == 1


def test_diagnosis_and_deleting_a_mailbox(offline: Offline) -> None:
    fill(offline.server, "u13", {"With Space": some(0, 2), "Work/Über uns": {}})
    offline.configure({"u13": {}})
    said = offline.home.run(*offline.command, "--info")
    assert "Server welcome string: b'* OK [CAPABILITY IMAP4rev1 " in said
    assert re.search(r"Server capabilities: \('IMAP4REV1', .*'UIDPLUS'", said)
    assert " Work/Über uns\n" in said
    offline.home.run(*offline.command, "--delete-folder", "With Space")
    assert on_server(offline.server, "u13").keys() == {"INBOX", "Work/Über uns"}


def test_from_one_server_to_another(offline: Offline) -> None:
    fill(offline.server, "u14", {"INBOX": some(0, 20), "Über uns": some(100, 10)})
    # Between servers it takes the names as they are; with utf8foldernames it would encode those of the local side twice.
    offline.configure({"u14": {}}, local=offline.imap("u15"), account={"utf8foldernames": "no"})
    offline.sync()
    assert differences(on_server(offline.server, "u14"), on_server(offline.server, "u15")) == []
    with logged_in(offline.server, "u15") as imap:
        imap.append("INBOX", None, None, message(50))
        imap.select("Über uns")
        imap.store("1:5", "+FLAGS", r"(\Deleted)")
        imap.expunge()
    offline.sync()
    one = on_server(offline.server, "u14")
    assert differences(one, on_server(offline.server, "u15")) == []
    assert amount(one) == 26


def test_a_connection_that_is_lost_is_made_anew(offline: Offline) -> None:
    # One mailbox, so that it is a FETCH that the loss meets: a SELECT is not tried again.
    with running() as server, DelayProxy(server.host, server.port, round_trip=0.01) as proxy:
        fill(server, "alice", {"INBOX": some(0, 40)})
        there = Offline(offline.home, server)
        there.configure({"alice": {"remotehost": proxy.host, "remoteport": proxy.port}})
        with there.home.running(*there.command, "-o") as program:
            program.until(lambda: program.said().count("Copy message UID") > 10)
            proxy.cut(reset=False)
            # It counts what it had to try again as an error.
            assert program.process.wait(SECONDS) == 1, program.said()
        assert program.said().count("Establishing connection") == 2
        assert "Retrying (1/2)" in program.said()
        assert there.agrees("alice") == 40


# IDLE


def test_idle_in_two_mailboxes_over_tls_until_it_is_told_to_end(offline: Offline) -> None:
    fill(offline.server, "u02", {"INBOX": some(0, 10), "Lists": some(100, 5)})
    # It looks for signals every 10 seconds, and refreshes after a minute: what comes sooner, comes from IDLE.
    idle = {"idlefolders": "['INBOX', 'Lists']", "sslcacertfile": offline.server.cafile}
    offline.configure({"u02": offline.tls(**idle)}, account={"autorefresh": 1})
    with offline.home.running(*offline.command, "-d", "imap,thread") as program:
        program.until(lambda: idling(program) >= 2)
        with logged_in(offline.server, "u02") as imap:
            imap.append("INBOX", None, None, message(50))
            imap.append("Lists", None, None, message(150))
            program.until(lambda: message_id(50) in offline.local("u02")["INBOX"])
            program.until(lambda: message_id(150) in offline.local("u02")["Lists"])
            program.until(lambda: idling(program) >= 4)
            before = idling(program)
            imap.select("INBOX")
            imap.store("1", "FLAGS", r"(\Seen \Flagged)")
        both = {r"\Seen", r"\Flagged"}
        program.until(lambda: offline.local("u02")["INBOX"][message_id(0)].flags == both)
        program.until(lambda: idling(program) > before)
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(SECONDS) == 0, program.said()
    assert offline.agrees("u02") == 17


def test_idle_in_one_thread_until_it_has_to_end_at_once(offline: Offline) -> None:
    fill(offline.server, "u04", {"INBOX": some(0, 10)})
    offline.configure({"u04": {"idlefolders": "['INBOX']", "usecompression": "yes"}}, account={"autorefresh": 1})
    with offline.home.running(*offline.command, "-1", "-d", "imap") as program:
        program.until(lambda: idling(program) >= 1)
        with logged_in(offline.server, "u04") as imap:
            imap.append("INBOX", None, None, message(50))
        program.until(lambda: message_id(50) in offline.local("u04")["INBOX"])
        program.until(lambda: idling(program) >= 2)
        for times in (1, 2, 3):
            program.process.send_signal(signal.SIGTERM)
            if times < 3:
                program.until(lambda times=times: program.said().count("Preparing to shutdown") == times)  # type: ignore[misc]
        assert program.process.wait(SECONDS) == 1
        assert "Signaled thrice" in program.said()
    assert offline.agrees("u04") == 11


def idling(program: Running) -> int:
    """How often it has begun to IDLE."""
    return program.said().count("Continuation(text=b'idling')")
