"""Projects of ``imapkit plugins new``, built, installed with imapkit, and used; ``tests/typing`` checks their types."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from imapkit.cli import new
from tests.plugins.installation import ROOT, Installation, install

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(240)]

USE = """
import imapkit
from imapkit.testing import ScriptedServer

def answer(conversation, command):
    conversation.ok(command, untagged=b"* X-GM-EXT %s 3\\r\\n" % command.args)

with (
    ScriptedServer(handlers={"X-GM-EXT": answer}, capabilities=b"IMAP4rev1 X-GM-EXT") as server,
    imapkit.connect(server.host, "me", "secret", port=server.port, tls="none") as client,
):
    print(client.x_gm_ext("big world"))
    print(*client.raw.x_gm_ext("big world")[1].parsed())
"""


NAMES = {"command": "x-gm-ext", "item": "x-score"}


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """New, unchanged projects, by their kind."""
    place = tmp_path_factory.mktemp("new")
    return {kind: new.write(new.names(name), place, kind) for kind, name in NAMES.items()}


@pytest.fixture(scope="module")
def installed(projects: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An environment with the projects, imapkit and the packages that the projects' tests need."""
    return install(tmp_path_factory.mktemp("installed"), [ROOT, *projects.values()], "pytest>=8")


def test_all_kinds_are_tested() -> None:
    assert list(NAMES) == list(new.KINDS)


@pytest.mark.parametrize("kind", NAMES)
def test_its_own_tests_pass(kind: str, installed: Installation, projects: dict[str, Path]) -> None:
    report = installed.run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=projects[kind])
    passed = re.search(r"^(\d+) passed in", report, re.MULTILINE)
    assert passed is not None, report
    assert int(passed[1]) >= 9
    module = new.names(NAMES[kind])["module"]
    where = installed.run("-c", f"import imapkit, {module} as it; print(imapkit.__file__, it.__file__)", cwd=projects[kind])
    assert where.count("/venv/lib/") == 2


def test_it_is_listed_and_a_client_has_its_method(installed: Installation) -> None:
    families = json.loads(installed.run("-m", "imapkit", "plugins", "--json"))["families"]
    (listed,) = [family for family in families if family["name"] == "x_gm_ext"]
    assert (listed["distribution"], listed["version"], listed["state"]) == ("imapkit-x-gm-ext", "0.1.0", "on")
    assert (listed["commands"], listed["methods"], listed["requires"]) == (["X-GM-EXT"], ["x_gm_ext"], ["rev1"])
    assert installed.run("-c", USE) == "XGmExtData(name='big world', count=3)\n" * 2


@pytest.mark.parametrize("kind", NAMES)
def test_the_installed_command_writes_the_same(kind: str, installed: Installation, tmp_path: Path) -> None:
    """The template is in the wheel. The name is taken there, since the plugin is installed."""
    installed.run("-m", "imapkit", "plugins", "new", "x-gm-ext-2", "--kind", kind, "-o", str(tmp_path))
    made = tmp_path / "imapkit-x-gm-ext-2"
    new.write(new.names("x-gm-ext-2"), tmp_path / "here", kind)
    expected = tmp_path / "here" / "imapkit-x-gm-ext-2"
    files = sorted(path.relative_to(expected) for path in expected.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
    assert all((made / path).read_bytes() == (expected / path).read_bytes() for path in files)
