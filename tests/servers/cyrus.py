"""A private Cyrus 3.6, of any user: ``.`` as the separator, mailboxes below ``INBOX``, plain and TLS ports."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import certs, fetch_cyrus
from .base import (
    AWKWARD_PASSWORD,
    CROWD,
    HOST,
    USERS,
    Server,
    ServerFailure,
    foreground,
    free_ports,
    lacking,
    nameless,
    private_directory,
    program,
    render,
    wait_ready,
)

COMMON = fetch_cyrus.INSTALLED
PROGRAMS = {"cyrmaster": "cyrus-common", "saslpasswd2": "sasl2-bin", "openssl": "openssl"}
RUN_AS = "cyrus"
REALM = "localhost"
ADMIN = "admin"
# No ``.`` and no ``@`` in names: the one separates mailbox names here, the other begins a SASL realm.
ACCOUNTS = {**USERS, ADMIN: "adminpw", "awkward": AWKWARD_PASSWORD, "narrow": "narrowpw", **CROWD}
# Cyrus writes into these and makes none of them.
DIRECTORIES = [
    "spool", "programs",
    *(f"conf/{name}" for name in ("backup", "db", "lock", "log", "msg", "proc", "quota", "sieve", "socket", "user")),
]  # fmt: skip


def missing() -> str | None:
    """Why Cyrus cannot run here, naming what to install; None when it can."""
    reason = lacking(PROGRAMS) or nameless()
    if reason is None and not (COMMON / "ctl_cyrusdb").exists():
        reason = f"no ctl_cyrusdb in {COMMON}: install cyrus-common"
    if reason is None and fetch_cyrus.program_directory() is None:
        reason = "no Cyrus imapd here: install cyrus-imapd, or unpack it with python3 tests/servers/fetch_cyrus.py"
    if reason is None and _identity() is None and os.geteuid() == 0:
        reason = f"no user {RUN_AS} to run Cyrus as: install cyrus-common"
    return reason


@contextmanager
def running(certificate: str = "server") -> Iterator[Server]:
    """A private Cyrus, stopped and removed at the end; ``certificate`` as in `dovecot.running`."""
    with private_directory("cy") as directory:
        port, tls_port = free_ports(2)
        argv = _configure(directory, port, tls_port, getattr(certs.make(directory), certificate))
        _give_away(directory)
        log = directory / "log"
        with foreground(argv, log, _identity()) as process:
            wait_ready(process, (HOST, port), log)
            cafile = str(directory / "ca.pem")
            yield Server("cyrus", HOST, port, tls_port, cafile, dict(ACCOUNTS), ".", directory, None)


def _configure(directory: Path, port: int, tls_port: int, pair: certs.Pair) -> list[str]:
    """Write all files; the command line that starts Cyrus on them."""
    for name in DIRECTORIES:
        (directory / name).mkdir(parents=True)
    _copy_programs(directory / "programs")
    for name, password in ACCOUNTS.items():
        _add_account(directory / "sasldb2", name, password)
    conf, services = directory / "imapd.conf", directory / "cyrus.conf"
    values: dict[str, object] = {
        "host": HOST, "port": port, "tls_port": tls_port, "directory": directory, "conf": conf, "common": COMMON,
        "programs": directory / "programs", "me": _user_name(), "admin": ADMIN,
        "certificate": pair.certificate, "key": pair.key,
    }  # fmt: skip
    conf.write_text(render("imapd.conf.in", values))
    services.write_text(render("cyrus.conf.in", values))
    return [str(program("cyrmaster")), "-D", "-C", str(conf), "-M", str(services), "-p", str(directory / "pid")]


def _copy_programs(directory: Path) -> None:
    """Copies, because the user Cyrus runs as may not look into the home directory of the one who unpacked it."""
    source = fetch_cyrus.program_directory()
    if source is None:
        raise ServerFailure(str(missing()))
    for name in ("imapd", "idled"):
        shutil.copy(source / name, directory)


def _add_account(database: Path, name: str, password: str) -> None:
    argv = [str(program("saslpasswd2")), "-p", "-c", "-f", str(database), "-u", REALM, name]
    done = subprocess.run(argv, input=password.encode(), capture_output=True)
    if done.returncode:
        raise ServerFailure(f"{' '.join(argv)}: {done.stderr.decode(errors='replace')}")


def _identity() -> tuple[int, int] | None:
    """Whom root becomes; None for an ordinary user, who remains who he is."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(RUN_AS)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


def _user_name() -> str:
    return RUN_AS if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def _give_away(directory: Path) -> None:
    if (identity := _identity()) is None:
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, *identity)
