"""Wheels of this source tree, and environments with only such a wheel and its requirements."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import importlib_metadata
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
BACKEND = "tools.trim_backend"
ELSEWHERE = Path("/")
"""A directory without modules of imapkit."""


@functools.cache
def needed(name: str) -> frozenset[str]:
    """The distributions that one needs at run time, directly and indirectly."""
    required = map(Requirement, importlib_metadata.distribution(name).requires or ())
    names = {one.name for one in required if one.marker is None or one.marker.evaluate({"extra": ""})}
    return frozenset(names.union(*map(needed, names)))


def run(
    *argv: str | Path, cwd: Path = ELSEWHERE, status: int = 0, timeout: float = 100, environ: dict[str, str] | None = None
) -> str:
    """The output of a program, which must end with ``status``, and does not inherit this environment's settings."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("IMAPKIT_", "PYTEST_", "PYTHON", "PIP_REQ"))
    }
    done = subprocess.run(
        list(map(str, argv)),
        env=kept | (environ or {}),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == status, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if status == 0 else done.stdout + done.stderr


def build(directory: Path, settings: dict[str, str] | None = None, source: Path = ROOT) -> Path:
    """Build a wheel by the backend's hook, without a slow frontend."""
    code = f"import sys; from {BACKEND} import build_wheel; print(build_wheel(sys.argv[1], eval(sys.argv[2])))"
    environ = {"PYTHONPATH": str(source)}
    return directory / run(sys.executable, "-c", code, directory, repr(settings), cwd=source, environ=environ).split()[-1]


def distribute(name: str, target: Path) -> None:
    """Copy an installed distribution to another directory."""
    for file in importlib_metadata.distribution(name).files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            place = target.joinpath(*file.parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), place)


def environment(directory: Path, wheel: Path, *more: str) -> Path:
    """Make a virtual environment with a wheel, its requirements, and the distributions ``more``. Returns its Python."""
    venv.create(directory, with_pip=False, symlinks=True)
    python = directory / "bin" / "python"
    site = directory / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    for name in {*more, *needed("imapkit").union(*map(needed, more))}:
        distribute(name, site)
    pip(python, "install", "--quiet", "--no-deps", "--no-index", "--no-compile", wheel)
    return python


def pip(python: Path, *arguments: str | Path) -> str:
    """The output of pip, run for another environment."""
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, *arguments)


def lacking(*modules: str) -> str | None:
    """The distributions to install for a test that needs these modules, which have the same names; None if none is missing."""
    missing = [name for name in modules if find_spec(name) is None]
    return f"no {' and no '.join(missing)} here: pip install 'imapkit[frozen]'" if missing else None


def tree(directory: Path, wheel: Path, *, metadata: bool = True) -> Path:
    """A directory with the modules of a wheel and of its requirements, as for packing into a program."""
    directory.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory)
    for name in needed("imapkit"):
        distribute(name, directory)
    if not metadata:
        for place in directory.glob("*.dist-info"):
            shutil.rmtree(place)
    return directory
