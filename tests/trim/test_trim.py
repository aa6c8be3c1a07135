"""The wheels that ``imapkit trim`` makes, and its refusals."""

from __future__ import annotations

import ast
import base64
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imapkit import ext
from imapkit.cli import trim_source
from imapkit.cli.main import main
from imapkit.cli.trim import DISTRIBUTION, TrimError, names, trim, trimmed
from imapkit.cli.trim_wheel import read, render
from imapkit.core.plugins.loader import builtin
from tests.trim.support import ROOT

pytestmark = pytest.mark.heavy

INFO = "imapkit-0.1.0.dist-info"


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(set(archive.namelist()))
        return {name: archive.read(name) for name in archive.namelist()}


def assert_recorded(files: dict[str, bytes]) -> None:
    """RECORD lists every file with its digest and size, itself last and without a digest."""
    rows = list(csv.reader(io.StringIO(files[f"{INFO}/RECORD"].decode())))
    assert rows[-1] == [f"{INFO}/RECORD", "", ""]
    assert [row[0] for row in rows] == list(files)
    for path, digest, size in rows[:-1]:
        algorithm, _, value = digest.partition("=")
        assert algorithm == "sha256"
        assert base64.urlsafe_b64decode(value + "=") == hashlib.sha256(files[path]).digest()
        assert int(size) == len(files[path])


def own(family: str) -> re.Pattern[str]:
    return re.compile(rf"imapkit/ext/{family}(\.py|/.*)")


@pytest.mark.parametrize("family", sorted(ext.INDEX))
def test_each_family_alone(family: str, wheel: Path, tmp_path: Path) -> None:
    report = trim(wheel, [family], directory=tmp_path)
    assert report.kept == tuple(sorted({family, "rev1"}))
    assert set(report.kept) | set(report.left_out) == set(ext.INDEX)
    assert report.required_by == ({} if family == "rev1" else {"rev1": family})
    assert report.path == tmp_path / wheel.name
    assert report.after == report.path.stat().st_size < report.before == wheel.stat().st_size
    before, after = contents(wheel), contents(report.path)
    assert_recorded(after)
    gone = {path for path in before if any(own(name).fullmatch(path) for name in report.left_out)}
    assert len(gone) >= len(report.left_out)
    assert set(after) == set(before) - gone
    changed = {path for path in after if after[path] != before[path]}
    static = {"imapkit/client.py"} if family == "sort_thread" else {"imapkit/client.py", "imapkit/sort.py"}
    assert changed == {*static, f"{INFO}/entry_points.txt", f"{INFO}/RECORD"}
    points = after[f"{INFO}/entry_points.txt"].decode()
    assert re.findall(r"^(\w+) = imapkit\.ext\.\1$", points, re.MULTILINE) == list(report.kept)
    assert "imapkit = imapkit.cli.main:main\n" in points


def test_all_families_are_the_whole_wheel(wheel: Path, tmp_path: Path) -> None:
    report = trim(wheel, ext.INDEX, directory=tmp_path)
    assert report.left_out == ()
    assert contents(report.path) == contents(wheel)


def test_the_same_bytes_every_time(wheel: Path, tmp_path: Path) -> None:
    one = trim(wheel, ["rev1", "idle"], directory=tmp_path / "one").path
    other = trim(wheel, ["idle", "rev1", "idle"], directory=tmp_path / "a" / "b").path
    assert one.read_bytes() == other.read_bytes()
    again = trim(one, ["idle"], directory=tmp_path / "again").path
    assert one.read_bytes() == again.read_bytes()


def test_a_trimmed_wheel_can_be_trimmed_further(wheel: Path, tmp_path: Path) -> None:
    three = trim(wheel, ["idle", "quota"], directory=tmp_path / "three").path
    two = trim(three, ["idle"], directory=tmp_path / "two").path
    assert two.read_bytes() == trim(wheel, ["idle"], directory=tmp_path / "direct").path.read_bytes()
    with pytest.raises(TrimError, match=r"there is no family 'acl' in .*; there are: idle, quota, rev1$"):
        trim(three, ["acl"], directory=tmp_path / "none")


@pytest.mark.parametrize("parts", [["testing"], ["cli"], ["cli", "testing"]])
def test_parts(parts: list[str], wheel: Path, tmp_path: Path) -> None:
    after = contents(trim(wheel, ["rev1"], without=parts, directory=tmp_path).path)
    assert_recorded(after)
    for part in ("cli", "testing"):
        assert any(path.startswith(f"imapkit/{part}/") for path in after) == (part not in parts)
    points = after[f"{INFO}/entry_points.txt"].decode()
    assert ("console_scripts" in points) == ("imapkit/__main__.py" in after) == ("cli" not in parts)
    assert ("pytest11" in points) == ("testing" not in parts)


def test_type_checkers_see_the_kept_families(wheel: Path) -> None:
    less, _ = trimmed(read(wheel, DISTRIBUTION), ["idle", "sort_thread"])
    tree = ast.parse(less.files["imapkit/client.py"])
    (twin,) = [
        node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == "_Preloaded" and len(node.bases) > 2
    ]
    assert [ast.unparse(base) for base in twin.bases] == ["Rev1Commands", "IdleCommands", "SortThreadCommands", "Client"]
    assert ast.get_docstring(twin)


@pytest.mark.parametrize("family", sorted(ext.INDEX))
def test_requirements_are_read_from_the_source(family: str) -> None:
    package = ROOT / "imapkit" / "ext" / family
    path = package / "__init__.py" if package.is_dir() else package.with_suffix(".py")
    assert trim_source.requires(path.read_text(encoding="utf-8")) == builtin(family).family.requires


def test_names() -> None:
    assert names("rev1, idle,,rev1") == ["rev1", "idle"]
    assert names(["rev1", "idle,quota"]) == ["rev1", "idle", "quota"]
    assert names("") == names([]) == []


# Refused wheels


def repacked(wheel: Path, place: Path, change: Callable[[dict[str, bytes]], None], *, record: bool = True) -> Path:
    """The wheel with changed contents and, with ``record``, a correct RECORD."""
    files = contents(wheel)
    change(files)
    if record:
        del files[f"{INFO}/RECORD"]
        lines = [
            f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
            for path, data in files.items()
        ]
        files[f"{INFO}/RECORD"] = "".join([*lines, f"{INFO}/RECORD,,\n"]).encode()
    path = place / wheel.name
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def put(path: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({path: data})


def take(path: str) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({}) if files.pop(path) is None else None


def instead(path: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert old in files[path]
        files[path] = files[path].replace(old, new)

    return change


IDLE = "imapkit/ext/idle.py"
DAMAGED: dict[str, tuple[Callable[[dict[str, bytes]], None], bool, str]] = {
    "changed": (put(IDLE, b"import this\n"), False, f"damaged: {IDLE} differs from RECORD"),
    "added": (put("imapkit/more.py", b""), False, "damaged: RECORD does not list imapkit/more.py"),
    "taken": (take(IDLE), False, f"damaged: RECORD lists {IDLE}, which is missing"),
    "no RECORD": (take(f"{INFO}/RECORD"), False, f"not a wheel: it has no {INFO}/RECORD"),
    "no METADATA": (take(f"{INFO}/METADATA"), True, f"not a wheel: it has no {INFO}/METADATA"),
    "outside": (put("../evil.py", b""), True, "damaged: '../evil.py' is outside of it"),
    "another's": (instead(f"{INFO}/METADATA", b"Name: imapkit", b"Name: other"), True, "a wheel of other, not of imapkit"),
    "of the future": (instead(f"{INFO}/WHEEL", b"Wheel-Version: 1.0", b"Wheel-Version: 2.0"), True, "a wheel of version 2.0"),
    "entry points": (put(f"{INFO}/entry_points.txt", b"imapkit"), True, f"damaged: {INFO}/entry_points.txt"),
    "no module": (take(IDLE), True, "the family 'idle' should be in imapkit.ext.idle, which is missing"),
    "syntax": (put(IDLE, b"def ("), True, f"{IDLE}: cannot read which families it requires"),
    "computed": (instead(IDLE, b'requires=("rev1",)', b"requires=needed()"), True, f"{IDLE}: cannot read which families"),

    "requires": (instead(IDLE, b'("rev1",)', b'("rev9",)'), True, "'idle' requires the family 'rev9', which .* does not have"),
    "needed": (put("imapkit/core/more.py", b"import os\nfrom imapkit.ext import quota\n"), True,
               r"imapkit/core/more.py:2 needs imapkit.ext.quota, which is to be removed"),
    "used by types": (instead("imapkit/client.py", b"__all__ = ", b"_other: QuotaCommands\n__all__ = "), True,
                      r"imapkit/client.py cannot do without .*: line \d+ needs QuotaCommands"),
    "not UTF-8": (put("imapkit/core/more.py", b"# \xe9"), True, "imapkit/core/more.py is not UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "record", "text"), DAMAGED.values(), ids=DAMAGED)
def test_an_unusable_wheel(change: Any, record: bool, text: str, wheel: Path, tmp_path: Path) -> None:
    bad = repacked(wheel, tmp_path, change, record=record)
    with pytest.raises(TrimError, match=text) as caught:
        trim(bad, ["idle"], directory=tmp_path / "out")
    assert str(bad) in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_wheel(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(TrimError, match="no such file"):
        trim(tmp_path / wheel.name, ["idle"], directory=tmp_path)
    other = tmp_path / "imapkit.zip"
    other.write_bytes(wheel.read_bytes())
    with pytest.raises(TrimError, match="not a wheel: its name must be NAME-VERSION-"):
        trim(other, ["idle"], directory=tmp_path)
    whole = wheel.read_bytes()
    flipped = bytearray(whole)
    flipped[2000] ^= 0xFF
    for data in (b"", b"hello", whole[:-30], whole[: len(whole) // 2], bytes(flipped)):
        (tmp_path / wheel.name).write_bytes(data)
        with pytest.raises(TrimError, match="not a wheel, or a damaged one: "):
            trim(tmp_path / wheel.name, ["idle"], directory=tmp_path / "out")


def test_a_late_import_of_a_removed_module_is_allowed(wheel: Path, tmp_path: Path) -> None:
    late = b"def late():\n    from imapkit.ext import quota\n    return quota\n"
    assert trim(repacked(wheel, tmp_path, put("imapkit/core/more.py", late)), ["idle"], directory=tmp_path / "out").kept


def test_nothing_is_overwritten(wheel: Path, tmp_path: Path) -> None:
    target = trim(wheel, ["idle"], directory=tmp_path).path
    with pytest.raises(TrimError, match=f"{target} exists already: remove it, or name another directory with -o"):
        trim(wheel, ["quota"], directory=tmp_path)
    with pytest.raises(TrimError, match="would replace the wheel that it is made from"):
        trim(target, ["rev1"], directory=tmp_path, overwrite=True)
    assert trim(wheel, ["quota"], directory=tmp_path, overwrite=True).kept == ("quota", "rev1")
    assert [path.name for path in tmp_path.iterdir()] == [wheel.name]


# The command


def test_the_command(wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trim", str(wheel), "--keep", "idle", "--keep", "quota", "--without", "testing", "-o", str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "rev1 is kept too: idle requires it"
    assert printed[1] == "kept:     idle quota rev1"
    assert printed[2].startswith("left out: acl annotation ")
    assert re.fullmatch(rf"{tmp_path / wheel.name}: \d+ bytes, {wheel.stat().st_size} before", printed[3])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--keep", "idel"], "there is no family 'idel' in .*; there are: acl, "),
        (["--keep", ","], "name the families to keep; .* has: acl, "),
        (["--keep", "idle", "--without", "core"], "there is no part 'core' to leave out; there are: cli, testing"),
    ],
)
def test_errors_of_the_command(
    arguments: list[str], text: str, wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trim", str(wheel), *arguments, "-o", str(tmp_path / "out")]) == 1
    assert re.match(f"imapkit trim: {text}", capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_rendering_needs_no_file(wheel: Path) -> None:
    whole = read(wheel, DISTRIBUTION)
    assert render(whole) == render(read(wheel, DISTRIBUTION))
