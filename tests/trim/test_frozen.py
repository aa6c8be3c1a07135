"""Programs in one file, with two families, made by zipapp, shiv and PyInstaller, and run against a server."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import zipapp
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imapkit.cli.trim import trim
from tests.servers.base import skip_or_fail
from tests.trim.support import ROOT, environment, lacking, pip, run, tree

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(240)]

PROGRAM = '''\
"""Reads the INBOX and idles; prints what it read, and about imapkit."""

import json
import sys
import threading

import imapkit

if "configure" in sys.argv:
    from imapkit.ext import idle, rev1

    imapkit.configure(families=[rev1, idle])


def main():
    ended = threading.Event()
    with imapkit.IMAP4("127.0.0.1", int(sys.argv[1]), timeout=30) as imap:
        imap.login(sys.argv[2], sys.argv[3])
        imap.select("INBOX")
        subjects = [one.envelope.subject for one in imap.fetch("1:*", "(ENVELOPE)")[1].parsed()]
        imap.idle(callback=lambda answer: ended.set())
        imap.noop()
        ended.wait(30)
        try:
            imap.getquota("")
        except imapkit.FamilyDisabledError as error:
            refused = str(error)
        there = {plugin.name: [plugin.distribution, plugin.version] for plugin in imap._registry.plugins}
    loaded = sorted(name for name in sys.modules if name.startswith("imapkit.ext."))
    print(json.dumps([subjects, ended.is_set(), refused, there, loaded, hasattr(imap, "xlist")]))


if __name__ == "__main__":
    main()
'''
SUBJECTS = ["one", "two"]
NOT_IN_BUILD = "getquota() is in the family 'quota', which is not in this build of imapkit"


@pytest.fixture(scope="module")
def login() -> Iterator[list[str]]:
    """The arguments of the program: a server's port, a user's name and password."""
    pytest.importorskip("pymap", reason="no pymap here: pip install 'imapkit[demo]'")
    from imapkit import IMAP4
    from imapkit.cli.mailhost import running

    with running() as host:
        with IMAP4(host.host, host.port) as imap:
            imap.login(host.user, host.password)
            for subject in SUBJECTS:
                imap.append("INBOX", None, None, f"Subject: {subject}\r\n\r\nhello\r\n")
        yield [str(host.port), host.user, host.password]


@pytest.fixture(scope="module")
def two(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel with two families."""
    return trim(wheel, ["idle"], without=["cli", "testing"], directory=tmp_path_factory.mktemp("two")).path


def seen(printed: str) -> list[Any]:
    """Check the program's output about the server; return its output about imapkit."""
    found: list[Any] = json.loads(printed)
    assert found[:2] == [SUBJECTS, True]
    return found[2:]


def zipped(directory: Path) -> Path:
    (directory / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    target = directory.with_suffix(".pyz")
    zipapp.create_archive(directory, target, compressed=True)
    return target


def start(program: Path, *arguments: str, **environ: str) -> str:
    return run(sys.executable, "-I", "-W", "error", program, *arguments, cwd=program.parent, environ=environ)


@pytest.mark.live
def test_zipapp_that_names_its_families(wheel: Path, login: list[str], tmp_path: Path) -> None:
    program = zipped(tree(tmp_path / "app", wheel, metadata=False))
    refused, there, loaded, _ = seen(start(program, *login, "configure"))
    assert refused == "getquota() is in the family 'quota', which is not among families="
    assert set(there) == {"idle", "rev1"}
    assert {name.split(".")[2] for name in loaded} == {"idle", "rev1"}


@pytest.mark.live
@pytest.mark.parametrize("metadata", [False, True])
def test_zipapp_of_a_trimmed_wheel(metadata: bool, two: Path, login: list[str], tmp_path: Path) -> None:
    program = zipped(tree(tmp_path / "app", two, metadata=metadata))
    refused, there, _, _ = seen(start(program, *login))
    assert refused == NOT_IN_BUILD
    assert there == {"idle": ["imapkit", "0.1.0"], "rev1": ["imapkit", "0.1.0"]}


@pytest.mark.live
@pytest.mark.parametrize("metadata", [False, True])
def test_modules_that_a_packer_omits(metadata: bool, wheel: Path, login: list[str], tmp_path: Path) -> None:
    """Their entry points may remain: packers do not edit the metadata."""
    directory = tree(tmp_path / "app", wheel, metadata=metadata)
    for path in (directory / "imapkit" / "ext").iterdir():
        if path.is_dir() and path.name != "rev1":
            shutil.rmtree(path)
        elif path.is_file() and path.stem not in ("__init__", "idle"):
            path.unlink()
    refused, there, _, _ = seen(start(zipped(directory), *login))
    assert refused == NOT_IN_BUILD
    assert set(there) == {"idle", "rev1"}


@pytest.mark.live
@pytest.mark.frozen
def test_shiv(two: Path, login: list[str], tmp_path: Path) -> None:
    skip_or_fail(lacking("shiv"))
    directory = tree(tmp_path / "site", two)
    (directory / "app.py").write_text(PROGRAM, encoding="utf-8")
    program = tmp_path / "app.pyz"
    run(sys.executable, "-m", "shiv", "--site-packages", directory, "-e", "app:main", "-o", program)
    refused, there, _, _ = seen(start(program, *login, SHIV_ROOT=str(tmp_path / "root")))
    assert refused == NOT_IN_BUILD
    assert there == {"idle": ["imapkit", "0.1.0"], "rev1": ["imapkit", "0.1.0"]}


@pytest.fixture(scope="module")
def frozen(two: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program made by PyInstaller without flags, with two families of imapkit and one of another distribution installed."""
    skip_or_fail(lacking("PyInstaller"))
    place = tmp_path_factory.mktemp("frozen")
    python = environment(place / "venv", two, "pyinstaller")
    example = ROOT / "plugins-example" / "imapkit-xlist"
    pip(Path(sys.executable), "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", place / "xlist", example)
    pip(python, "install", "--quiet", "--no-deps", "--no-index", *(place / "xlist").iterdir())
    (place / "app.py").write_text(PROGRAM, encoding="utf-8")
    settings = {"PYINSTALLER_CONFIG_DIR": str(place / "config"), "PATH": os.environ["PATH"]}
    run(python, "-m", "PyInstaller", "--onefile", "--log-level", "WARN", "app.py", cwd=place, timeout=200, environ=settings)
    return place / "dist" / "app"


@pytest.mark.live
@pytest.mark.frozen
def test_pyinstaller(frozen: Path, login: list[str]) -> None:
    refused, there, loaded, has_xlist = seen(run(frozen, *login))
    assert refused == NOT_IN_BUILD
    assert there == {"xlist": ["imapkit-xlist", "1.0.0"], "idle": ["imapkit", "0.1.0"], "rev1": ["imapkit", "0.1.0"]}
    assert {name.split(".")[2] for name in loaded} == {"idle", "rev1"}
    assert has_xlist


@pytest.mark.live
@pytest.mark.frozen
def test_pyinstaller_of_a_program_that_names_its_families(frozen: Path, login: list[str]) -> None:
    _, there, loaded, has_xlist = seen(run(frozen, *login, "configure"))
    assert set(there) == {"idle", "rev1"}
    assert {name.split(".")[2] for name in loaded} == {"idle", "rev1"}
    assert not has_xlist


@pytest.mark.live
@pytest.mark.frozen
def test_the_hook_finds_the_families(frozen: Path) -> None:
    """PyInstaller finds the hook by its entry point, and adds the modules that the hook names."""
    log = frozen.parents[1] / "build" / "app" / "xref-app.html"
    assert re.search(r"imapkit_xlist", log.read_text(encoding="utf-8"))
    assert "imapkit_xlist" not in PROGRAM
