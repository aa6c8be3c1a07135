"""``imapkit plugins new``: write a working plugin project from the files in ``template/any`` and ``template/KIND``."""

from __future__ import annotations

import keyword
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import imapkit
from imapkit import ext
from imapkit.core.contract.family import CONTRACT
from imapkit.core.plugins.loader import available
from imapkit.core.raw.facade import Client
from imapkit.core.raw.families import registry
from imapkit.errors import ArgumentError

__all__ = ["KINDS", "main", "names", "write"]

KINDS: Mapping[str, str] = {
    "command": "a command and the response that answers it",
    "item": "an item of FETCH and a search key",
}

LONGEST = 40
SUFFIX = ".in"
_PREFIX = re.compile(r"imapkit[-_.]", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_.][A-Za-z0-9]+)*")
_HOLE = re.compile(r"@(\w+)@")


def main(name: str, output: str, kind: str = "command") -> int:
    """Write the project and print the next steps. Returns 0; raises ``ArgumentError`` or ``OSError``, and then leaves no file."""
    meant = names(name)
    project = write(meant, Path(output), kind)
    print(f"Wrote {project}: the family {meant['family']!r} with {meant['command']}, {KINDS[kind]}. To try it:\n")
    print(f"    cd {shlex.quote(str(project))}\n    python -m venv .venv")
    if (checkout := _checkout()) is not None:
        # The plugin needs this version, which PyPI may not have: pip must find it installed.
        print(f"    .venv/bin/pip install -e {shlex.quote(f'{checkout}[testing]')}")
    print("    .venv/bin/pip install -e '.[test]'")
    print("    .venv/bin/python -m pytest\n    .venv/bin/imapkit plugins")
    return 0


def _checkout() -> Path | None:
    """The source tree that this imapkit runs from; None if it is installed as a wheel."""
    root = Path(imapkit.__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() else None


def names(name: str) -> dict[str, str]:
    """The names of the project's parts: ``family``, ``distribution``, ``module``, ``command`` ...

    Raises ``ArgumentError`` for an invalid name, or one that is taken. "imapkit-" at the start is dropped.
    """
    given = _PREFIX.sub("", name, count=1)
    if not _NAME.fullmatch(given) or len(given) > LONGEST:
        raise ArgumentError(
            f"{name!r} is no name for a plugin: up to {LONGEST} ASCII letters and digits, a letter first, words joined by - or _"
        )
    words = re.split(r"[-_.]", given.lower())
    family, title = "_".join(words), "".join(word.capitalize() for word in words)
    _check_free(family)
    command = "-".join(words).upper()
    return {
        "family": family,
        "method": family,
        "distribution": "-".join(["imapkit", *words]),
        "module": f"imapkit_{family}",
        "mixin": f"{title}Commands",
        "session": f"{title}Session",
        "selected": f"{title}Selected",
        "data": f"{title}Data",
        "constant": family.upper(),
        "rule": "-".join(words),
        # RFC 3501 section 6.5.1: the name of a command that is not standard begins with X.
        "command": command if command.startswith("X") else f"X{command}",
        "imapkit": imapkit.__version__,
        "contract": str(CONTRACT),
    }


def write(meant: Mapping[str, str], parent: Path, kind: str = "command") -> Path:
    """Write a project of one of ``KINDS`` below ``parent``, completely or not; return its directory.

    Raises ``FileExistsError`` if the directory exists.
    """
    project = parent / meant["distribution"]
    if project.exists() or project.is_symlink():
        raise FileExistsError(f"{project} exists already; nothing was written")
    parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{meant['distribution']}-", dir=parent))
    try:
        for path, text in (*_template("any"), *_template(kind)):
            file = unfinished / _filled(path, meant)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_filled(text, {**meant, "summary": KINDS[kind]}), encoding="utf-8", newline="\n")
        unfinished.chmod(0o755)
        unfinished.rename(project)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return project


def _check_free(family: str) -> None:
    """Raise ``ArgumentError`` if the name cannot be that of a family with a method of the same name."""
    why = None
    if family in ext.INDEX:
        why = "imapkit has a family with this name"
    elif homes := [home for home, methods in ext.INDEX.items() if family in methods]:
        why = f"imapkit has a method {family}(), in its family {homes[0]!r}"
    elif hasattr(Client, family) or any(hasattr(cls, family) for cls in (imapkit.Client, imapkit.Mailbox)):
        why = f"the client itself has {family!r}"
    elif homes := _typed_homes(family):
        why = f"imapkit has a typed call {family}(), in its family {homes[0]!r}"
    elif keyword.iskeyword(family):
        why = "it is a keyword of Python, and the method has the same name"
    elif sources := available().get(family):
        why = f"a family with this name is installed, from {sources[0].origin}"
    if why is not None:
        raise ArgumentError(f"{family!r} cannot be the name of a new plugin: {why}; choose another, like my-{family}")


def _typed_homes(name: str) -> list[str]:
    """The families of imapkit that have a typed call of this name."""
    typed = registry(ext.INDEX).typed
    return [side.methods[name] for side in (typed.session, typed.selected) if name in side.methods]


def _template(kind: str) -> Iterator[tuple[str, str]]:
    """The files of a kind of project, with their paths in it."""
    return _files(files("imapkit.cli") / "template" / kind, "")


def _files(folder: Traversable, within: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = str(PurePosixPath(within, entry.name))
        if entry.is_dir():
            yield from _files(entry, path)
        elif path.endswith(SUFFIX):
            yield path.removesuffix(SUFFIX), entry.read_text(encoding="utf-8")


def _filled(text: str, meant: Mapping[str, str]) -> str:
    return _HOLE.sub(lambda hole: meant[hole[1]], text)
