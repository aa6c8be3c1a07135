"""Running programs of a bundle: by chroot, in a mount namespace of their own that goes away with its last process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .base import ENVIRONMENT, ServerFailure, program
from .debian import Bundle

PROGRAMS = ("unshare", "mount", "chroot")
# $1 the tree, $2 a directory to have at the same path inside, $3 options of chroot, $4 further OUTSIDE=INSIDE directories.
# Each step replaces the process before it, so that the process that started the first one has the server's process id.
ENTER = """set -e
tree=$1 directory=$2 identity=$3 binds=$4; shift 4
for name in tmp run dev; do mount -t tmpfs tmpfs "$tree/$name"; done
chmod 1777 "$tree/tmp"
for name in null zero full random urandom; do : >"$tree/dev/$name"; mount --bind "/dev/$name" "$tree/dev/$name"; done
mkdir "$tree/dev/shm"; mount -t tmpfs tmpfs "$tree/dev/shm"; chmod 1777 "$tree/dev/shm"
ln -s /proc/self/fd "$tree/dev/fd"; ln -s /proc/self/fd/0 "$tree/dev/stdin"
mount --rbind /proc "$tree/proc"
mkdir -p "$tree$directory"; mount --bind "$directory" "$tree$directory"
for bind in $binds; do mkdir -p "$tree${bind#*=}"; mount --bind "${bind%%=*}" "$tree${bind#*=}"; done
exec chroot $identity "$tree" "$@"
"""


def missing(bundle: Bundle) -> str | None:
    """Why programs of the bundle cannot run here; None when they can."""
    if os.geteuid() != 0:
        return f"{bundle.name} runs by chroot: run the tests as root"
    lacking = next((name for name in PROGRAMS if program(name) is None), None)
    if lacking is not None:
        return f"no {lacking} here: install util-linux and coreutils"
    return bundle.missing() or _confined()


def _confined() -> str | None:
    """A container's root may be forbidden to mount."""
    argv = ["unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    done = subprocess.run(argv, capture_output=True, text=True, env=ENVIRONMENT)
    return f"this root may not mount: {done.stderr.strip()}" if done.returncode else None


def inside(
    bundle: Bundle,
    argv: Sequence[str],
    directory: Path,
    identity: tuple[int, int] | None = None,
    binds: Mapping[Path, str] | None = None,
) -> list[str]:
    """The command line that runs ``argv`` in the bundle's tree, with ``directory`` at the same path there.

    ``identity`` is the uid and gid the program gets; ``binds`` shows further directories at other paths.
    """
    whose = "--userspec=+{0}:+{1} --groups=+{1}".format(*identity) if identity else ""
    shown = " ".join(f"{outside}={within}" for outside, within in (binds or {}).items())
    enter = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", ENTER, "enter"]
    return [*enter, str(bundle.tree), str(directory), whose, shown, *argv]


def call(bundle: Bundle, argv: Sequence[str], directory: Path, given: bytes = b"") -> bytes:
    """What a program of the bundle prints; ServerFailure when it fails."""
    done = subprocess.run(inside(bundle, argv, directory), input=given, capture_output=True, env=ENVIRONMENT)
    if done.returncode:
        raise ServerFailure(f"{' '.join(argv)}: {(done.stdout + done.stderr).decode(errors='replace')}")
    return done.stdout
