"""A private Dovecot 2.4, of a bundle: maildir with ``/`` as the separator, plain and TLS ports, PREAUTH by a pipe."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import bundles, certs, chroot
from .base import ENVIRONMENT, HOST, Server, foreground, free_ports, lacking, private_directory, render, wait_ready
from .debian import Bundle
from .dovecot import ACCOUNTS, MAIL_ID, OTHER_HOST, prepare
from .quirks import DOVECOT as QUIRKS

NARROW = "userdb_quota/user/storage_size=20K userdb_quota/user/message_count=3"


@dataclass(frozen=True)
class Dovecot24:
    """One release of it, by its bundle."""

    bundle: Bundle

    def missing(self) -> str | None:
        """Why it cannot run here, telling what to do about it; None when it can."""
        return chroot.missing(self.bundle) or lacking({"openssl": "openssl"})

    @contextmanager
    def running(self, certificate: str = "server", plaintext: bool = True) -> Iterator[Server]:
        """A private Dovecot, stopped and removed at the end; the arguments are those of `dovecot.running`."""
        host = HOST if plaintext else OTHER_HOST
        with private_directory("dv") as directory:
            port, tls_port = free_ports(2, host)
            pair: certs.Pair = getattr(certs.make(directory), certificate)
            values: dict[str, object] = {
                "host": host, "port": port, "tls_port": tls_port, "cleartext": "yes" if plaintext else "no",
                "certificate": pair.certificate, "key": pair.key,
            }  # fmt: skip
            conf = self._configure(directory, values)
            argv = chroot.inside(self.bundle, ["/usr/sbin/dovecot", "-F", "-c", str(conf)], directory)
            with foreground(argv, directory / "output") as process:
                wait_ready(process, (host, port), directory / "log")
                cafile, stream = str(directory / "ca.pem"), self._stream(conf)
                yield Server(
                    self.bundle.name, host, port, tls_port, cafile, dict(ACCOUNTS), "/", directory, stream, "", "shared/", QUIRKS
                )

    def _configure(self, directory: Path, values: dict[str, object]) -> Path:
        prepare(directory, MAIL_ID, MAIL_ID, NARROW)
        conf = directory / "dovecot.conf"
        whose = {"id": MAIL_ID, "version": self.bundle.version("dovecot-core")}
        conf.write_text(render("dovecot24.conf.in", {"directory": directory, **whose, **values}), encoding="utf-8")
        return conf

    def _stream(self, conf: Path) -> Callable[[str], str]:
        """The client reads standard output only, so what imap says on standard error goes to a file."""
        errors = shlex.quote(str(conf.parent / "stream"))

        def command(user: str) -> str:
            imap = ["/usr/lib/dovecot/imap", "-c", str(conf), "-u", user]
            clean = ["env", "-i", f"PATH={ENVIRONMENT['PATH']}", f"USER={user}"]
            argv = [*clean, *chroot.inside(self.bundle, imap, conf.parent)]
            return f"exec {shlex.join(argv)} 2>>{errors}"

        return command


DOVECOT24 = Dovecot24(bundles.DOVECOT24)
