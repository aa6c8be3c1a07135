"""What type checkers say of the programs in the directory ``programs``, and of the mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.typing.checking import CHECKERS, wanted

pytestmark = pytest.mark.timeout(120)
pytest.importorskip("mypy", reason="mypy is in the extra dev")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("checker", CHECKERS)
def test_a_checker_finds_the_mistakes_and_nothing_else(checker: str, version: str, tmp_path: Path) -> None:
    said, expected = CHECKERS[checker](tmp_path, version), wanted([*CHECKERS].index(checker))
    assert len(expected) > 100
    assert sorted(said - expected) == [], "is no mistake"
    assert sorted(expected - said) == [], "was not found"
