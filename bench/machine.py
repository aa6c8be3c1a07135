"""The machine that the figures come from, and the version of every program that takes part."""

from __future__ import annotations

import json
import os
import platform
import shutil
import ssl
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["machine"]

_PEERS = ("imaplib2", "IMAPClient", "aioimaplib", "imap-tools")


def machine(modules: Path | None) -> dict[str, str]:
    """By name; ``modules`` is where imapflow is."""
    found = {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {_release()} {platform.machine()}",
        "Python (and imaplib)": f"{platform.python_implementation()} {platform.python_version()}, {ssl.OPENSSL_VERSION}",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }
    found |= {name: installed for name in ("imapkit", *_PEERS) if (installed := _installed(name))}
    if modules is not None:
        manifest = json.loads((modules / "node_modules" / "imapflow" / "package.json").read_text())
        found["imapflow"] = f"{manifest['version']} on Node {_said('node', '--version')}"
    dovecot = _said("dovecot", "--version")
    return found | ({"Dovecot": dovecot} if dovecot else {})


def _release() -> str:
    """The kernel's two numbers, without the machine's own suffix."""
    return ".".join(platform.release().split(".")[:2])


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _said(*argv: str) -> str:
    program = shutil.which(argv[0], path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        return ""
    return subprocess.run([program, *argv[1:]], capture_output=True, text=True).stdout.strip().partition("\n")[0]
