"""A new plugin: its names, refused names, its files; ``tests/plugins`` installs one and runs its tests."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from imapkit.cli import new
from imapkit.cli.main import main
from imapkit.errors import ArgumentError


@pytest.mark.parametrize(
    ("name", "family", "distribution", "mixin", "command"),
    [
        ("hello", "hello", "imapkit-hello", "HelloCommands", "XHELLO"),
        ("xlist", "xlist", "imapkit-xlist", "XlistCommands", "XLIST"),
        ("x-gm-ext", "x_gm_ext", "imapkit-x-gm-ext", "XGmExtCommands", "X-GM-EXT"),
        ("Move_It", "move_it", "imapkit-move-it", "MoveItCommands", "XMOVE-IT"),
        ("imapkit-vendor", "vendor", "imapkit-vendor", "VendorCommands", "XVENDOR"),
        ("ImapKit_Vendor.2", "vendor_2", "imapkit-vendor-2", "Vendor2Commands", "XVENDOR-2"),
        ("imapkitty", "imapkitty", "imapkit-imapkitty", "ImapkittyCommands", "XIMAPKITTY"),
    ],
)
def test_names_of_its_parts(name: str, family: str, distribution: str, mixin: str, command: str) -> None:
    meant = new.names(name)
    assert (meant["family"], meant["method"], meant["module"]) == (family, family, f"imapkit_{family}")
    assert (meant["distribution"], meant["mixin"], meant["command"]) == (distribution, mixin, command)


@pytest.mark.parametrize(
    "name", ["", "5x", "-x", "x-", "x--y", "a b", "café", "../x", "a/b", "imapkit-", "x\n", "x" * 41, "a;rm", "@module@"]
)
def test_invalid_names(name: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="is no name for a plugin"):
        new.main(name, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("rev1", "imapkit has a family with this name"),
        ("Quota", "imapkit has a family with this name"),
        ("gmail", "imapkit has a family with this name"),
        ("fetch", "imapkit has a method fetch(), in its family 'rev1'"),
        ("imapkit-getquota", "in its family 'quota'"),
        ("open", "the client itself has 'open'"),
        ("nowait", "the client itself has 'nowait'"),
        ("mailboxes", "imapkit has a typed call mailboxes(), in its family 'rev1'"),
        ("add-labels", "imapkit has a typed call add_labels(), in its family 'gmail'"),
        ("class", "a keyword of Python"),
    ],
)
def test_a_name_that_is_taken(name: str, why: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        new.names(name)
    assert why in str(caught.value)
    assert "choose another, like my-" in str(caught.value)


def test_a_name_of_an_installed_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "imapkit_taken-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: imapkit-taken\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text("[imapkit]\ntaken = nowhere\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ArgumentError, match=r"'taken' .* a family with this name is installed, from imapkit-taken 1\.5"):
        new.names("taken")


def test_an_unknown_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"\A2\Z"):
        main(["plugins", "new", "hello", "--kind", "layer", "-o", str(tmp_path)])
    printed = capsys.readouterr().err.partition("choose from")[2]
    assert all(kind in printed for kind in new.KINDS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", new.KINDS)
def test_files_and_output(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "new", "big-hello", "--kind", kind, "-o", str(tmp_path / "below" / "here")]) == 0
    project = tmp_path / "below" / "here" / "imapkit-big-hello"
    printed = capsys.readouterr().out
    assert printed.startswith(f"Wrote {project}: the family 'big_hello' with XBIG-HELLO, {new.KINDS[kind]}. ")
    assert f"    cd {project}\n" in printed
    written = {str(path.relative_to(project)): path.read_text() for path in project.rglob("*") if path.is_file()}
    assert sorted(written) == [
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "src/imapkit_big_hello/__init__.py",
        "src/imapkit_big_hello/py.typed",
        "tests/big_hello.toml",
        "tests/test_big_hello.py",
    ]
    assert [name for name, text in written.items() if "@" in re.sub("@(hookimpl|record|pytest|command)\\b(?!@)", "", text)] == []
    for name, text in written.items():
        if name.endswith(".py"):
            ast.parse(text)
    described = tomllib.loads(written["pyproject.toml"])
    assert described["project"]["name"] == "imapkit-big-hello"
    assert described["project"]["entry-points"] == {"imapkit": {"big_hello": "imapkit_big_hello"}}
    assert [path.name for path in project.parent.iterdir()] == [project.name]


def test_the_default_is_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plugins", "new", "hello"]) == 0
    assert (tmp_path / "imapkit-hello" / "pyproject.toml").is_file()


@pytest.mark.parametrize("what", ["directory", "file", "dangling link"])
def test_an_existing_path_is_left_alone(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "imapkit-hello"
    if what == "directory":
        place.mkdir()
    elif what == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path / "nowhere")
    assert main(["plugins", "new", "hello", "-o", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"imapkit: FileExistsError: {place} exists already; nothing was written\n"
    assert list(tmp_path.iterdir()) == [place]


def test_an_output_that_is_no_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert main(["plugins", "new", "hello", "-o", str(tmp_path / "file")]) == 1
    assert "file" in capsys.readouterr().err


def test_an_unfinished_project_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, text: str, **_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        new.write(new.names("hello"), tmp_path)
    assert list(tmp_path.iterdir()) == []
