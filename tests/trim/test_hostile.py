"""Hostile wheels, which attack the terminal, other files, or the memory and time of ``imapkit trim``."""

from __future__ import annotations

import contextlib
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imapkit.cli import trim_source, trim_wheel
from imapkit.cli.main import main
from imapkit.cli.trim import TrimError, trim
from tests.trim.test_trim import IDLE, INFO, instead, put, repacked

ESCAPE = "\x1b[2J\x1b]0;owned\x07"
SEPARATOR = "\u2028forged: line\u202e"
DEEP = 100_000
Change = Callable[[dict[str, bytes]], None]


def module(text: str) -> Change:
    return put(IDLE, text.encode())


def points(text: str) -> Change:
    return put(f"{INFO}/entry_points.txt", text.encode())


def quoting(text: str) -> dict[str, tuple[Change, bool]]:
    """Places of a wheel that an error quotes, with ``text`` in each."""
    return {
        "RECORD": (put(f"imapkit/{text}.py", b""), False),
        "METADATA": (instead(f"{INFO}/METADATA", b"Name: imapkit", f"Name: x{text}".encode()), True),
        "WHEEL": (instead(f"{INFO}/WHEEL", b"Wheel-Version: 1.0", f"Wheel-Version: 2.{text}".encode()), True),
        "a path outside": (put(f"../{text}", b""), True),
        "a path": (put(f"imapkit/ext/{text}.py", b"import ("), True),
        "entry points": (points(f"[imapkit]\nrev1 = imapkit.ext.rev1\nidle = x{text}"), True),
        "no section": (points(text), True),
        "requires": (instead(IDLE, b'("rev1",)', f"({text!r},)".encode()), True),
        "a source": (module(f'from imapkit.plugin import {text}\nx = "\\{text}"'), True),
    }


@pytest.mark.parametrize("text", [ESCAPE, SEPARATOR], ids=["escape", "separator"])
@pytest.mark.parametrize("where", quoting(""))
def test_text_from_a_wheel_is_escaped(
    where: str, text: str, wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, record = quoting(text)[where]
    bad = repacked(wheel, tmp_path, change, record=record)
    main(["trim", str(bad), "--keep", "idle", "-o", str(tmp_path / "out")])
    printed = capsys.readouterr()
    for line in (printed.out + printed.err).split("\n"):
        assert line.isprintable(), line
    assert printed.err.count("\n") <= 1


def test_names_of_families_are_escaped(wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report names the removed families; the error for an unknown one lists all."""
    hostile = points(f"[imapkit]\nrev1 = imapkit.ext.rev1\n{ESCAPE} = imapkit.ext.idle\n")
    bad = repacked(wheel, tmp_path, hostile)
    assert main(["trim", str(bad), "--keep", "nosuch", "-o", str(tmp_path / "out")]) == 1
    main(["trim", str(bad), "--keep", "rev1", "-o", str(tmp_path / "out")])
    printed = capsys.readouterr()
    assert "\\x1b[2J" in printed.err
    assert all(line.isprintable() for line in (printed.out + printed.err).split("\n"))


# Links


@pytest.mark.parametrize("what", ["link", "dangling link", "file", "directory"])
def test_an_existing_part_file_is_left_alone(what: str, wheel: Path, tmp_path: Path) -> None:
    victim, out = tmp_path / "victim", tmp_path / "out"
    out.mkdir()
    planted = out / f"{wheel.name}.part"
    if what.endswith("link"):
        planted.symlink_to(victim)
    elif what == "file":
        planted.write_bytes(b"mine")
    else:
        planted.mkdir()
    if what == "link":
        victim.write_bytes(b"mine")
    with pytest.raises(TrimError, match=r"\.part exists already, and is needed while"):
        trim(wheel, ["idle"], directory=out)
    assert [path.name for path in out.iterdir()] == [planted.name]
    assert victim.exists() == (what == "link")
    assert what != "link" or victim.read_bytes() == b"mine"
    assert what != "file" or planted.read_bytes() == b"mine"


def test_a_link_in_place_of_the_wheel_is_not_followed(wheel: Path, tmp_path: Path) -> None:
    victim, out = tmp_path / "victim", tmp_path / "out"
    out.mkdir()
    (out / wheel.name).symlink_to(victim)
    with pytest.raises(TrimError, match="exists already"):
        trim(wheel, ["idle"], directory=out)
    victim.write_bytes(b"mine")
    trim(wheel, ["idle"], directory=out, overwrite=True)
    assert victim.read_bytes() == b"mine"
    assert not (out / wheel.name).is_symlink()


def test_a_part_that_could_not_be_written_is_removed(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        trim(wheel, ["idle"], directory=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_mode_follows_the_umask(wheel: Path, tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        assert trim(wheel, ["idle"], directory=tmp_path / "out").path.stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(old)


# Sizes


def bomb(wheel: Path, place: Path, *sizes: int, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """The wheel with additional files of zeros."""
    path = place / wheel.name
    path.write_bytes(wheel.read_bytes())
    with zipfile.ZipFile(path, "a", method) as archive:
        for number, size in enumerate(sizes):
            with archive.open(f"imapkit/zeros{number}.py", "w") as member:
                for _ in range(size >> 16):
                    member.write(bytes(1 << 16))
    return path


@pytest.mark.parametrize(
    ("sizes", "text"),
    [((64 << 20,), r"zeros0\.py has more than 1048576 bytes"), ((1 << 20,) * 17, "its files have more than 16777216 bytes")],
    ids=["one", "together"],
)
def test_a_bomb_is_refused_before_it_is_read(sizes: tuple[int, ...], text: str, wheel: Path, tmp_path: Path) -> None:
    bad = bomb(wheel, tmp_path, *sizes)
    assert bad.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(TrimError, match=f"too large: .*{text}"):
            trim(bad, ["idle"], directory=tmp_path / "out")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_file_that_is_larger_than_stated(wheel: Path, tmp_path: Path) -> None:
    """The archive's directory and the file's header state 10 bytes; the file has a million."""
    bad = bomb(wheel, tmp_path, 1 << 20)
    size, data = (1 << 20).to_bytes(4, "little"), bad.read_bytes()
    assert data.count(size) >= 1
    bad.write_bytes(data.replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(TrimError, match="damaged"):
        trim(bad, ["idle"], directory=tmp_path / "out")


def test_too_many_files(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(TrimError, match="too large: more than 5000 files"):
        trim(bomb(wheel, tmp_path, *[0] * trim_wheel.MOST_FILES), ["idle"], directory=tmp_path / "out")


def test_a_large_archive(wheel: Path, tmp_path: Path) -> None:
    bad = tmp_path / wheel.name
    with bad.open("wb") as file:
        file.truncate(trim_wheel.MOST_BYTES + 1)
    with pytest.raises(TrimError, match="too large: more than 16777216 bytes"):
        trim(bad, ["idle"], directory=tmp_path / "out")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
def test_other_compression_methods(method: int, wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(TrimError, match="is not compressed with deflate"):
        trim(bomb(wheel, tmp_path, 1 << 16, method=method), ["idle"], directory=tmp_path / "out")


def test_a_record_with_an_endless_field(wheel: Path, tmp_path: Path) -> None:
    bad = repacked(wheel, tmp_path, put(f"{INFO}/RECORD", b'"' + b"x" * 200_000), record=False)
    with pytest.raises(TrimError, match=r"damaged: .*RECORD: field larger than field limit"):
        trim(bad, ["idle"], directory=tmp_path / "out")


# Sources

SOURCES: dict[str, str] = {
    "parentheses": "x = " + "(" * DEEP + ")" * DEEP,
    "signs": "x = " + "-" * DEEP + "1",
    "sum": "x = " + "+".join("1" * DEEP),
    "attributes": "x = a" + ".b" * DEEP,
    "calls": "f" + "()" * DEEP,
    "blocks": "\n".join(f"{' ' * depth}if x:" for depth in range(150)) + f"\n{' ' * 150}pass",
    "requires": "Family(requires=(" + "-" * DEEP + "1,))",
    "requires deep": "Family(requires=" + "(" * DEEP + ")" * DEEP + ")",
    "a number": "x = 1" + "0" * 10_000,
    "NUL": "x = '\0'",
    "an encoding": "# -*- coding: nosuch -*-\nx = (",
    "a surrogate": "x = '\\ud800'\nimport (",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize(
    "read",
    [
        trim_source.requires,
        lambda source: trim_source.imported(source, "imapkit.x", package=False),
        lambda source: trim_source.without(f"if TYPE_CHECKING:\n    from a.b import C\n{source}", {"a.b"}),
    ],
    ids=["requires", "imported", "without"],
)
def test_a_source_is_read_or_refused(source: str, read: Callable[[str], Any]) -> None:
    with contextlib.suppress(ValueError):  # and no other error
        read(source)


@pytest.mark.parametrize("what", ["parentheses", "signs", "sum", "requires", "requires deep"])
def test_a_deep_source_is_refused_clearly(what: str, wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = repacked(wheel, tmp_path, module(SOURCES[what]))
    assert main(["trim", str(bad), "--keep", "idle", "-o", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert f"{IDLE}: cannot read which families it requires: " in printed


@pytest.mark.parametrize("value", ["5", "(1,)", "([],)", "None", "'rev1'", "{'rev1': 1}", "b'rev1'", "needed"])
def test_requires_that_is_no_tuple_of_names(value: str, wheel: Path, tmp_path: Path) -> None:
    bad = repacked(wheel, tmp_path, instead(IDLE, b'("rev1",)', value.encode()))
    with pytest.raises(TrimError, match="cannot read which families it requires: line"):
        trim(bad, ["idle"], directory=tmp_path / "out")


def test_no_warning_shows_a_source(recwarn: pytest.WarningsRecorder) -> None:
    trim_source.requires('x = "\\\x1b[2J"')
    assert [str(warning.message) for warning in recwarn] == []
