"""A private Cyrus: ``.`` as the separator, mailboxes below ``INBOX``, plain and TLS ports, an administrator."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import bundles, certs
from .base import (
    AWKWARD_PASSWORD,
    CROWD,
    HOST,
    USERS,
    Server,
    foreground,
    free_ports,
    private_directory,
    render,
    wait_ready,
)
from .cyrus_programs import Installed, Programs, Unpacked
from .quirks import CYRUS as QUIRKS

REALM = "localhost"
ADMIN = "admin"
# No ``.`` and no ``@`` in names: the one separates mailbox names here, the other begins a SASL realm.
ACCOUNTS = {**USERS, ADMIN: "adminpw", "awkward": AWKWARD_PASSWORD, "narrow": "narrowpw", **CROWD}
# Cyrus writes into these and makes none of them.
DIRECTORIES = [
    "spool", "tmp",
    *(f"conf/{name}" for name in ("backup", "db", "lock", "log", "msg", "proc", "quota", "sieve", "socket", "user")),
]  # fmt: skip
_DATABASES: dict[str, bytes] = {}


@dataclass(frozen=True)
class Cyrus:
    """One release of it, by where its programs come from."""

    name: str
    programs: Programs

    def missing(self) -> str | None:
        """Why it cannot run here, telling what to do about it; None when it can."""
        return self.programs.missing()

    @contextmanager
    def running(self, certificate: str = "server") -> Iterator[Server]:
        """A private Cyrus, stopped and removed at the end; ``certificate`` as in `dovecot.running`."""
        with private_directory("cy") as directory:
            port, tls_port = free_ports(2)
            argv = self._configure(directory, port, tls_port, getattr(certs.make(directory), certificate))
            self._give_away(directory)
            log = directory / "log"
            with foreground(argv, log, self.programs.identity()) as process:
                wait_ready(process, (HOST, port), log)
                cafile = str(directory / "ca.pem")
                yield Server(
                    self.name, HOST, port, tls_port, cafile, dict(ACCOUNTS), ".", directory, None, "INBOX.", "user.", QUIRKS
                )

    def _configure(self, directory: Path, port: int, tls_port: int, pair: certs.Pair) -> list[str]:
        """Write all files; the command line that starts Cyrus on them."""
        for name in DIRECTORIES:
            (directory / name).mkdir(parents=True)
        self._add_accounts(directory / "sasldb2")
        conf, services = directory / "imapd.conf", directory / "cyrus.conf"
        values: dict[str, object] = {
            "host": HOST, "port": port, "tls_port": tls_port, "directory": directory, "conf": conf, "admin": ADMIN,
            "certificate": pair.certificate, "key": pair.key, **self.programs.paths(directory),
        }  # fmt: skip
        conf.write_text(render("imapd.conf.in", values))
        services.write_text(render("cyrus.conf.in", values))
        arguments = ["-D", "-C", str(conf), "-M", str(services), "-p", str(directory / "pid")]
        return self.programs.master(arguments, directory)

    def _add_accounts(self, database: Path) -> None:
        """The same for every server of this process, for a program that runs for each user takes longer than all else."""
        if self.name in _DATABASES:
            database.write_bytes(_DATABASES[self.name])
            return
        for name, password in ACCOUNTS.items():
            arguments = ["-p", "-c", "-f", str(database), "-u", REALM, name]
            self.programs.add_account(arguments, database.parent, password)
        _DATABASES[self.name] = database.read_bytes()

    def _give_away(self, directory: Path) -> None:
        if (owner := self.programs.owner()) is None:
            return
        for path in (directory, *directory.rglob("*")):
            os.chown(path, *owner)


CYRUS36 = Cyrus("cyrus", Installed())
CYRUS310 = Cyrus("cyrus310", Unpacked(bundles.CYRUS310))
CYRUS312 = Cyrus("cyrus312", Unpacked(bundles.CYRUS312))
