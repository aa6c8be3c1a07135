"""The entry points of the installed distributions: those in directories by themselves, all others by ``importlib_metadata``.

Importing that library, and parsing every distribution with it, takes a third of the time that a program waits for its first
client. A directory on ``sys.path`` is read as quickly as it can be listed. If an entry there is unusual, or is no directory (an
archive, a finder of another kind), the library reads everything: the two ways must never differ.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from importlib.machinery import PathFinder
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from imapkit.core.plugins.loading import Source

if TYPE_CHECKING:
    import importlib_metadata

__all__ = ["Installed", "installed"]

Installed = tuple[list[Source], frozenset[str]]
"""The entry points of a group, and those of the given names that are installed distributions."""

_NORMAL = re.compile(r"[-_.]+")


class _Unusual(Exception):
    """Raised for what only the library reads."""


def installed(group: str, names: Iterable[str] = ()) -> Installed:
    """Return what is installed. Of distributions with the same name the first on ``sys.path`` counts."""
    try:
        return _plainly(group, names)
    except (_Unusual, OSError, ValueError):
        return _by_library(group, names)


def _plainly(group: str, names: Iterable[str]) -> Installed:
    found: dict[str, list[str]] = {}
    for name, place in _distributions():
        found.setdefault(name, []).append(place)
    points: list[Source] = []
    for places in found.values():
        texts = [_contents(os.path.join(place, "entry_points.txt")) for place in places]
        if any(group.encode() in text for text in texts):
            origin = _origin(places[0])
            points += [
                Source(name, value, *origin, partial(_load, value), partial(_requires, places[0]))
                for name, value in _section(group, texts[0].decode())
            ]
    return points, frozenset(name for name in names if _normalized(name) in found)


def _distributions() -> Iterator[tuple[str, str]]:
    """The name and the place of each distribution, in the order of ``sys.path``."""
    if any(hasattr(finder, "find_distributions") and not _is_standard(finder) for finder in sys.meta_path):
        raise _Unusual
    for entry in dict.fromkeys(sys.path):
        if not isinstance(entry, str) or entry.lower().rstrip("/\\").endswith(".egg"):
            raise _Unusual
        try:
            children = os.listdir(entry or ".")
        except NotADirectoryError:
            raise _Unusual from None
        except OSError:
            continue
        for child in children:
            stem, dot, kind = child.rpartition(".")
            if dot and kind.lower() in ("dist-info", "egg-info"):
                name = stem.partition("-")[0]
                if not name or kind != kind.lower():
                    raise _Unusual
                yield _normalized(name), os.path.join(entry, child)


def _is_standard(finder: Any) -> bool:
    """Whether a finder is Python's own, or the one by which ``importlib_metadata`` replaces it."""
    library = sys.modules.get("importlib_metadata")
    return finder is PathFinder or (library is not None and type(finder) is library.MetadataPathFinder)


def _normalized(name: str) -> str:
    return _NORMAL.sub("_", name).lower()


def _contents(file: str) -> bytes:
    """The bytes of a file; none if it does not exist or cannot be read."""
    try:
        with open(file, "rb", buffering=0) as opened:
            return opened.read()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
        return b""


def _section(group: str, text: str) -> Iterator[tuple[str, str]]:
    """The names and values of one section."""
    section = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, equals, value = map(str.strip, line.partition("="))
            if not equals or (section == group and not _is_reference(value)):
                raise _Unusual
            if section == group:
                yield name, value


def _is_reference(value: str) -> bool:
    """``module`` or ``module:attribute``, without extras, spaces or anything else."""
    module, colon, attribute = value.partition(":")
    names = (module + "." + attribute if colon else module).split(".")
    return value.isascii() and all(map(str.isidentifier, names))


def _origin(place: str) -> tuple[str, str]:
    """The name and the version of a distribution."""
    data = _contents(os.path.join(place, "METADATA")) or _contents(os.path.join(place, "PKG-INFO"))
    text = data.decode().replace("\r\n", "\n").replace("\r", "\n")
    fields = _fields(text.partition("\n\n")[0].rstrip("\n"))
    origin = fields.get("name", "").strip(" \t"), fields.get("version", "").strip(" \t")
    if not all(value.split() == [value] for value in origin):
        raise _Unusual
    return origin


def _fields(head: str) -> dict[str, str]:
    """The fields by name; of several with the same name the first. Folded lines are not joined."""
    fields: dict[str, str] = {}
    last = ""
    for line in head.split("\n"):
        name, colon, value = line.partition(":")
        if last and line.startswith((" ", "\t")):
            fields[last] += "\n" + line
        elif colon and name.isascii() and name.isprintable() and name.split() == [name]:
            last = name.lower()
            fields.setdefault(last, value)
        else:
            raise _Unusual
    return fields


def _load(value: str) -> Any:
    module, _, attribute = value.partition(":")
    loaded = import_module(module)
    return attrgetter(attribute)(loaded) if attribute else loaded


def _requires(place: str) -> Iterable[str]:
    import importlib_metadata

    return importlib_metadata.Distribution.at(place).requires or ()


def _by_library(group: str, names: Iterable[str]) -> Installed:
    import importlib_metadata

    points: list[Source] = []
    origins: dict[int, tuple[str, str]] = {}
    for point in importlib_metadata.entry_points(group=group):
        dist = point.dist
        # ``metadata`` reads the file at each access.
        origin = origins[id(dist)] = origins.get(id(dist)) or _origin_of(dist)
        points.append(Source(point.name, point.value, *origin, point.load, partial(_requires_of, dist)))
    return points, frozenset(name for name in names if _has_metadata(name))


def _origin_of(dist: importlib_metadata.Distribution | None) -> tuple[str, str]:
    if dist is None:
        return "an unknown distribution", ""
    metadata = dist.metadata
    return str(metadata["Name"]), str(metadata["Version"])


def _requires_of(dist: importlib_metadata.Distribution | None) -> Iterable[str]:
    return dist.requires or () if dist is not None else ()


def _has_metadata(name: str) -> bool:
    import importlib_metadata

    try:
        importlib_metadata.distribution(name)
    except importlib_metadata.PackageNotFoundError:
        return False
    return True
