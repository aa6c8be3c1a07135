"""What ``imapkit plugins new`` writes, built, installed beside imapkit, and used; ``tests/typing`` checks its types."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from imapkit.cli import new
from tests.plugins.installation import ROOT, Installation, install

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(240)]

USE = """
from imapkit import IMAP4
from imapkit.testing import ScriptedServer
import imapkit_x_gm_ext as plugin

def answer(conversation, command):
    conversation.ok(command, untagged=b"* X-GM-EXT %s 3\\r\\n" % command.args)

with ScriptedServer(handlers={"X-GM-EXT": answer}) as server, IMAP4(server.host, server.port) as imap:
    imap.login("me", "secret")
    print(*imap.x_gm_ext("big world")[1].parsed())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, as it is written."""
    return new.write(new.names("x-gm-ext"), tmp_path_factory.mktemp("new"))


@pytest.fixture(scope="module")
def installed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The project, imapkit and what the project's tests need."""
    return install(tmp_path_factory.mktemp("installed"), [ROOT, project], "pytest>=8")


def test_its_own_tests_pass(installed: Installation, project: Path) -> None:
    report = installed.run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
    passed = re.search(r"^(\d+) passed in", report, re.MULTILINE)
    assert passed is not None, report
    assert int(passed[1]) >= 9
    where = installed.run("-c", "import imapkit, imapkit_x_gm_ext as it; print(imapkit.__file__, it.__file__)", cwd=project)
    assert where.count("/venv/lib/") == 2


def test_it_is_listed_and_a_client_has_its_method(installed: Installation) -> None:
    families = json.loads(installed.run("-m", "imapkit", "plugins", "--json"))["families"]
    (listed,) = [family for family in families if family["name"] == "x_gm_ext"]
    assert (listed["distribution"], listed["version"], listed["state"]) == ("imapkit-x-gm-ext", "0.1.0", "on")
    assert (listed["commands"], listed["methods"], listed["requires"]) == (["X-GM-EXT"], ["x_gm_ext"], ["rev1"])
    assert installed.run("-c", USE) == "XGmExtData(name='big world', count=3)\n"


def test_what_is_installed_writes_the_same(installed: Installation, project: Path, tmp_path: Path) -> None:
    """The template is in the wheel. Its name is taken there, by now."""
    installed.run("-m", "imapkit", "plugins", "new", "x-gm-ext-2", "-o", str(tmp_path))
    made = tmp_path / "imapkit-x-gm-ext-2"
    new.write(new.names("x-gm-ext-2"), tmp_path / "here")
    expected = tmp_path / "here" / "imapkit-x-gm-ext-2"
    files = sorted(path.relative_to(expected) for path in expected.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
    assert all((made / path).read_bytes() == (expected / path).read_bytes() for path in files)
