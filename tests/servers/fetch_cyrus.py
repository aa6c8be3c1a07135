"""Unpack Debian's cyrus-imapd beside an installed dovecot-imapd, with which apt says it conflicts.

    python3 tests/servers/fetch_cyrus.py        prints the directory it is in

Wants cyrus-common installed, and takes the imapd of the same version, for they share private libraries.
Goes to $IMAPKIT_CYRUS_ROOT, else ~/.cache/imapkit-test-servers/cyrus; nothing outside is touched.  Needs no root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

INSTALLED = Path("/usr/lib/cyrus/bin")
STAMP = ".version"


def cache_root() -> Path:
    """Where an unpacked cyrus-imapd is kept."""
    named = os.environ.get("IMAPKIT_CYRUS_ROOT")
    return Path(named) if named else Path.home() / ".cache" / "imapkit-test-servers" / "cyrus"


def unpacked() -> Path:
    """Where the unpacked package has its programs."""
    return cache_root() / INSTALLED.relative_to("/")


def program_directory() -> Path | None:
    """The directory with imapd: the installed package's, else the unpacked one's, else None."""
    return next((place for place in (INSTALLED, unpacked()) if (place / "imapd").exists()), None)


def fetch() -> Path:
    """Make sure of an imapd fitting the installed cyrus-common, and return its directory; CalledProcessError if not."""
    if (INSTALLED / "imapd").exists():
        return INSTALLED
    version, root = _common_version(), cache_root()
    if not _holds(root, version):
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
            _replace(root, _unpack(Path(scratch), version))
    return unpacked()


def _common_version() -> str:
    argv = ["dpkg-query", "--show", "--showformat=${Version}", "cyrus-common"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def _holds(root: Path, version: str) -> bool:
    stamp = root / STAMP
    return stamp.exists() and stamp.read_text() == version


def _unpack(scratch: Path, version: str) -> Path:
    # apt's own download user may not enter a directory of ours.
    options = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
    argv = ["apt-get", *options, "download", f"cyrus-imapd={version}"]
    subprocess.run(argv, check=True, cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    tree = scratch / "tree"
    subprocess.run(["dpkg", "-x", str(next(scratch.glob("cyrus-imapd_*.deb"))), str(tree)], check=True)
    tree.chmod(0o755)
    (tree / STAMP).write_text(version)
    return tree


def _replace(root: Path, tree: Path) -> None:
    """The stamp comes with the tree, so half a tree is never taken for a whole one."""
    if root.exists():
        shutil.rmtree(root)
    tree.rename(root)


if __name__ == "__main__":
    try:
        print(fetch())
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"cyrus-imapd is not to be had: {error} {getattr(error, 'stderr', None) or ''}")
