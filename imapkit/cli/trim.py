"""``imapkit trim``: make a wheel of imapkit with the given command families only.

The families that a family requires are kept with it. The modules and entry points of the others are removed; their methods
raise ``FamilyDisabledError``. Type checkers see only the families that are kept. The build also uses this module: see
``tools/trim_backend.py``.
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
"""The parts besides families that can be left out: the command line (with its demonstration), and the test tools."""


@dataclass(frozen=True)
class Report:
    """The result: the new wheel, sizes in bytes, families, and for each family kept unasked one that requires it."""

    path: Path
    before: int
    after: int
    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    required_by: Mapping[str, str]


def main(wheel: str, keep: Iterable[str], without: Iterable[str], directory: str) -> int:
    """Trim a wheel and print a summary. Returns 0, or 1 with an error."""
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
    """Write to ``directory`` the wheel at ``path`` with the families ``keep`` and those that they require, under the same name.

    Raises ``TrimError``, and writes nothing, for an unusable wheel, an unknown name, or an existing file (unless ``overwrite``).
    ``without``: names of ``PARTS``.
    """
    whole = read(path, DISTRIBUTION)
    less, report = trimmed(whole, keep, without)
    target = directory / path.name
    if target.exists() and target.samefile(path):
        raise TrimError(f"{target} would replace the wheel that it is made from: name another directory with -o")
    write(less, target, overwrite=overwrite)
    return replace(report, path=target, before=path.stat().st_size, after=target.stat().st_size)


def trimmed(wheel: Wheel, keep: Iterable[str], without: Iterable[str] = ()) -> tuple[Wheel, Report]:
    """The smaller wheel, and a report whose sizes are set when it is written. Raises ``TrimError``."""
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
    """The families asked for, all that they require, and for each of those the first that requires it."""
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
        raise TrimError(f"{wheel.path}: the family {name!r} should be in {module}, which is missing")
    try:
        return trim_source.requires(wheel.text(path))
    except ValueError as exc:
        raise TrimError(f"{wheel.path}: {path}: cannot read which families it requires: {exc}") from exc


def _parts(wheel: Wheel, without: Iterable[str]) -> list[str]:
    asked = list(without)
    if unknown := [name for name in asked if name not in PARTS]:
        raise TrimError(f"there is no part {', '.join(map(repr, unknown))} to leave out; there are: {', '.join(sorted(PARTS))}")
    return [module for name in asked for module in PARTS[name]]


def _module(path: str) -> str | None:
    """The module of a source file, or the package of another file; None for a file outside packages."""
    place, _, name = path.rpartition("/")
    if ".dist-info" in path or not place:
        return None
    stem = name.removesuffix(".py")
    return place.replace("/", ".") if stem in (name, "__init__") else f"{place}.{stem}".replace("/", ".")


def _within(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _correct_sources(wheel: Wheel, gone: set[str]) -> None:
    """Remove the imports of removed modules from ``TYPE_CHECKING`` blocks. Raises ``TrimError`` for any other use of them."""
    hints = {"from .", *(module.rpartition(".")[0] for module in gone)}
    for path in [path for path in wheel.files if path.endswith(".py")]:
        text = wheel.text(path)
        if not any(hint in text for hint in hints):
            continue  # most files do not name them, and parsing is slow
        try:
            less = trim_source.without(text, gone)
            uses = trim_source.imported(less, _module(path) or "", package=path.endswith("/__init__.py"))
        except ValueError as exc:
            raise TrimError(f"{wheel.path}: {path} cannot do without {', '.join(sorted(gone))}: {exc}") from exc
        for line, module in uses:
            if _within(module, gone):
                raise TrimError(f"{wheel.path}: {path}:{line} needs {module}, which is to be removed")
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
