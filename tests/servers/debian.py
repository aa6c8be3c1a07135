"""Packages of a Debian suite, unpacked into a tree of their own; the machine's apt and dpkg are not touched.

apt-get runs with state, cache and sources below the cache's directory, and takes the mirror and the proxy from the
machine's configuration.  The tree has its own libc: its programs run on an older Debian, by chroot.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = "http://deb.debian.org/debian/"
# Debian's base-files brings these links, which packages of today take for granted.
MERGED = ("bin", "sbin", "lib", "lib64")
MOUNT_POINTS = ("dev", "proc", "run", "tmp", "etc")
# What tar leaves out: no program reads it.
UNREAD = ("./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/perl", "./usr/lib/*/perl")
OWN_STATE = {"State": "state", "State::status": "status", "Cache": "cache", "Etc::SourceList": "sources.list"}
NOT_READ = ("SourceParts", "Parts", "Main", "Preferences", "PreferencesParts")
PACKAGES = "packages.json"


def cache_root() -> Path:
    """Where everything that is fetched is kept: $IMAPKIT_SERVERS_ROOT, else ~/.cache/imapkit-test-servers."""
    named = os.environ.get("IMAPKIT_SERVERS_ROOT")
    return Path(named) if named else Path.home() / ".cache" / "imapkit-test-servers"


@dataclass(frozen=True)
class Bundle:
    """What is taken of one suite for one server.

    ``packages`` are taken, and of what they depend on the libraries, except those that begin with one of ``without``.
    ``programs`` are patterns; ``fetch`` fails if one of them lacks a library.  ``accounts`` go into the tree's passwd.
    """

    name: str
    suite: str
    packages: tuple[str, ...]
    programs: tuple[str, ...]
    without: tuple[str, ...] = ("libperl", "libsystemd-shared", "libclamav", "libtext-", "libfile-", "libpam-")
    accounts: tuple[tuple[str, int], ...] = ()

    @property
    def directory(self) -> Path:
        """Where the bundle is, or will be."""
        return cache_root() / self.suite / self.name

    @property
    def tree(self) -> Path:
        """The root of the unpacked packages."""
        return self.directory / "tree"

    def version(self, package: str) -> str:
        """The upstream version of a package of this bundle."""
        versions = json.loads((self.directory / PACKAGES).read_text())
        return re.sub(r"^\d+:|[+-].*$", "", versions[package])

    def missing(self) -> str | None:
        """Why the bundle is not here, telling how to get it; None when it is."""
        if (self.directory / PACKAGES).exists():
            return None
        return f"no {self.name} of Debian {self.suite} here: python3 -m tests.servers.fetch {self.name}"

    def fetch(self) -> Path:
        """Download and unpack the packages unless they are here, and return the tree; CalledProcessError if apt cannot."""
        if self.missing():
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.directory.parent) as scratch:
                whole = Path(scratch) / "whole"
                self._unpack(Apt(self.directory.parent / "apt", self.suite).download(self), whole)
                shutil.rmtree(self.directory, ignore_errors=True)
                # Only a whole tree gets its name, so that half a tree is never taken for one.
                whole.rename(self.directory)
        return self.tree

    def _unpack(self, debs: list[Path], into: Path) -> None:
        tree = into / "tree"
        for name in MERGED:
            (tree / "usr" / name).mkdir(parents=True)
            (tree / name).symlink_to(f"usr/{name}")
        for deb in debs:
            unpack(deb, tree)
        for name in MOUNT_POINTS:
            (tree / name).mkdir(exist_ok=True)
        tree.chmod(0o755)
        into.chmod(0o755)
        for path, text in self._accounts().items():
            (tree / "etc" / path).write_text(text)
        for pattern in self.programs:
            check_libraries(tree, pattern)
        versions = {deb.name.split("_")[0]: deb.name.split("_")[1].replace("%3a", ":") for deb in debs}
        (into / PACKAGES).write_text(json.dumps(versions, indent=1))

    def _accounts(self) -> dict[str, str]:
        everyone = (("root", 0), *self.accounts)
        return {
            "passwd": "".join(f"{name}:x:{number}:{number}::/:/bin/false\n" for name, number in everyone),
            "group": "".join(f"{name}:x:{number}:\n" for name, number in (*everyone, ("mail", 8))),
            "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
            "hosts": "127.0.0.1 localhost\n",
        }


class Apt:
    """apt-get for one suite, with all its files below ``directory``."""

    def __init__(self, directory: Path, suite: str) -> None:
        self.directory = directory
        for name in ("state/lists/partial", "cache/archives/partial", "debs"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / "status").touch()
        (directory / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
        (directory / "apt.conf").write_text("\n".join(self._settings()) + "\n")

    def download(self, bundle: Bundle) -> list[Path]:
        """The packages of a bundle; those that are not here are downloaded, after the lists of packages."""
        if not any((self.directory / "state/lists").glob("*_Packages*")):
            self._get("update")
        with suppress(subprocess.CalledProcessError):
            return self._download(bundle)
        # The mirror no longer has what lists of another day name.
        self._get("update")
        return self._download(bundle)

    def _download(self, bundle: Bundle) -> list[Path]:
        listed = self._get("install", "--print-uris", *bundle.packages).splitlines()
        files = [line.split()[1] for line in listed if line.startswith("'")]
        chosen = [file for file in files if self._wanted(file.split("_")[0], bundle)]
        debs = self.directory / "debs"
        absent = [file.split("_") for file in chosen if not (debs / file).exists()]
        if absent:
            self._get("download", *(f"{name}={version.replace('%3a', ':')}" for name, version, _ in absent))
        return [debs / file for file in chosen]

    @staticmethod
    def _wanted(package: str, bundle: Bundle) -> bool:
        return package in bundle.packages or (package.startswith("lib") and not package.startswith(bundle.without))

    def _get(self, *arguments: str) -> str:
        env = {**os.environ, "APT_CONFIG": str(self.directory / "apt.conf"), "LC_ALL": "C"}
        argv, debs = ["apt-get", "-qq", *arguments], self.directory / "debs"
        done = subprocess.run(argv, check=True, cwd=debs, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.stdout

    def _settings(self) -> Iterable[str]:
        """How the machine reaches its mirror, and no other of its settings."""
        dump = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
        yield from (line for line in dump.splitlines() if line.startswith("Acquire::") and "IndexTargets" not in line)
        yield from (f'Dir::{key} "{self.directory / name}";' for key, name in OWN_STATE.items())
        yield from (f'Dir::Etc::{name} "/dev/null";' for name in NOT_READ)
        yield 'Acquire::Languages "none"; Acquire::PDiffs "false";'
        # apt's own download user may not enter a directory of ours.
        yield 'APT::Install-Recommends "false"; APT::Sandbox::User "root";'


def mirror() -> str:
    """The machine's own mirror of Debian, if it has one."""
    argv = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    listed = subprocess.run(argv, capture_output=True, text=True).stdout.split()
    return next((address for address in listed if re.search(r"/debian/?$", address)), MIRROR)


def unpack(deb: Path, tree: Path) -> None:
    """Unpack a package into ``tree``, through the links that are there; CalledProcessError when it is none."""
    leave_out = [f"--exclude={pattern}" for pattern in UNREAD]
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(deb)], check=True, capture_output=True).stdout
    argv = ["tar", "-x", "-C", str(tree), "--no-same-owner", "--keep-directory-symlink", *leave_out]
    subprocess.run(argv, input=data, check=True, capture_output=True)


def loader(tree: Path) -> Path:
    """The tree's program that loads others, which takes their libraries from the directories it is given."""
    return next(path for path in sorted(tree.glob("usr/lib*/ld-linux*")))


def libraries(tree: Path) -> list[Path]:
    """The directories of the tree's libraries."""
    return sorted({path.parent for path in tree.glob("usr/lib/*/libc.so.6")})


def check_libraries(tree: Path, pattern: str) -> None:
    """Say which library a program of ``tree`` lacks, by an OSError."""
    # (Some programs find their own libraries by a path that holds only inside the tree.)
    where = ":".join(sorted({str(path.parent) for path in tree.glob("usr/lib/**/*.so*")}))
    programs = [path for path in sorted(tree.glob(pattern)) if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    if not programs:
        raise FileNotFoundError(f"no program {pattern} in {tree}")
    for program in programs:
        argv = [str(loader(tree)), "--inhibit-cache", "--library-path", where, "--list", str(program)]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode or "not found" in done.stdout:
            raise OSError(f"{program} lacks libraries: {done.stdout} {done.stderr}")
