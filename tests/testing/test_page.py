"""docs/testing.md: its blocks are a project whose tests pass, and it documents every public name."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from imapkit import testing
from imapkit.testing import Conversation, plugin

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?:python|toml)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES: dict[str, str] = dict(BLOCK.findall(PAGE))
CODE = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", BLOCK.sub("", PAGE)))))


def test_every_block_is_a_file() -> None:
    assert len(FILES) == PAGE.count("```") // 2 >= 4


@pytest.mark.heavy
def test_the_project_of_the_page_passes(pytester: pytest.Pytester) -> None:
    for name, code in FILES.items():
        (pytester.path / name).write_text(code, encoding="utf-8")
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error", "-q")
    assert result.ret == 0, result.stdout.str()
    assert result.parseoutcomes()["passed"] >= sum(code.count("def test_") for code in FILES.values())


def test_every_public_name_is_documented() -> None:
    assert [name for name in (*testing.__all__, *plugin.__all__) if name not in CODE] == []


def test_every_method_of_a_conversation_is_documented() -> None:
    methods = [name for name, _ in inspect.getmembers(Conversation, inspect.isfunction) if not name.startswith("_")]
    assert len(methods) > 10
    assert [name for name in methods if name not in CODE] == []


# Imports


def test_type_checkers_see_the_same_names() -> None:
    assert testing.__file__ is not None
    tree = ast.parse(Path(testing.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == testing._HOME
    assert set(testing.__all__) == set(seen)


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_plugin_imports_nothing_before_a_fixture_is_used() -> None:
    before = "import sys, pytest; before = set(sys.modules); import imapkit.testing.plugin"
    loaded = run(f"{before}; print(*sorted(set(sys.modules) - before))").split()
    assert loaded == ["imapkit", "imapkit.testing", "imapkit.testing.plugin"]


def test_without_pytest_all_but_the_fixtures_can_be_imported() -> None:
    code = """
import sys
sys.modules["pytest"] = sys.modules["_pytest"] = None
from imapkit import testing
assert all(getattr(testing, name) is not None for name in testing.__all__)
with testing.ServerFactory() as servers, testing.ClientFactory() as clients:
    print(clients(servers()).noop())
try:
    import imapkit.testing.plugin
except ModuleNotFoundError as error:
    print(error.name, error)
"""
    assert run(code).splitlines() == [
        "('OK', [b'done'])",
        "pytest imapkit's fixtures need pytest: pip install 'imapkit[testing]'",
    ]
