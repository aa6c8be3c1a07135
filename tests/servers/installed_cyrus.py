"""Debian's cyrus-imapd beside an installed dovecot-imapd, with which apt says it conflicts.

Wants cyrus-common installed, and takes the imapd of the same version, for they share private libraries.  Nothing
outside the cache's directory is touched.  Needs no root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import debian

INSTALLED = Path("/usr/lib/cyrus/bin")
STAMP = ".version"


def root() -> Path:
    """Where an unpacked cyrus-imapd is kept."""
    return debian.cache_root() / "cyrus"


def unpacked() -> Path:
    """Where the unpacked package has its programs."""
    return root() / INSTALLED.relative_to("/")


def program_directory() -> Path | None:
    """The directory with imapd: the installed package's, else the unpacked one's, else None."""
    return next((place for place in (INSTALLED, unpacked()) if (place / "imapd").exists()), None)


def fetch() -> Path:
    """Make sure of an imapd fitting the installed cyrus-common, and return its directory; CalledProcessError if not."""
    if (INSTALLED / "imapd").exists():
        return INSTALLED
    version = _common_version()
    if not _holds(version):
        root().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root().parent) as scratch:
            tree = _unpack(Path(scratch), version)
            shutil.rmtree(root(), ignore_errors=True)
            # The stamp comes with the tree, so half a tree is never taken for a whole one.
            tree.rename(root())
    return unpacked()


def _common_version() -> str:
    argv = ["dpkg-query", "--show", "--showformat=${Version}", "cyrus-common"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def _holds(version: str) -> bool:
    stamp = root() / STAMP
    return stamp.exists() and stamp.read_text() == version


def _unpack(scratch: Path, version: str) -> Path:
    # apt's own download user may not enter a directory of ours.
    options = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
    argv = ["apt-get", *options, "download", f"cyrus-imapd={version}"]
    subprocess.run(argv, check=True, cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    tree = scratch / "tree"
    tree.mkdir()
    debian.unpack(next(scratch.glob("cyrus-imapd_*.deb")), tree)
    tree.chmod(0o755)
    (tree / STAMP).write_text(version)
    return tree
