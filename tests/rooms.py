"""What stands where, read from the sources' syntax trees: every import counts, in functions and under ``TYPE_CHECKING`` too."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "BRACES",
    "FOR_FAMILIES",
    "INDEX",
    "ROOMS",
    "SHIMS",
    "Import",
    "circles",
    "clocks",
    "imports",
    "misplaced",
    "modules",
    "room",
    "too_long",
    "waits",
]

BRACES = ("engine", "plugins", "transport")
"""Rooms that may not import one another, and stand beside each other."""
ROOMS = ("support", "wire", "grammar", "contract", BRACES[0], "threads", "drivers", "raw")
"""The rooms of the core: each imports itself and what stands before it. The braces stand where the first of them does."""
CORE = "imapkit.core"
SHIMS = ("imapkit.family", "imapkit.core.api", "imapkit.core.result")
"""Old names of what is elsewhere: no module of the package imports one."""
BESIDE = {"imapkit.errors": "wire", "imapkit.refusals": "wire", "imapkit._version": "support"}
"""Modules outside of the core that rooms may import, and the room beside which each stands."""
INDEX = "imapkit.ext"
"""Holds the names of the builtin families, and imports nothing: the room of plugins reads it."""
FOR_FAMILIES = ("imapkit.plugin", "imapkit.errors", "imapkit.refusals")
"""What a family imports, beside its own package."""
ONLY_FOR = {"imapkit.cli": ("imapkit.__main__",), "imapkit.testing": ("imapkit.cli",)}
"""The packages that may import those above the clients."""
BLOCKING = ("threading", "_thread", "socket", "select", "selectors", "queue", "asyncio", "signal", "concurrent")
"""What a module needs that waits, or does I/O; the engine and the rooms before it import none of these."""
CLOCKS = frozenset(("time", "monotonic", "perf_counter", "process_time", "thread_time", "sleep"))
"""Functions of the module ``time`` that say what time it is, or wait."""


class Import(NamedTuple):
    """One module that is imported, and the line."""

    module: str
    line: int


def modules(package: Path) -> dict[str, Path]:
    """The modules of a package by their names."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        dotted = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        found[dotted.removesuffix(".__init__")] = path
    return found


def imports(source: str, known: Mapping[str, object]) -> Iterator[Import]:
    """Each module that a source imports, wherever; ``from imapkit import x`` counts as ``imapkit.x`` if that is a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            assert node.module is not None
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield Import(full if full in known else node.module, node.lineno)


def room(module: str) -> str | None:
    """The room of a module; None for one that is outside of the rooms."""
    parts = module.split(".")
    return parts[2] if module.startswith(f"{CORE}.") and (parts[2] in ROOMS or parts[2] in BRACES) else BESIDE.get(module)


def _place(name: str) -> int:
    return ROOMS.index(BRACES[0] if name in BRACES else name)


def misplaced(module: str, imported: str) -> str | None:
    """What is wrong with an import of a module of the package, if anything is."""
    if imported in SHIMS and module not in SHIMS:
        return f"{imported} is an old name"
    mine, other = room(module), room(imported)
    if mine is None:
        return _above(module, imported)
    if other is None:
        inside = imported.startswith("imapkit") and imported != CORE
        return f"{imported} is above the core" if inside and not (imported == INDEX and mine == "plugins") else None
    if mine != other and _place(other) >= _place(mine):
        return f"the room {other} is not before {mine}"
    return None


def _above(module: str, imported: str) -> str | None:
    """The same for what stands above the core."""
    if module in SHIMS or not imported.startswith("imapkit"):
        return None
    if module.startswith(f"{INDEX}."):
        own = ".".join(module.split(".")[:3])
        fine = imported in FOR_FAMILIES or f"{imported}.".startswith(f"{own}.")
        return None if fine else f"{imported} is not for families"
    if module == "imapkit.plugin":
        return None if room(imported) in ROOMS[:4] else f"{imported} is not for families"
    for top, others in ONLY_FOR.items():
        if _is_in(imported, top) and not any(_is_in(module, one) for one in (top, *others)):
            return f"{imported} is above {module}"
    return None


def _is_in(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def waits(source: str, known: Mapping[str, object]) -> list[Import]:
    """The imports of a source that the engine, and what stands before it, does without."""
    return [found for found in imports(source, known) if found.module.partition(".")[0] in BLOCKING]


def clocks(source: str) -> list[int]:
    """The lines in which a source asks what time it is, or waits, by the module ``time``."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [node.lineno for alias in node.names if alias.name in CLOCKS]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found += [node.lineno] if node.value.id == "time" and node.attr in CLOCKS else []
    return found


def circles(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The sets of modules that import one another in a circle, each sorted (Tarjan's algorithm)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    open_ones: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        open_ones.append(name)
        for other in graph.get(name, ()):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in open_ones:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            at = open_ones.index(name)
            knot = open_ones[at:]
            del open_ones[at:]
            if len(knot) > 1 or name in graph.get(name, ()):
                found.append(sorted(knot))

    for name in graph:
        if name not in order:
            visit(name)
    return found


def too_long(source: str, most: int) -> list[tuple[int, str, int]]:
    """The functions of a source that have more than ``most`` lines, without decorators and docstring: line, name and length."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [(node.lineno, node.name, size) for node in nodes if (size := _lines(node)) > most]


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    size = node.end_lineno - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        assert first.end_lineno is not None
        size -= first.end_lineno - first.lineno + 1
    return size
