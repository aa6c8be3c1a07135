"""Where the programs of a Cyrus are, and how they are started: those installed here, or those of a bundle."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from . import bundles, chroot, installed_cyrus
from .base import ServerFailure, lacking, nameless, program
from .debian import Bundle

RUN_AS = "cyrus"


class Programs(Protocol):
    """The programs of one Cyrus."""

    def missing(self) -> str | None:
        """Why they cannot run here; None when they can."""

    def paths(self, directory: Path) -> dict[str, object]:
        """The directories ``common`` and ``programs`` and the user ``me``, for the configuration in ``directory``."""

    def add_account(self, arguments: Sequence[str], directory: Path, password: str) -> None:
        """Run saslpasswd2."""

    def master(self, arguments: Sequence[str], directory: Path) -> list[str]:
        """The command line of the process that starts all others."""

    def owner(self) -> tuple[int, int] | None:
        """The owner of the directory; None for the user who runs the tests."""

    def identity(self) -> tuple[int, int] | None:
        """The user that runs the command line of `master`; None for the user who runs the tests."""


class Installed:
    """cyrus-common as it is installed, for any user, and an imapd that fits."""

    COMMON = installed_cyrus.INSTALLED
    NEEDED = {"cyrmaster": "cyrus-common", "saslpasswd2": "sasl2-bin", "openssl": "openssl"}

    def missing(self) -> str | None:
        """Why they cannot run here, naming what to install; None when they can."""
        reason = lacking(self.NEEDED) or nameless()
        if reason is None and not (self.COMMON / "ctl_cyrusdb").exists():
            reason = f"no ctl_cyrusdb in {self.COMMON}: install cyrus-common"
        if reason is None and installed_cyrus.program_directory() is None:
            reason = "no Cyrus imapd here: install cyrus-imapd, or unpack it with python3 -m tests.servers.fetch cyrus"
        if reason is None and self.owner() is None and os.geteuid() == 0:
            reason = f"no user {RUN_AS} to run Cyrus as: install cyrus-common"
        return reason

    def paths(self, directory: Path) -> dict[str, object]:
        """Copies, because the user of Cyrus may not read the home directory into which it was unpacked."""
        source = installed_cyrus.program_directory()
        if source is None:
            raise ServerFailure(str(self.missing()))
        copies = directory / "programs"
        copies.mkdir()
        for name in ("imapd", "idled"):
            shutil.copy(source / name, copies)
        me = RUN_AS if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        return {"common": self.COMMON, "programs": copies, "me": me}

    def add_account(self, arguments: Sequence[str], directory: Path, password: str) -> None:
        """Run saslpasswd2."""
        argv = [str(program("saslpasswd2")), *arguments]
        done = subprocess.run(argv, input=password.encode(), capture_output=True)
        if done.returncode:
            raise ServerFailure(f"{' '.join(argv)}: {done.stderr.decode(errors='replace')}")

    def master(self, arguments: Sequence[str], directory: Path) -> list[str]:
        """The command line of the process that starts all others."""
        return [str(program("cyrmaster")), *arguments]

    def owner(self) -> tuple[int, int] | None:
        """The user that root becomes; None for an ordinary user."""
        if os.geteuid() != 0:
            return None
        try:
            entry = pwd.getpwnam(RUN_AS)
        except KeyError:
            return None
        return entry.pw_uid, entry.pw_gid

    def identity(self) -> tuple[int, int] | None:
        """The owner of the directory."""
        return self.owner()


class Unpacked:
    """A bundle's programs, for root."""

    COMMON = "/usr/lib/cyrus/bin"

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def missing(self) -> str | None:
        """Why they cannot run here, telling how to get them; None when they can."""
        return chroot.missing(self.bundle) or lacking({"openssl": "openssl"})

    def paths(self, directory: Path) -> dict[str, object]:
        """As they are in the tree."""
        return {"common": self.COMMON, "programs": self.COMMON, "me": RUN_AS}

    def add_account(self, arguments: Sequence[str], directory: Path, password: str) -> None:
        """Run saslpasswd2."""
        chroot.call(self.bundle, ["/usr/sbin/saslpasswd2", *arguments], directory, password.encode())

    def master(self, arguments: Sequence[str], directory: Path) -> list[str]:
        """The command line of the process that starts all others."""
        return chroot.inside(self.bundle, [f"{self.COMMON}/master", *arguments], directory, self.owner())

    def owner(self) -> tuple[int, int]:
        """The user of the tree's own passwd."""
        name, number = bundles.CYRUS
        assert name == RUN_AS
        return number, number

    def identity(self) -> None:
        """Root enters the tree, and becomes the owner there."""
        return
