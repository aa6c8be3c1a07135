"""The packages of plugins-example, built, installed and used as anybody would; nothing of imapkit knows them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "plugins-example"
NAMES = ["hello", "bytecount"]

LISTING = """
import json
from imapkit.core.plugins import registry
found = registry()
print(json.dumps({plugin.name: [plugin.distribution, plugin.version] for plugin in found.plugins}))
"""
METHOD = """
from imapkit import IMAP4, FamilyDisabledError
from imapkit.testing import ScriptedServer

with ScriptedServer() as server, IMAP4(server.host, server.port) as imap:
    print(hasattr(imap, "hello"), hasattr(imap, "HELLO"))
    try:
        imap.hello
    except FamilyDisabledError as error:
        print(error)
"""


def installed(name: str, target: Path) -> Path:
    """Build one of the examples and install it into a directory of its own."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    argv = [*pip, "--no-build-isolation", "--target", str(target), str(EXAMPLES / f"imapkit-{name}")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where each example is installed."""
    return {name: installed(name, tmp_path_factory.mktemp(name)) for name in NAMES}


def run(place: Path, *arguments: str, **environ: str) -> str:
    """What a Python that has the plugin prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMAPKIT_", "PYTEST_"))}
    path = {"PYTHONPATH": os.pathsep.join([str(place), str(ROOT)]), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-W", "error", *arguments]
    done = subprocess.run(argv, env=kept | path | environ, cwd=place, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_its_own_tests_pass(places: dict[str, Path], name: str) -> None:
    tests = EXAMPLES / f"imapkit-{name}" / "tests"
    report = run(
        places[name], "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tests), str(tests)
    )
    passed = re.search(r"^(\d+) passed", report, re.MULTILINE)
    assert passed is not None, report
    assert int(passed[1]) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_it_is_found_with_its_distribution_and_version(places: dict[str, Path], name: str) -> None:
    listed = json.loads(run(places[name], "-c", LISTING))
    assert listed[name] == [f"imapkit-{name}", "1.0.0"]
    assert "rev1" in listed
    assert name not in json.loads(run(places[name], "-c", LISTING, IMAPKIT_DISABLE=name))
    assert list(json.loads(run(places[name], "-c", LISTING, IMAPKIT_PLUGINS=f"rev1,{name}"))) == sorted(["rev1", name])


def test_a_client_has_the_method(places: dict[str, Path]) -> None:
    assert run(places["hello"], "-c", METHOD).split() == ["True", "True"]


def test_switched_off_its_method_says_so(places: dict[str, Path]) -> None:
    first, second = run(places["hello"], "-c", METHOD, IMAPKIT_DISABLE="hello").splitlines()
    assert first == "False False"
    assert "'hello'" in second
    assert "IMAPKIT_DISABLE" in second


@pytest.mark.parametrize("name", NAMES)
def test_no_file_of_imapkit_knows_it(name: str) -> None:
    module = f"imapkit_{name}"
    sources = [*(ROOT / "imapkit").rglob("*.py"), ROOT / "pyproject.toml"]
    assert len(sources) > 30
    assert [str(path) for path in sources if module in path.read_text(encoding="utf-8")] == []


def test_it_uses_the_contract_and_nothing_else() -> None:
    imports = re.compile(r"^\s*(?:from|import) (imapkit\.\S+)", re.MULTILINE)
    for path in EXAMPLES.glob("*/src/*/*.py"):
        used = set(imports.findall(path.read_text(encoding="utf-8")))
        assert used
        assert used <= {"imapkit.family", "imapkit.core.api", "imapkit.errors"}, path
