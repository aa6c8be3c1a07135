"""Starting and stopping the private servers, tried on small programs instead of servers."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from . import base, bundles, chroot, debian, dovecot, fetch, installed_cyrus
from .base import HOST, ServerFailure, foreground, members, private_directory, stop, wait_ready
from .cyrus import CYRUS36
from .cyrus_programs import Installed

pytestmark = pytest.mark.live

IGNORES_SIGTERM = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
os.write(1, b"ready\\n")
signal.pause()
"""
NO_GREETING = """
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    listening.accept()[0].close()
"""


def test_stop_kills_a_whole_group_that_ignores_sigterm() -> None:
    argv = [sys.executable, "-c", IGNORES_SIGTERM]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            assert [process.stdout.readline(), process.stdout.readline()] == [b"ready\n"] * 2
            assert len(members(process.pid)) == 2
        finally:
            stop(process, 0.1)
        assert members(process.pid) == []
    assert process.returncode == -9


def test_a_process_that_ends_is_reported_with_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    argv = [sys.executable, "-c", "raise SystemExit('no such luck')"]
    with foreground(argv, log) as process, pytest.raises(ServerFailure, match="ended with status 1\nno such luck"):
        wait_ready(process, (HOST, base.free_ports(1)[0]), log)


def test_a_process_that_does_not_greet_is_given_up(tmp_path: Path) -> None:
    (port,) = base.free_ports(1)
    argv = [sys.executable, "-c", NO_GREETING, str(port)]
    with foreground(argv, tmp_path / "log") as process:
        with pytest.raises(ServerFailure, match=f"does not greet at .*{port}"):
            wait_ready(process, (HOST, port), tmp_path / "log", 0.3)
        assert process.poll() is None
    assert members(process.pid) == []


def test_free_ports_are_different_and_free() -> None:
    ports = base.free_ports(8)
    assert len(set(ports)) == 8
    for port in ports:
        socket.create_server((HOST, port)).close()


def test_an_error_says_that_no_port_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(base, "PORTS", range(port, port + 1))
        with pytest.raises(ServerFailure, match="no free port"):
            base.free_ports(1)


def test_a_private_directory_has_a_short_name_and_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 60)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with private_directory("t") as directory:
        assert len(str(directory)) < 30
        (directory / "sub").mkdir()
    assert not directory.exists()


def test_required_servers_fail_instead_of_skipping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(base.REQUIRE, raising=False)
    base.skip_or_fail(None)
    with pytest.raises(pytest.skip.Exception, match="no imapd"):
        base.skip_or_fail("no imapd")
    monkeypatch.setenv(base.REQUIRE, "1")
    base.skip_or_fail(None)
    with pytest.raises(pytest.fail.Exception, match="no imapd"):
        base.skip_or_fail("no imapd")


def test_a_missing_program_is_named_with_its_package() -> None:
    assert base.lacking({"sh": "dash"}) is None
    reason = base.lacking({"sh": "dash", "no-such-program": "some-package"})
    assert reason == "no no-such-program here: install some-package"


def test_a_template_leaves_nothing_open() -> None:
    with pytest.raises(KeyError, match="host"):
        base.render("cyrus.conf.in", dict.fromkeys(["common", "conf", "programs", "port", "tls_port"], "x"))
    values = dict.fromkeys(["host", "common", "conf", "programs", "port", "tls_port"], "x")
    assert re.findall(r"@\w+@", base.render("cyrus.conf.in", values)) == []


def test_the_unpacked_cyrus_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAPKIT_SERVERS_ROOT", str(tmp_path))
    monkeypatch.setattr(installed_cyrus, "INSTALLED", Path("/usr/lib/no-cyrus-here"))
    assert installed_cyrus.program_directory() is None
    installed_cyrus.unpacked().mkdir(parents=True)
    (installed_cyrus.unpacked() / "imapd").touch()
    assert installed_cyrus.program_directory() == tmp_path / "cyrus/usr/lib/no-cyrus-here"


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "program", lambda name: None)
    assert "apt-get install dovecot-imapd" in (dovecot.missing() or "")
    assert "cyrus-common" in (CYRUS36.missing() or "")


def test_another_dovecot_is_not_taken_for_2_3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "imap").touch()
    monkeypatch.setattr(dovecot, "lacking", lambda programs: None)
    monkeypatch.setattr(dovecot, "LIBEXEC", (tmp_path,))
    monkeypatch.setattr(dovecot, "_version", lambda: "2.4.1 (abc)")
    assert "this is 2.4.1" in (dovecot.missing() or "")
    monkeypatch.setattr(dovecot, "LIBEXEC", ())
    assert "without its imap program" in (dovecot.missing() or "")


def test_the_reason_says_how_to_unpack_imapd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ctl_cyrusdb").touch()
    monkeypatch.setattr("tests.servers.cyrus_programs.lacking", lambda programs: None)
    monkeypatch.setattr(Installed, "COMMON", tmp_path)
    monkeypatch.setattr(installed_cyrus, "program_directory", lambda: None)
    assert "python3 -m tests.servers.fetch cyrus" in (CYRUS36.missing() or "")


def test_the_reason_says_that_the_user_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert base.nameless() is None
    monkeypatch.setattr("os.geteuid", lambda: 2**31 - 7)
    assert base.nameless() == f"user {2**31 - 7} has no name: add it to /etc/passwd"


def test_a_bundle_is_not_taken_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert chroot.missing(bundles.COURIER_IMAP) == "courier runs by chroot: run the tests as root"


def test_the_reason_says_how_to_fetch_a_bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAPKIT_SERVERS_ROOT", str(tmp_path))
    assert bundles.DOVECOT24.missing() == ("no dovecot24 of Debian trixie here: python3 -m tests.servers.fetch dovecot24")
    bundles.DOVECOT24.directory.mkdir(parents=True)
    (bundles.DOVECOT24.directory / debian.PACKAGES).write_text('{"dovecot-core": "1:2.4.1+dfsg1-6+deb13u7"}')
    assert bundles.DOVECOT24.missing() is None
    assert bundles.DOVECOT24.version("dovecot-core") == "2.4.1"


def test_a_failed_fetch_is_reported_and_the_rest_is_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> Path:
        raise subprocess.CalledProcessError(100, ["apt-get"], stderr="no network")

    monkeypatch.setattr(fetch, "SOURCES", {"one": fails, "two": lambda: tmp_path})
    failures = fetch.main([])
    assert failures is not None
    assert failures.startswith("one is not to be had:")
    assert "no network" in failures
    assert capsys.readouterr().out == f"two {tmp_path}\n"
    assert fetch.main(["three"]) == "no server three: there are one, two"


def test_a_program_that_lacks_a_library_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="usr/bin/imapd"):
        debian.check_libraries(tmp_path, "usr/bin/imapd")
