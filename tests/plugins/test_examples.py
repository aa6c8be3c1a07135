"""The packages of plugins-example, built, installed and used; no file of imapkit names them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.installation import EXAMPLES, ROOT, Installation, install
from tests.plugins.tutorial import FILES, solid
from tests.testing.test_page import FILES as GUIDE

NAMES = ["acme", "strictquota", "traffic", "xlist"]

LISTING = """
import json
from imapkit.core.raw.families import registry
found = registry()
print(json.dumps({plugin.name: [plugin.distribution, plugin.version] for plugin in found.plugins}))
"""
FIRST = "import imapkit, pytest; raise SystemExit(pytest.main(['-q', '-W', 'error', '-p', 'no:cacheprovider']))"
METHOD = """
from imapkit import IMAP4, FamilyDisabledError
from imapkit.testing import ScriptedServer

with ScriptedServer() as server, IMAP4(server.host, server.port) as imap:
    print(hasattr(imap, "xlist"), hasattr(imap, "XLIST"))
    try:
        imap.xlist
    except FamilyDisabledError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An environment with imapkit, all examples, and pytest."""
    projects = [ROOT, *(EXAMPLES / f"imapkit-{name}" for name in NAMES)]
    return install(tmp_path_factory.mktemp("installed"), projects, "pytest>=8")


def test_all_examples_are_tested() -> None:
    assert sorted(path.parent.name.removeprefix("imapkit-") for path in EXAMPLES.glob("*/pyproject.toml")) == NAMES


@pytest.mark.heavy
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", NAMES)
def test_its_own_tests_pass(installed: Installation, name: str) -> None:
    project = installed.project(f"imapkit-{name}")
    report = installed.run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
    passed = re.search(r"^(\d+) passed in", report, re.MULTILINE)
    assert passed is not None, report
    assert int(passed[1]) >= 6
    where = installed.run("-c", f"import imapkit, imapkit_{name} as it; print(imapkit.__file__, it.__file__)", cwd=project)
    assert where.count("/venv/lib/") == 2


@pytest.mark.heavy
@pytest.mark.timeout(120)
def test_the_fixtures_work_after_an_early_import_and_named_twice(installed: Installation, tmp_path: Path) -> None:
    for name, code in GUIDE.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["imapkit.testing.plugin"]', encoding="utf-8")
    report = installed.run("-c", FIRST, cwd=tmp_path)
    assert re.search(r"^\d+ passed in", report, re.MULTILINE), report


@pytest.mark.heavy
@pytest.mark.timeout(120)
def test_they_are_listed_with_distribution_and_version(installed: Installation) -> None:
    listed = json.loads(installed.run("-c", LISTING))
    for name in NAMES:
        assert listed[name] == [f"imapkit-{name}", "1.0.0"]
    assert {"rev1", "quota"} < set(listed)
    assert "acme" not in json.loads(installed.run("-c", LISTING, IMAPKIT_DISABLE="acme,xlist"))
    assert list(json.loads(installed.run("-c", LISTING, IMAPKIT_PLUGINS="rev1,xlist"))) == ["rev1", "xlist"]


@pytest.mark.heavy
@pytest.mark.timeout(120)
def test_a_client_has_the_method(installed: Installation) -> None:
    assert installed.run("-c", METHOD).split() == ["True", "True"]
    first, second = installed.run("-c", METHOD, IMAPKIT_DISABLE="xlist").splitlines()
    assert first == "False False"
    assert "'xlist'" in second
    assert "IMAPKIT_DISABLE" in second


@pytest.mark.parametrize("name", NAMES)
def test_no_file_of_imapkit_names_it(name: str) -> None:
    sources = [*(ROOT / "imapkit").rglob("*.py"), ROOT / "pyproject.toml"]
    assert len(sources) > 30
    assert [str(path) for path in sources if f"imapkit_{name}" in path.read_text(encoding="utf-8")] == []


def test_it_imports_only_the_contract() -> None:
    imports = re.compile(r"^\s*(?:from|import) (imapkit\.\S+)", re.MULTILINE)
    for path in EXAMPLES.glob("*/src/*/*.py"):
        used = set(imports.findall(path.read_text(encoding="utf-8")))
        assert used
        assert used <= {"imapkit.plugin", "imapkit.errors"}, path


def test_they_all_have_the_same_files() -> None:
    for name in NAMES:
        project = EXAMPLES / f"imapkit-{name}"
        files = {
            str(path.relative_to(project)) for path in project.rglob("*") if path.is_file() and "__pycache__" not in path.parts
        }
        package = f"src/imapkit_{name}"
        assert {"README.md", "pyproject.toml", f"{package}/__init__.py", f"{package}/py.typed", f"tests/test_{name}.py"} <= files
        assert f'{name} = "imapkit_{name}"' in (project / "pyproject.toml").read_text(encoding="utf-8")


# The tutorial

TUTORIAL = EXAMPLES / "imapkit-xlist"
UNSHOWN = {"README.md", "src/imapkit_xlist/py.typed"}
"""Files that the tutorial names without showing them."""


def test_the_tutorial_shows_every_file_of_its_example() -> None:
    shown = {name for language, name in FILES if language != "text"} - {"try.py", "typed.py"}
    there = {
        str(path.relative_to(TUTORIAL)) for path in TUTORIAL.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    assert shown | UNSHOWN == {name for name in there if not name.startswith(".")}


@pytest.mark.parametrize(
    ("language", "name"), [key for key in FILES if key[0] != "text" and key[1] not in ("try.py", "typed.py")]
)
def test_a_block_of_the_tutorial_is_the_file_that_it_names(language: str, name: str) -> None:
    assert solid(FILES[language, name]) == solid((TUTORIAL / name).read_text(encoding="utf-8"))


@pytest.mark.heavy
@pytest.mark.timeout(120)
def test_the_tutorials_program_prints_the_shown_output(installed: Installation) -> None:
    program = installed.place / "try.py"
    program.write_text(FILES["python", "try.py"], encoding="utf-8")
    assert solid(installed.run(str(program))) == solid(FILES["text", "try.py"])


@pytest.mark.heavy
@pytest.mark.timeout(120)
def test_the_tutorials_types_are_checked(installed: Installation) -> None:
    """mypy reads the installed packages, as in the tutorial."""
    pytest.importorskip("mypy", reason="mypy is in the extra dev")
    project = installed.project("imapkit-xlist")
    (project / "typed.py").write_text(FILES["python", "typed.py"], encoding="utf-8")
    argv = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(installed.python), "tests", "typed.py"]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True, timeout=100)
    assert done.stdout == "Success: no issues found in 2 source files\n", done.stdout + done.stderr
