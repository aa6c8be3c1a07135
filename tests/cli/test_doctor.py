from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imapkit import ext
from imapkit.cli import doctor
from imapkit.core import plugins

FAMILY = """
from imapkit.core.api import Commands
from imapkit.family import Family, hookimpl

class AlphaCommands(Commands):
    def zeta(self) -> None: ...
    def eta(self) -> None: ...
    def _hidden(self) -> None: ...

@hookimpl
def imapkit_family() -> Family:
    return Family("alpha", mixin=AlphaCommands)
"""


@pytest.fixture
def families(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that stands for imapkit/ext, with one family and a stale index."""
    (tmp_path / "alpha.py").write_text(FAMILY)
    (tmp_path / "_helper.py").write_text("raise RuntimeError('imported')")
    (tmp_path / "__init__.py").write_text("")
    monkeypatch.setattr(ext, "__path__", [str(tmp_path)])
    monkeypatch.setattr(ext, "INDEX", {"alpha": ()})
    monkeypatch.setattr(plugins, "OWN", "imapkit-without-metadata")
    monkeypatch.setenv("IMAPKIT_PLUGINS", "alpha")
    monkeypatch.delenv("IMAPKIT_DISABLE", raising=False)
    yield tmp_path
    sys.modules.pop("imapkit.ext.alpha", None)
    vars(ext).pop("alpha", None)


def test_the_index_of_imapkit_is_up_to_date() -> None:
    assert doctor.index() == ext.INDEX
    assert Path(ext.__path__[0], "__init__.py").read_text(encoding="utf-8") == doctor.render(ext.INDEX)


def test_a_stale_index_is_reported_and_can_be_written(families: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(write=False) == 1
    assert capsys.readouterr().out == f"{families / '__init__.py'} is stale: run imapkit doctor --write\n"
    assert doctor.main(write=True) == 0
    assert doctor.main(write=False) == 0
    assert capsys.readouterr().out == "all is well\nall is well\n"


def test_what_is_written_is_the_index(families: Path) -> None:
    assert doctor.index() == {"alpha": ("eta", "zeta")}
    doctor.main(write=True)
    namespace: dict[str, object] = {}
    exec((families / "__init__.py").read_text(), namespace)
    assert namespace["INDEX"] == {"alpha": ("eta", "zeta")}


def test_a_family_without_methods() -> None:
    namespace: dict[str, object] = {}
    exec(doctor.render({"bare": (), "one": ("x",)}), namespace)
    assert namespace["INDEX"] == {"bare": (), "one": ("x",)}


def test_a_broken_family_is_reported(families: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (families / "alpha.py").write_text("1 / 0")
    assert doctor.main(write=True) == 1
    assert "cannot be imported: ZeroDivisionError" in capsys.readouterr().out
    assert (families / "__init__.py").read_text() == ""
