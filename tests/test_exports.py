"""The public names, what importing them costs, and the static twin of the client classes."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import imapkit
from imapkit import ext
from imapkit.core.plugins.registry import Registry
from imapkit.testing import load_only

ROOT = Path(__file__).parents[1]
CLIENT = ROOT / "imapkit" / "client.py"
PUBLIC_MODULES = [
    f"imapkit.{name}"
    for name in (
        "as_imaplib",
        "client",
        "compat",
        "core.api",
        "core.result",
        "errors",
        "family",
        "plugin",
        "refusals",
        "testing",
    )
]


def builtin() -> Registry:
    """All builtin families, whatever is switched off."""
    return load_only(*ext.INDEX)


def test_all_is_complete_and_unique() -> None:
    assert len(set(imapkit.__all__)) == len(imapkit.__all__)
    assert {*imapkit._HOME, "__version__"} == set(imapkit.__all__)


def test_every_name_is_there() -> None:
    for name in imapkit.__all__:
        home = imapkit._HOME.get(name, "imapkit")
        assert getattr(imapkit, name) is getattr(import_module(home), name)
        assert name in dir(imapkit)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        imapkit.no_such_name  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((ROOT / "imapkit" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == imapkit._HOME


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_all_of_the_modules(name: str) -> None:
    module = import_module(name)
    assert len(set(module.__all__)) == len(module.__all__)
    assert [public for public in module.__all__ if not hasattr(module, public)] == []


def loaded(code: str) -> set[str]:
    """The modules that are there after ``code`` has run in a new interpreter."""
    shown = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{shown}"],
                          capture_output=True, text=True, timeout=30, check=True)  # fmt: skip
    return set(done.stdout.split())


def test_import_imapkit_is_cheap() -> None:
    got = loaded("import imapkit")
    assert "imapkit" in got
    assert not {name for name in got if name.startswith("imapkit.")}
    assert not got & {"ssl", "zlib", "hmac", "pluggy", "importlib_metadata", "subprocess", "socket"}


def test_a_plain_client_needs_no_ssl() -> None:
    got = loaded("from imapkit import IMAP4; IMAP4.noop")
    assert "imapkit.ext.rev1" in got
    assert not got & {"ssl", "hmac"}


def static_bases() -> list[str]:
    """The bases of ``_Preloaded`` as a type checker sees it."""
    tree = ast.parse(CLIENT.read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.orelse]
    (twin,) = [node for node in block.body if isinstance(node, ast.ClassDef)]
    assert twin.name == "_Preloaded"
    return [base.id for base in twin.bases if isinstance(base, ast.Name)]


def test_the_static_twin_has_the_builtin_mixins() -> None:
    *bases, last = static_bases()
    assert last == "Client"
    assert sorted(bases) == sorted(mixin.__name__ for mixin in builtin().mixins)
    assert len(set(bases)) == len(bases)


def test_the_index_of_methods_is_right() -> None:
    methods: dict[str, set[str]] = {name: set() for name in ext.INDEX}
    for method, family in builtin().methods.items():
        methods[family].add(method)
    assert methods == {name: set(listed) for name, listed in ext.INDEX.items()}


def test_every_builtin_family_is_an_entry_point() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["imapkit"] == {name: f"imapkit.ext.{name}" for name in ext.INDEX}
