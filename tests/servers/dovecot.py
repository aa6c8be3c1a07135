"""A private Dovecot 2.3, of any user: maildir with ``/`` as the separator, plain and TLS ports, PREAUTH by a pipe."""

from __future__ import annotations

import base64
import functools
import grp
import os
import pwd
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import certs
from .base import (
    AWKWARD_PASSWORD,
    AWKWARD_USER,
    CROWD,
    HOST,
    USERS,
    Server,
    foreground,
    free_ports,
    lacking,
    nameless,
    private_directory,
    program,
    render,
    wait_ready,
)
from .quirks import DOVECOT as QUIRKS

LIBEXEC = (Path("/usr/lib/dovecot"), Path("/usr/libexec/dovecot"))
PACKAGE = "dovecot-imapd (apt-get install dovecot-imapd)"
# Mail processes of a Dovecot started by root; any number does, it needs no passwd entry.
MAIL_ID = 5000
# Dovecot takes a client with the server's own address for secure and lets it send passwords, whatever the settings;
# Linux gives a connection to this address the source 127.0.0.1, another one.
OTHER_HOST = "127.0.0.2"
ACCOUNTS = {**USERS, AWKWARD_USER: AWKWARD_PASSWORD, "utf8": "pässwörd", "narrow": "narrowpw", **CROWD}
# A user with a small quota of its own: hardly room for two messages.
NARROW = "userdb_quota_rule=*:storage=20K:messages=3"


def missing() -> str | None:
    """Why Dovecot cannot run here, naming what to install; None when it can."""
    reason = lacking({"dovecot": PACKAGE, "openssl": "openssl"}) or nameless()
    if reason is None and _imap_program() is None:
        reason = f"dovecot is here without its imap program: install {PACKAGE}"
    if reason is None and not (version := _version()).startswith("2.3."):
        reason = f"the tests configure Dovecot 2.3, and this is {version or 'unknown'}: install 2.3"
    return reason


def _imap_program() -> Path | None:
    return next((path for place in LIBEXEC if (path := place / "imap").exists()), None)


@functools.cache
def _version() -> str:
    done = subprocess.run([program("dovecot") or "dovecot", "--version"], capture_output=True, text=True)
    return done.stdout.strip()


@contextmanager
def running(plaintext: bool = True, certificate: str = "server") -> Iterator[Server]:
    """A private Dovecot, stopped and removed at the end.

    ``plaintext=False`` advertises LOGINDISABLED on the plain port, at 127.0.0.2, until STARTTLS.  ``certificate`` is
    "server", "expired" or "wrong_host", of `certs.Certificates`.
    """
    host = HOST if plaintext else OTHER_HOST
    with private_directory("dv") as directory:
        port, tls_port = free_ports(2, host)
        listening: dict[str, object] = {"host": host, "port": port, "tls_port": tls_port}
        security = _security(getattr(certs.make(directory), certificate), plaintext)
        conf = _configure(directory, listening | security)
        argv, cafile = [str(program("dovecot")), "-F", "-c", str(conf)], str(directory / "ca.pem")
        with foreground(argv, directory / "output") as process:
            wait_ready(process, (host, port), directory / "log")
            stream = _stream(conf)
            yield Server("dovecot", host, port, tls_port, cafile, dict(ACCOUNTS), "/", directory, stream, "", "shared/", QUIRKS)


def _security(pair: certs.Pair, plaintext: bool) -> dict[str, object]:
    return {"certificate": pair.certificate, "key": pair.key, "disable_plaintext": "no" if plaintext else "yes"}


def _configure(directory: Path, values: dict[str, object]) -> Path:
    uid, gid = _mail_identity()
    prepare(directory, uid, gid, NARROW)
    conf = directory / "dovecot.conf"
    whose = {"uid": uid, "gid": gid, "identity": _identity_settings(), "me": _user_name()}
    conf.write_text(render("dovecot.conf.in", {"directory": directory, **whose, **values}), encoding="utf-8")
    return conf


def prepare(directory: Path, uid: int, gid: int, narrow: str) -> None:
    """The directories that Dovecot writes into, and its users; ``narrow`` is what gives one of them a small quota."""
    for name in ("run", "state", "home", "tmp"):
        (directory / name).mkdir()
    for name in ("home", "tmp"):
        os.chown(directory / name, uid, gid)
    more = {"narrow": narrow}
    lines = [_account(directory, name, password, uid, gid, more.get(name, "")) for name, password in ACCOUNTS.items()]
    (directory / "passwd").write_text("".join(lines), encoding="utf-8")


def _account(directory: Path, name: str, password: str, uid: int, gid: int, more: str) -> str:
    """A passwd-file line; PLAIN because CRAM-MD5 needs the password, b64 because ``:`` separates fields."""
    secret = base64.b64encode(password.encode()).decode("ascii")
    return f"{name}:{{PLAIN.b64}}{secret}:{uid}:{gid}::{directory}/home/{name}::{more}\n"


def _mail_identity() -> tuple[int, int]:
    return (MAIL_ID, MAIL_ID) if os.geteuid() == 0 else (os.geteuid(), os.getegid())


def _user_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def _identity_settings() -> str:
    """Without root nothing can change its user: every service is ours."""
    if os.geteuid() == 0:
        return ""
    group = grp.getgrgid(os.getegid()).gr_name
    return "\n".join(
        f"{setting} = {value}"
        for setting, value in {
            "default_internal_user": _user_name(),
            "default_internal_group": group,
            "default_login_user": _user_name(),
        }.items()
    )


def _stream(conf: Path) -> Callable[[str], str]:
    """The client reads standard output only, so what imap says on standard error goes to a file."""
    errors = shlex.quote(str(conf.parent / "stream"))

    def command(user: str) -> str:
        argv = ["env", "-i", "PATH=/usr/bin:/bin", f"USER={user}", str(_imap_program()), "-c", str(conf), "-u", user]
        return f"exec {shlex.join(argv)} 2>>{errors}"

    return command
