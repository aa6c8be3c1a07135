"""A private Courier-IMAP, of a bundle: ``.`` as the separator, mailboxes below ``INBOX``, plain and TLS ports."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import bundles, certs, chroot
from .base import (
    AWKWARD_PASSWORD,
    AWKWARD_USER,
    CROWD,
    HOST,
    USERS,
    Server,
    ServerFailure,
    accepts,
    foreground,
    free_ports,
    lacking,
    private_directory,
    program,
    wait_ready,
    wait_until,
)
from .debian import Bundle
from .quirks import COURIER as QUIRKS

ACCOUNTS = {**USERS, AWKWARD_USER: AWKWARD_PASSWORD, "narrow": "narrowpw", **CROWD}
QUOTA, NARROW = "8192000000S,1000000C", "20480S,3C"
OFFERED = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA AUTH=PLAIN IDLE"
AUTHDAEMON = "/run/courier/authdaemon"
AUTHDAEMONRC = f"""\
authmodulelist="authuserdb"
daemons=3
authdaemonvar={AUTHDAEMON}
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
"""
SETTINGS = {
    "MAILDIRPATH": "Maildir", "IMAP_CAPABILITY": OFFERED, "IMAP_CAPABILITY_TLS": OFFERED, "IMAP_KEYWORDS": "1", "IMAP_ACL": "1",
    "IMAP_USELOCKS": "1", "IMAP_SHAREDINDEXFILE": "/etc/courier/shared/index", "IMAP_IDLE_TIMEOUT": "1",
    "IMAP_TRASHFOLDERNAME": "Trash", "IMAP_UMASK": "022", "IMAP_MAILBOX_SANITY_CHECK": "0", "IMAP_STARTTLS": "YES",
    "IMAP_TLS_REQUIRED": "0", "COURIERTLS": "/usr/bin/couriertls", "TLS_VERIFYPEER": "NONE", "TLS_ALPN": "imap",
}  # fmt: skip
TCPD = ["/usr/sbin/couriertcpd", f"-address={HOST}", "-maxprocs=500", "-maxperip=500", "-nodnslookup"]
COURIERTLS = ["/usr/bin/couriertls", "-server", "-tcpd", "-user=courier"]
IMAPD = ["/usr/lib/courier/courier/imaplogin", "/usr/bin/imapd", "Maildir"]


@dataclass(frozen=True)
class Courier:
    """One release of it, by its bundle."""

    bundle: Bundle

    def missing(self) -> str | None:
        """Why it cannot run here, telling what to do about it; None when it can."""
        return chroot.missing(self.bundle) or lacking({"openssl": "openssl"})

    @contextmanager
    def running(self, certificate: str = "server") -> Iterator[Server]:
        """A private Courier, stopped and removed at the end; ``certificate`` as in `dovecot.running`."""
        with private_directory("co") as directory, ExitStack() as started:
            port, tls_port = free_ports(2)
            pair: certs.Pair = getattr(certs.make(directory), certificate)
            log = directory / "log"
            settings = SETTINGS | self._configure(directory, pair)
            inside = partial(chroot.inside, self.bundle, directory=directory, binds=self._binds(directory))
            # Each of the three is ready before the next one needs it.
            auth = started.enter_context(foreground(inside([self._helper("authdaemond")]), log))
            wait_until(lambda _: (directory / "auth/socket").exists(), "make its socket", auth, log)
            tls = inside([*TCPD, str(tls_port), *COURIERTLS, *IMAPD])
            secure = started.enter_context(foreground(tls, log, env=settings | {"IMAP_TLS": "1", "IMAP_STARTTLS": "NO"}))
            wait_until(partial(accepts, (HOST, tls_port)), "listen", secure, log)
            plain = started.enter_context(foreground(inside([*TCPD, str(port), *IMAPD]), log, env=settings))
            wait_ready(plain, (HOST, port), log)
            cafile = str(directory / "ca.pem")
            yield Server("courier", HOST, port, tls_port, cafile, dict(ACCOUNTS), ".", directory, None, "INBOX.", None, QUIRKS)

    @staticmethod
    def _binds(directory: Path) -> dict[Path, str]:
        return {directory / "etc": "/etc/courier", directory / "auth": AUTHDAEMON}

    def _helper(self, name: str) -> str:
        """The path, inside, of a program which not every release has in the same directory."""
        tree = self.bundle.tree
        return "/" + str(next(path for path in tree.glob(f"usr/lib*/**/{name}")).relative_to(tree))

    def _configure(self, directory: Path, pair: certs.Pair) -> dict[str, str]:
        """Write all files; the settings that name some of them."""
        for name in ("etc/shared", "auth", "home"):
            (directory / name).mkdir(parents=True)
        (directory / "etc/authdaemonrc").write_text(AUTHDAEMONRC)
        (directory / "etc/shared/index").touch()
        pem = directory / "imapd.pem"
        pem.touch(0o600)
        pem.write_text(pair.key.read_text() + pair.certificate.read_text())
        os.chown(pem, *bundles.COURIER[1:] * 2)
        narrow, wide = self._maildir(directory, "narrow", NARROW), self._maildir(directory, "wide", QUOTA)
        records, secrets = [], []
        for name, password in ACCOUNTS.items():
            home = directory / "home" / name
            shutil.copytree(narrow if name == "narrow" else wide, home / "Maildir")
            identity = f"uid={bundles.MAIL[1]}|gid={bundles.MAIL[1]}"
            records.append(f"{name}\t{identity}|home={home}|mail={home}/Maildir\n")
            secrets.append(f"{name}\tsystempw={_hashed(password)}\n")
        for path in (directory / "home").rglob("*"):
            os.chown(path, bundles.MAIL[1], bundles.MAIL[1])
        self._write_database(directory, "userdb", records)
        self._write_database(directory, "userdbshadow", secrets)
        return {"TLS_CERTFILE": str(pem), "TLS_TRUSTCERTS": str(directory / "ca.pem")}

    def _maildir(self, directory: Path, name: str, quota: str) -> Path:
        """An empty one, to be copied: a chroot for each user takes longer than all else."""
        path = directory / name
        chroot.call(self.bundle, ["/usr/bin/maildirmake.courier", "-q", quota, str(path)], directory)
        return path

    def _write_database(self, directory: Path, name: str, lines: list[str]) -> None:
        path = directory / "etc" / name
        argv = [self._helper("makedatprog"), "-", f"{path}.tmp", f"{path}.dat"]
        chroot.call(self.bundle, argv, directory, ("".join(lines) + ".\n").encode())


def _hashed(password: str) -> str:
    argv = [program("openssl") or "openssl", "passwd", "-6", "-stdin"]
    done = subprocess.run(argv, input=password.encode(), capture_output=True)
    if done.returncode:
        raise ServerFailure(f"{' '.join(argv)}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode().strip()


COURIER = Courier(bundles.COURIER_IMAP)
