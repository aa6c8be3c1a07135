"""What is installed is found as ``importlib_metadata`` finds it, which is asked only where something is not plain."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import importlib_metadata
import pytest

from imapkit.core.plugins.installed import Installed, installed

GROUP = "imapkit-sample"
NAMES = ("sample", "Sample.Two", "sample_three", "absent")
POINTS = f"[{GROUP}]\none = json\n"
METADATA = "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n"


class Place:
    """Directories on sys.path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def entry(self, name: str) -> Path:
        """One more."""
        path = self.root / name
        path.mkdir(exist_ok=True)
        if str(path) not in sys.path:
            sys.path.append(str(path))
        return path

    def add(
        self, info: str, points: str | bytes | None = POINTS, metadata: str | bytes | None = METADATA, *,
        entry: str = "a", file: str = "METADATA",
    ) -> Path:  # fmt: skip
        """A distribution."""
        place = self.entry(entry) / info
        place.mkdir()
        for name, content in (("entry_points.txt", points), (file, metadata)):
            if content is not None:
                (place / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    # Entries that do not exist, or are no directories, are no error, and would be looked at.
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if Path(entry).is_dir()])
    return Place(tmp_path)


class Finder:
    """Finds nothing, so that whatever is found is by ``importlib_metadata``."""

    @staticmethod
    def find_spec(*args: object) -> None:
        """No module."""

    @staticmethod
    def find_distributions(*args: object) -> tuple[()]:
        """No distribution."""
        return ()


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[Installed, Installed, bool]]:
    """What is found, what the library finds, and whether it was asked in the first place."""
    asked: list[object] = []

    def entry_points(*, group: str, ask: Callable[..., object] = importlib_metadata.entry_points) -> object:
        asked.append(group)
        return ask(group=group)

    def both() -> tuple[Installed, Installed, bool]:
        with monkeypatch.context() as patch:
            patch.setattr(importlib_metadata, "entry_points", entry_points)
            ours, was_asked = installed(GROUP, NAMES), bool(asked)
            patch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
            theirs = installed(GROUP, NAMES)
        assert len(asked) == 1 + was_asked
        return ours, theirs, was_asked

    return both


Found = Callable[[], tuple[Installed, Installed, bool]]


def longer(text: str) -> str:
    return METADATA.replace("sample", text)


def several(place: Place) -> None:
    place.add("sample-1.0.dist-info")
    place.add("Sample.Two-2.dist-info", f"[{GROUP}]\ntwo = json:loads\nthree = json.decoder:JSONDecoder.decode\n",
              "Name: Sample.Two\nversion:2\n")  # fmt: skip
    place.add("none-2.dist-info", None, longer("none"))
    place.add("other-2.dist-info", "[console_scripts]\nx = y:z\n", longer("other"), entry="b")


def first_counts(place: Place) -> None:
    place.add("sample-1.0.dist-info")
    place.add("SAMPLE-2.0.dist-info", f"[{GROUP}]\ntwo = json\n", entry="b")
    place.add("sample_two-2.0.dist-info", None, longer("sample-two"))
    place.add("sample.two-2.0.dist-info", entry="b")


def twice_on_the_path(place: Place) -> None:
    place.add("sample-1.0.dist-info")
    sys.path.append(sys.path[-1])


def no_such_directory(place: Place) -> None:
    place.add("sample-1.0.dist-info")
    sys.path.append(str(place.root / "none"))


PLAIN: dict[str, Callable[[Place], object]] = {
    "nothing": lambda place: place.entry("a"),
    "several": several,
    "first counts": first_counts,
    "twice on the path": twice_on_the_path,
    "no such directory": no_such_directory,
    "egg-info": lambda place: place.add("sample_three.egg-info", file="PKG-INFO"),
    "egg-info, a file": lambda place: (place.entry("a") / "sample-1.0.egg-info").write_text(METADATA),
    "left over by pip": lambda place: (place.add("sample-1.0.dist-info"), place.add("~ample-1.0.dist-info")),
    "comments, other sections, CRLF": lambda place: place.add(
        "sample-1.dist-info",
        f"# [x]\r\n[console_scripts]\r\nno = json\r\n\r\n [{GROUP}] \r\n#two = json\r\n one  =  json \r\n[y]\r\nz = json\r\n",
        METADATA.replace("\n", "\r\n") + "\r\nName: in the text\r\n",
    ),
    "said twice": lambda place: place.add("sample-1.dist-info", POINTS + "one = json\none = os\n"),
    "another group that holds the name": lambda place: place.add("sample-1.dist-info", f"[{GROUP}.more]\none = json\n"),
    "folded": lambda place: place.add("sample-1.dist-info", metadata="Summary: a\n   b\n" + METADATA + "Name: second\n\nText"),
    "entry points that are a directory": lambda place: (
        place.add("sample-1.dist-info", None) / "entry_points.txt"
    ).mkdir(),
}  # fmt: skip


def egg(place: Place) -> None:
    place.add("EGG-INFO", file="PKG-INFO", entry="sample-1.0-py3.egg")


def archive(place: Place) -> None:
    path = place.root / "archive.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("sample-1.0.dist-info/METADATA", METADATA)
        opened.writestr("sample-1.0.dist-info/entry_points.txt", POINTS)
    sys.path.append(str(path))


UNUSUAL: dict[str, Callable[[Place], object]] = {
    "egg": egg,
    "archive": archive,
    "another spelling": lambda place: place.add("sample-1.0.Dist-Info"),
    "nameless": lambda place: place.add("-1.0.dist-info"),
    "extras": lambda place: place.add("sample-1.0.dist-info", POINTS.replace("json", "json:loads [extra]")),
    "spaces": lambda place: place.add("sample-1.0.dist-info", POINTS.replace("json", "json : loads")),
    "no reference": lambda place: place.add("sample-1.0.dist-info", POINTS.replace("json", "..")),
    "folded name": lambda place: place.add("sample-1.0.dist-info", metadata="Name: sam\n  ple\nVersion: 1\n"),
    "a name of two words": lambda place: place.add("sample-1.0.dist-info", metadata=longer("sam ple")),
    "first without metadata": lambda place: (
        place.add("sample-1.0.dist-info", metadata=None),
        place.add("sample-2.0.dist-info", f"[{GROUP}]\ntwo = json\n", entry="b"),
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_metadata_is_read_without_the_library(place: Place, found: Found, name: str) -> None:
    PLAIN[name](place)
    ours, theirs, asked = found()
    assert not asked
    assert ours == theirs


@pytest.mark.parametrize("name", UNUSUAL)
def test_all_else_is_left_to_the_library(place: Place, found: Found, name: str) -> None:
    UNUSUAL[name](place)
    ours, theirs, asked = found()
    assert asked
    assert ours == theirs


def test_every_distribution_installed_here_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    points = importlib_metadata.entry_points()
    names = [dist.metadata["Name"] for dist in importlib_metadata.distributions()]
    assert {"imapkit", "pytest11", "console_scripts"} <= points.groups
    ours = {group: installed(group, names) for group in points.groups}
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    for group, found in ours.items():
        assert found == installed(group, names)


def test_the_cases_of_these_tests_exist(place: Place, found: Found) -> None:
    several(place)
    (points, there), _, _ = found()
    assert {(p.name, p.value, p.distribution, p.version) for p in points} == {
        ("one", "json", "sample", "1.0"),
        ("two", "json:loads", "Sample.Two", "2"),
        ("three", "json.decoder:JSONDecoder.decode", "Sample.Two", "2"),
    }
    assert {point.name: point.load() for point in points} == {
        "one": json, "two": json.loads, "three": json.JSONDecoder.decode,
    }  # fmt: skip
    assert there == {"sample", "Sample.Two"}


def test_the_first_on_the_path_counts(place: Place, found: Found) -> None:
    first_counts(place)
    (points, _), _, _ = found()
    assert [(point.name, point.version) for point in points] == [("one", "1.0")]


@pytest.mark.parametrize("metadata", [None, "", "Name: sample\n", "\n", "no fields\nName: sample\n", b"Name: \xff\nVersion: 1\n"])
def test_broken_metadata_is_what_the_library_makes_of_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, metadata: str | bytes | None
) -> None:
    place.add("sample-1.0.dist-info", metadata=metadata)
    outcomes: list[Installed | str] = []
    for finders in (sys.meta_path, [*sys.meta_path, Finder]):
        monkeypatch.setattr(sys, "meta_path", finders)
        try:
            outcomes.append(installed(GROUP, NAMES))
        except Exception as exc:
            outcomes.append(repr(exc))
    assert outcomes[0] == outcomes[1]


def test_entries_of_another_distribution_are_not_read(place: Place) -> None:
    place.add("other-1.0.dist-info", b"[console_scripts]\n\xff no pair\n", b"\xff")
    place.add("sample-1.0.dist-info")
    points, there = installed(GROUP, NAMES)
    assert [point.name for point in points] == ["one"]
    assert there == {"sample"}


def test_requirements_are_those_of_the_distribution(place: Place) -> None:
    place.add("sample-1.0.dist-info", metadata=METADATA + "Requires-Dist: imapkit>=2\n")
    ((point,), _) = installed(GROUP)
    assert point.wanted() == "imapkit>=2"
    assert list(point.requirements()) == ["imapkit>=2"]
