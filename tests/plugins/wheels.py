"""Tiny wheels, written by hand: a module, its entry points, and metadata; pip installs each into its own directory."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Wheel", "install_apart"]


@dataclass(frozen=True)
class Wheel:
    """A distribution with one module of the same name; ``points`` are its families."""

    distribution: str
    version: str
    points: tuple[str, ...]
    source: str
    requires: str = ""

    @property
    def module(self) -> str:
        """The name of its module."""
        return self.distribution.replace("-", "_")

    def write(self, directory: Path) -> Path:
        """Write the wheel file, and return its path."""
        info = f"{self.module}-{self.version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {self.distribution}\nVersion: {self.version}\n"
        files = {
            f"{self.module}.py": self.source,
            f"{info}/METADATA": metadata + (f"Requires-Dist: {self.requires}\n" if self.requires else ""),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": "[imapkit]\n" + "".join(f"{name} = {self.module}\n" for name in self.points),
        }
        record = "".join(f"{name},{_digest(text)},{len(text.encode())}\n" for name, text in files.items())
        path = directory / f"{self.module}-{self.version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
                archive.writestr(name, text)
        return path


def install_apart(wheels: Iterable[Wheel], place: Path) -> Mapping[str, Path]:
    """Install all wheels with one run of pip; return the directory of each, by its distribution's name."""
    wheels, together = list(wheels), place / "together"
    files = [str(wheel.write(place)) for wheel in wheels]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    done = subprocess.run([*pip, "--target", str(together), *files], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return {wheel.distribution: _apart(wheel, together, place / wheel.distribution) for wheel in wheels}


def _apart(wheel: Wheel, together: Path, own: Path) -> Path:
    own.mkdir()
    for name in (f"{wheel.module}.py", f"{wheel.module}-{wheel.version}.dist-info"):
        shutil.move(together / name, own / name)
    assert (own / f"{wheel.module}-{wheel.version}.dist-info" / "INSTALLER").read_text().strip() == "pip"
    return own


def _digest(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
