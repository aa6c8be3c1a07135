"""What type checkers say of the programs in the directory ``programs``, and of the mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.typing.checking import CHECKERS, wanted

pytestmark = pytest.mark.timeout(120)
pytest.importorskip("mypy", reason="mypy is in the extra dev")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_both_checkers_find_the_mistakes_and_nothing_else(version: str, tmp_path: Path) -> None:
    # (They run at once: each takes one core.)
    started = {name: checker(tmp_path, version) for name, checker in CHECKERS.items()}
    found = {name: said() for name, said in started.items()}
    for which, name in enumerate(CHECKERS):
        expected = wanted(which)
        assert len(expected) > 100
        assert sorted(found[name] - expected) == [], f"{name}: is no mistake"
        assert sorted(expected - found[name]) == [], f"{name}: was not found"
