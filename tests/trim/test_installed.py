"""Trimmed wheels made by the build itself, and their installations."""

from __future__ import annotations

import json
import re
import sys
import tarfile
from pathlib import Path

import pytest

from imapkit.cli.trim import trim
from tests.trim.support import BACKEND, ROOT, build, environment, pip, run

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(120)]

TWO = "rev1,idle"
HERE = {"PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def two(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel with two families."""
    return trim(wheel, TWO.split(","), directory=tmp_path_factory.mktemp("two")).path


@pytest.fixture(scope="module")
def python(two: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with that wheel."""
    return environment(tmp_path_factory.mktemp("installed") / "venv", two)


# The build


def test_pip_builds_the_same(two: Path, tmp_path: Path) -> None:
    settings = ["--config-settings", "families=rev1", "--config-settings", "families=idle"]
    pip(Path(sys.executable), "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", tmp_path, ROOT, *settings)
    (made,) = tmp_path.iterdir()
    assert (made.name, made.read_bytes()) == (two.name, two.read_bytes())


def test_build_makes_the_same_from_the_source_distribution(wheel: Path, tmp_path: Path) -> None:
    setting = [f"--config-setting=families={TWO}", "--config-setting=without=testing"]
    run(sys.executable, "-m", "build", "--no-isolation", *setting, "-o", tmp_path, cwd=ROOT)
    made, source = sorted(tmp_path.iterdir(), key=lambda path: path.suffix, reverse=True)
    expected = trim(wheel, TWO.split(","), without=["testing"], directory=tmp_path / "trimmed").path
    assert made.read_bytes() == expected.read_bytes()
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"tools/trim_backend.py", "imapkit/ext/quota.py", "imapkit/testing/__init__.py", "pyproject.toml"} <= names


def test_without_settings_it_is_whole(wheel: Path, tmp_path: Path) -> None:
    assert build(tmp_path, {}).read_bytes() == build(tmp_path, {"--global-option": "x"}).read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize(
    ("hook", "settings", "text"),
    [
        ("wheel", {"familes": TWO}, "there is no setting 'familes'; there are: families, without"),
        ("sdist", {"familes": TWO}, "there is no setting 'familes'"),
        ("wheel", {"without": "cli"}, "the setting 'without' needs 'families'"),
        ("wheel", {"families": "rev1,idel"}, "there is no family 'idel' in .*; there are: acl"),
        ("wheel", {"families": ""}, "name the families to keep"),
        ("editable", {"families": TWO}, "an editable installation has all families: IMAPKIT_PLUGINS"),
    ],
)
def test_wrong_settings(hook: str, settings: dict[str, str], text: str, tmp_path: Path) -> None:
    code = f"from {BACKEND} import build_{hook}; build_{hook}({str(tmp_path)!r}, {settings!r})"
    printed = run(sys.executable, "-c", code, cwd=ROOT, status=1, environ=HERE)
    assert re.search(text, printed)
    assert list(tmp_path.iterdir()) == []


def test_the_backend_needs_hatchling_alone() -> None:
    code = f"import sys, {BACKEND}; print(*sys.modules)"
    loaded = set(run(sys.executable, "-c", code, cwd=ROOT, environ=HERE).split())
    assert {BACKEND, "hatchling.build"} <= loaded
    assert not {"pluggy", "importlib_metadata", "imapkit.client", "imapkit.ext"} & loaded


# The installation

PROGRAM = """
import json, sys
import imapkit
from imapkit import ext
from imapkit.core.raw.families import registry
found = registry()
answers = {}
for family, methods in ext.INDEX.items():
    for method in methods:
        try:
            getattr(imapkit.IMAP4, method)
        except imapkit.FamilyDisabledError as error:
            answers[method] = str(error)
print(json.dumps([{one.name: [one.distribution, one.version] for one in found.plugins}, dict(found.absent), answers]))
"""


def test_it_is_consistent(python: Path) -> None:
    assert "No broken requirements found" in pip(python, "check")


def test_methods_of_removed_families_raise(python: Path) -> None:
    there, absent, answers = json.loads(run(python, "-W", "error", "-c", PROGRAM))
    assert there == {"idle": ["imapkit", "0.1.0"], "rev1": ["imapkit", "0.1.0"]}
    assert set(absent.values()) == {"not in this build of imapkit"}
    assert answers["getquota"] == "getquota() is in the family 'quota', which is not in this build of imapkit"
    assert "sort" in answers
    assert "idle" not in answers
    asked = run(python, "-c", PROGRAM, status=1, environ={"IMAPKIT_PLUGINS": "rev1,quota"})
    assert "IMAPKIT_PLUGINS: there is no family 'quota'; there are: idle, rev1" in asked


def test_a_plugin_that_requires_a_removed_family_is_refused(python: Path) -> None:
    code = (
        "import imapkit\nfrom imapkit.family import Family\n"
        "imapkit.configure(families=['rev1', Family('more', requires=('quota',))])\nimapkit.IMAP4.noop"
    )
    printed = run(python, "-c", code, status=1)
    assert "requires the family 'quota', which is not in this build of imapkit: install a build that has 'quota'" in printed


def test_the_command_line_lists_removed_families(python: Path) -> None:
    command = python.with_name("imapkit")
    assert "the installed command families load and agree" in run(command, "doctor")
    listed = run(command, "plugins")
    assert "not in this build of imapkit" in listed
    assert re.search(r"^idle\b", listed, re.MULTILINE)


def test_it_can_be_uninstalled(two: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "venv", two)
    pip(python, "uninstall", "--quiet", "--yes", "imapkit")
    site = next((tmp_path / "venv" / "lib").glob("*/site-packages"))
    assert [path for path in site.glob("imapkit*/**/*") if path.suffix != ".pyc" and path.is_file()] == []
