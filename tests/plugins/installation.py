"""A virtual environment with imapkit and the examples, each built as a wheel and installed by pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

__all__ = ["EXAMPLES", "ROOT", "Installation", "install"]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "plugins-example"

_QUIET = ("--quiet", "--disable-pip-version-check", "--no-python-version-warning")


class Installation:
    """A virtual environment whose Python cannot import from this source tree."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.python = place / "venv" / "bin" / "python"

    def project(self, name: str) -> Path:
        """A copy of a project without its sources, so that tests there import the installed package."""
        copy = self.place / name
        if not copy.exists():
            shutil.copytree(EXAMPLES / name, copy, ignore=shutil.ignore_patterns("src", "__pycache__", ".*"))
        return copy

    def run(self, *arguments: str, cwd: Path | None = None, **environ: str) -> str:
        """The output of its Python."""
        return _run([str(self.python), "-W", "error", *arguments], cwd or self.place, environ)


def install(place: Path, projects: Iterable[Path], *others: str) -> Installation:
    """Build each project as a wheel, and install them, and ``others`` from PyPI, into a new virtual environment."""
    wheels = place / "wheels"
    pip = [sys.executable, "-m", "pip", *_QUIET]
    _run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), *map(str, projects)], place)
    venv.create(place / "venv", with_pip=False, symlinks=True)
    made = Installation(place)
    _run([*pip, "--python", str(made.python), "install", "--no-compile", *map(str, sorted(wheels.glob("*.whl"))), *others], place)
    return made


def _run(argv: list[str], cwd: Path, environ: dict[str, str] | None = None) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMAPKIT_", "PYTEST_", "PYTHON"))}
    done = subprocess.run(argv, env=kept | (environ or {}), cwd=cwd, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
