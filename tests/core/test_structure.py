"""The rules of the house, by the sources' syntax trees: who imports whom, what the core may not know, how long things are."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import imapkit
from imapkit import ext
from imapkit.core.plugins import builtin

PACKAGE = Path(imapkit.__file__).parent
CORE = sorted((PACKAGE / "core").glob("**/*.py"))
EXT = sorted(path for path in (PACKAGE / "ext").glob("**/*.py") if path.parent != PACKAGE / "ext" or path.name != "__init__.py")
ALL = sorted(PACKAGE.glob("**/*.py"))
TESTS = sorted(Path(__file__).parents[1].glob("**/*.py"))

CORE_MAY = ("imapkit.core", "imapkit.errors", "imapkit.family", "pluggy", "importlib_metadata")
FAMILY_MAY = ("imapkit.family", "imapkit.core.api", "imapkit.errors")
ENGINE = PACKAGE / "core" / "engine"
WAITING = ("threading", "_thread", "socket", "select", "selectors", "queue", "time", "asyncio", "signal", "imapkit.core.threads")
"""What a module needs that waits, or does I/O."""
INDEX_READERS = ("loading.py", "plugins.py", "registry.py")
LONGEST_FILE, LONGEST_FUNCTION = 700, 60


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


def module(path: Path) -> str:
    dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@pytest.fixture(scope="module", autouse=True)
def _trees_are_forgotten() -> Iterator[None]:
    """The collector would walk through all of them in later tests."""
    yield
    tree.cache_clear()


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Each module that is imported, wherever in the file; ``from imapkit import x`` counts as ``imapkit.x``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            assert node.module is not None
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield (full if _is_module(full) else node.module), node.lineno


def _is_module(dotted: str) -> bool:
    path = PACKAGE.parent.joinpath(*dotted.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def within(imported: str, allowed: tuple[str, ...]) -> bool:
    return any(imported == one or imported.startswith(f"{one}.") for one in allowed)


def stdlib(imported: str) -> bool:
    return imported.partition(".")[0] in sys.stdlib_module_names


def test_the_core_imports_no_family_and_nothing_foreign() -> None:
    for path in CORE:
        for imported, line in imports(path):
            if imported in ("imapkit.ext", "imapkit") and path.name in INDEX_READERS:
                continue  # the names of the builtin families (ext.INDEX), and the version
            assert stdlib(imported) or within(imported, CORE_MAY), f"{name(path)}:{line} imports {imported}"


def test_the_engine_neither_waits_nor_does_io() -> None:
    """Of what it uses, locks are in the store and in what hides secrets: other threads look into those."""
    files = [path for path in CORE if path.is_relative_to(ENGINE)]
    assert len(files) > 8
    for path in files:
        for imported, line in imports(path):
            assert not within(imported, WAITING), f"{name(path)}:{line} imports {imported}"


def test_of_ext_the_core_reads_the_index_and_the_name_only() -> None:
    for path in (path for path in CORE if path.name in INDEX_READERS):
        used = {
            node.attr
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ext"
        }
        assert used <= {"INDEX", "__name__"}, name(path)


def own_package(path: Path) -> str:
    """The family that a file of ``ext`` belongs to."""
    return f"imapkit.ext.{path.relative_to(PACKAGE / 'ext').parts[0].removesuffix('.py')}"


def test_a_family_imports_the_narrow_interface_only() -> None:
    for path in EXT:
        allowed = (*FAMILY_MAY, own_package(path))
        for imported, line in imports(path):
            assert stdlib(imported) or within(imported, allowed), f"{name(path)}:{line} imports {imported}"


def test_the_tests_of_families_use_what_is_public() -> None:
    """What third parties have for theirs: ``imapkit.testing`` and the contract."""
    tests = [path for path in TESTS if path.is_relative_to(Path(__file__).parents[1] / "ext")]
    assert len(tests) > len(ext.INDEX)
    public = {"imapkit", "imapkit.testing", "imapkit.ext", "pytest", *FAMILY_MAY}
    for path in tests:
        for imported, line in imports(path):
            fine = stdlib(imported) or imported in public or within(imported, ("imapkit.ext",))
            assert fine, f"{name(path)}:{line} imports {imported}"


def registered_commands() -> set[str]:
    found = {command.name for family in ext.INDEX for command in builtin(family).family.commands}
    assert "NOOP" in found
    return found


def documentation(root: ast.Module) -> set[int]:
    """The ids of the strings that are statements of their own: docstrings."""
    return {id(node.value) for node in ast.walk(root) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}


def test_the_core_knows_no_command() -> None:
    known = registered_commands()
    for path in CORE:
        root = tree(path)
        docs = documentation(root)
        for node in ast.walk(root):
            if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and id(node) not in docs:
                value = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
                assert value not in known, f"{name(path)}:{node.lineno} is the command {value!r}"
                assert (
                    not known & set(value.split())
                    or " a STORE item" in value
                    or " FETCH item" in value
                    or " STATUS item" in value
                ), f"{name(path)}:{node.lineno} names a command: {value!r}"


def test_no_file_is_too_long() -> None:
    for path in (*ALL, *TESTS):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, path


def statements(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function, without its decorators and docstring."""
    assert node.end_lineno is not None
    size = node.end_lineno - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        assert first.end_lineno is not None
        size -= first.end_lineno - first.lineno + 1
    return size


def test_no_function_is_too_long() -> None:
    for path in ALL:
        for node in ast.walk(tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert statements(node) <= LONGEST_FUNCTION, f"{name(path)}:{node.lineno} {node.name}"


def test_every_annotation_is_late() -> None:
    for path in ALL:
        body = tree(path).body
        code = [node for node in body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
        first = code[0] if code else None
        if first is not None:
            assert isinstance(first, ast.ImportFrom), name(path)
            assert (first.module, [alias.name for alias in first.names]) == ("__future__", ["annotations"]), name(path)


def test_every_public_thing_has_a_docstring() -> None:
    for path in ALL:
        assert ast.get_docstring(tree(path)) or not tree(path).body, f"{name(path)} has no docstring"
        for node in tree(path).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_") and not is_overload(node):
                assert ast.get_docstring(node), f"{name(path)}:{node.lineno} {node.name} has no docstring"


def is_overload(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it is a signature only; the function itself follows."""
    return any(isinstance(decorator, ast.Name) and decorator.id == "overload" for decorator in node.decorator_list)


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent, timeout=30
    )
    return set(done.stdout.split())


HEAVY = {"ssl", "zlib", "hmac", "asyncio", "email", "_ssl"}


def test_importing_imapkit_loads_nothing_heavy_and_no_family() -> None:
    loaded = loaded_by("import imapkit") - loaded_by("pass")
    assert not loaded & HEAVY
    assert not {one for one in loaded if one.startswith(("imapkit.ext.", "imapkit.client", "imapkit.core."))}


def test_a_client_without_tls_loads_no_ssl() -> None:
    loaded = loaded_by("import imapkit; imapkit.IMAP4.noop")
    assert not loaded & {
        "ssl",
        "_ssl",
        "hmac",
        "asyncio",
        "importlib_metadata",
        "importlib.metadata",
        "email",
        "zipfile",
        "logging",
    }


def test_the_core_knows_what_it_promises() -> None:
    """The rules above look at something."""
    assert len(CORE) > 15
    assert len(EXT) >= 5
    assert module(CORE[0]).startswith("imapkit.core")
