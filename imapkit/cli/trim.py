"""``imapkit trim``: a wheel of imapkit with just the command families that are asked for.

What a family requires is kept with it. The other families go, modules and entry points both; the methods they had
still raise ``FamilyDisabledError``. Type checkers see what is there. The build uses this too: see ``tools/trim_backend.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from imapkit.cli import trim_source
from imapkit.cli.trim_wheel import TrimError, Wheel, entry_points, read, write
from imapkit.core.support.shown import shown

__all__ = ["PARTS", "Report", "TrimError", "main", "names", "trim", "trimmed"]

DISTRIBUTION = GROUP = "imapkit"
PARTS: Mapping[str, tuple[str, ...]] = {
    "cli": ("imapkit.cli", "imapkit.__main__"),
    "testing": ("imapkit.testing",),
}
"""What else can be left out: the command line (with its demonstration), and the tools for tests."""


@dataclass(frozen=True)
class Report:
    """What was done: the wheel that was written, sizes in bytes, families, and which of them required the rest."""

    path: Path
    before: int
    after: int
    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    required_by: Mapping[str, str]


def main(wheel: str, keep: Iterable[str], without: Iterable[str], directory: str) -> int:
    """Trim a wheel and say what became of it. Returns 0, or 1 if it cannot be done."""
    try:
        report = trim(Path(wheel), names(keep), without=names(without), directory=Path(directory))
    except TrimError as exc:
        print(f"imapkit trim: {exc}", file=sys.stderr)
        return 1
    for family, asking in report.required_by.items():
        print(shown(f"{family} is kept too: {asking} requires it"))
    print(shown(f"kept:     {' '.join(report.kept)}"))
    print(shown(f"left out: {' '.join(report.left_out) or 'nothing'}"))
    print(f"{report.path}: {report.after} bytes, {report.before} before")
    return 0


def names(given: str | Iterable[str]) -> list[str]:
    """The names in lists such as ``"rev1,idle"``."""
    texts = [given] if isinstance(given, str) else given
    return list(dict.fromkeys(name for text in texts for part in text.split(",") if (name := part.strip())))


def trim(path: Path, keep: Iterable[str], *, without: Iterable[str] = (), directory: Path, overwrite: bool = False) -> Report:
    """Write to ``directory`` the wheel at ``path`` with the families ``keep`` and what they require, under the same name.

    ``without``: names of ``PARTS``. Raises ``TrimError`` for a wheel or a name that will not do, and for a file that is
    there already (unless ``overwrite``); nothing is written then.
    """
    whole = read(path, DISTRIBUTION)
    less, report = trimmed(whole, keep, without)
    target = directory / path.name
    if target.exists() and target.samefile(path):
        raise TrimError(f"{target} would take the place of what it is made from: say where else with -o")
    write(less, target, overwrite=overwrite)
    return replace(report, path=target, before=path.stat().st_size, after=target.stat().st_size)


def trimmed(wheel: Wheel, keep: Iterable[str], without: Iterable[str] = ()) -> tuple[Wheel, Report]:
    """The wheel that is left; sizes are known once it is written. Raises ``TrimError``."""
    points = entry_points(wheel)
    families = points.get(GROUP, {})
    kept, required_by = _closure(wheel, families, list(keep))
    left_out = {name: module for name, module in families.items() if name not in kept}
    gone = {*left_out.values(), *_parts(wheel, without)}
    files = {path: data for path, data in wheel.files.items() if not _within(_module(path) or "", gone)}
    less = replace(wheel, files=files)
    _correct_sources(less, gone)
    _correct_entry_points(less, points, gone)
    return less, Report(wheel.path, 0, 0, tuple(sorted(kept)), tuple(sorted(left_out)), required_by)


def _closure(wheel: Wheel, families: Mapping[str, str], asked: list[str]) -> tuple[set[str], dict[str, str]]:
    """The families asked for with all that they require, and of each of those which one asked first."""
    if not asked:
        raise TrimError(f"name the families to keep; {wheel.path} has: {', '.join(sorted(families))}")
    if unknown := [name for name in asked if name not in families]:
        there = ", ".join(sorted(families)) or "none"
        raise TrimError(f"there is no family {', '.join(map(repr, unknown))} in {wheel.path}; there are: {there}")
    required_by: dict[str, str] = {}
    todo = list(asked)
    for name in todo:
        for needed in _requires(wheel, name, families[name]):
            if needed not in families:
                raise TrimError(f"{name!r} requires the family {needed!r}, which {wheel.path} does not have")
            if needed not in todo:
                required_by[needed] = name
                todo.append(needed)
    return set(todo), required_by


def _requires(wheel: Wheel, name: str, module: str) -> tuple[str, ...]:
    place = module.replace(".", "/")
    path = next((path for path in (f"{place}.py", f"{place}/__init__.py") if path in wheel.files), None)
    if path is None:
        raise TrimError(f"{wheel.path}: the family {name!r} should be in {module}, which is not there")
    try:
        return trim_source.requires(wheel.text(path))
    except ValueError as exc:
        raise TrimError(f"{wheel.path}: {path}: it cannot be read what it requires: {exc}") from exc


def _parts(wheel: Wheel, without: Iterable[str]) -> list[str]:
    asked = list(without)
    if unknown := [name for name in asked if name not in PARTS]:
        raise TrimError(f"there is no part {', '.join(map(repr, unknown))} to leave out; there are: {', '.join(sorted(PARTS))}")
    return [module for name in asked for module in PARTS[name]]


def _module(path: str) -> str | None:
    """The module that a file is, or the package that it lies in; None for what is no part of a package."""
    place, _, name = path.rpartition("/")
    if ".dist-info" in path or not place:
        return None
    stem = name.removesuffix(".py")
    return place.replace("/", ".") if stem in (name, "__init__") else f"{place}.{stem}".replace("/", ".")


def _within(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _correct_sources(wheel: Wheel, gone: set[str]) -> None:
    """Take what is gone out of what type checkers are told; nothing else may still need it."""
    hints = {"from .", *(module.rpartition(".")[0] for module in gone)}
    for path in [path for path in wheel.files if path.endswith(".py")]:
        text = wheel.text(path)
        if not any(hint in text for hint in hints):
            continue  # most files say nothing of them, and parsing takes its time
        try:
            less = trim_source.without(text, gone)
            uses = trim_source.imported(less, _module(path) or "", package=path.endswith("/__init__.py"))
        except ValueError as exc:
            raise TrimError(f"{wheel.path}: {path} does not go without {', '.join(sorted(gone))}: {exc}") from exc
        for line, module in uses:
            if _within(module, gone):
                raise TrimError(f"{wheel.path}: {path}:{line} needs {module}, which is to go")
        if less != text:
            wheel.files[path] = less.encode()


def _correct_entry_points(wheel: Wheel, points: Mapping[str, Mapping[str, str]], gone: set[str]) -> None:
    left = {
        group: {name: value for name, value in those.items() if not _within(value.partition(":")[0].strip(), gone)}
        for group, those in points.items()
    }
    sections = (
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in those.items()) for group, those in left.items() if those
    )
    wheel.files[f"{wheel.info}/entry_points.txt"] = "\n".join(sections).encode()
