"""Rules for the sources: which names the core may not contain, and which modules an import of imapkit loads.

``tests/test_rooms.py`` has the rules about imports and lengths.
"""

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
from imapkit.core.plugins.loader import builtin
from tests.rooms import FOR_FAMILIES, imports, modules

PACKAGE = Path(imapkit.__file__).parent
CORE = sorted((PACKAGE / "core").glob("**/*.py"))
MODULES = modules(PACKAGE)
ALL = sorted(PACKAGE.glob("**/*.py"))
TESTS = sorted(Path(__file__).parents[1].glob("**/*.py"))

LONGEST_FILE = 700


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@pytest.fixture(scope="module", autouse=True)
def _trees_are_forgotten() -> Iterator[None]:
    """The collector would walk through all of them in later tests."""
    yield
    tree.cache_clear()


def stdlib(imported: str) -> bool:
    return imported.partition(".")[0] in sys.stdlib_module_names


def test_the_tests_of_families_use_what_is_public() -> None:
    """What third parties have for theirs: ``imapkit.testing`` and the contract."""
    tests = [path for path in TESTS if path.is_relative_to(Path(__file__).parents[1] / "ext")]
    assert len(tests) > len(ext.INDEX)
    public = {"imapkit", "imapkit.q", "imapkit.sort", "imapkit.testing", "imapkit.ext", "pytest", *FOR_FAMILIES}
    for path in tests:
        for imported, line in imports(path.read_text(encoding="utf-8"), MODULES):
            fine = stdlib(imported) or imported in public or imported.startswith("imapkit.ext.")
            assert fine, f"{name(path)}:{line} imports {imported}"


def registered_commands() -> set[str]:
    found = {command.name for family in ext.INDEX for command in builtin(family).family.commands}
    assert "NOOP" in found
    return found


def documentation(root: ast.Module) -> set[int]:
    """The ids of the strings that are statements of their own: docstrings."""
    return {id(node.value) for node in ast.walk(root) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}


def test_the_core_names_no_command() -> None:
    known = registered_commands()
    # (It names capabilities, some of which are commands, too.)
    for path in (path for path in CORE if path.name != "implied.py"):
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


def test_no_test_file_is_too_long() -> None:
    for path in TESTS:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, path


def test_every_module_postpones_its_annotations() -> None:
    for path in ALL:
        body = tree(path).body
        code = [node for node in body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
        first = code[0] if code else None
        if first is not None:
            assert isinstance(first, ast.ImportFrom), name(path)
            assert (first.module, [alias.name for alias in first.names]) == ("__future__", ["annotations"]), name(path)


def test_every_public_name_has_a_docstring() -> None:
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


def test_these_rules_have_something_to_look_at() -> None:
    """Otherwise the rules above could not fail."""
    assert len(CORE) > 60
