"""One wheel of this source tree for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trim.support import build


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The untrimmed wheel."""
    pytest.importorskip("hatchling", reason="hatchling is in the extra test")
    return build(tmp_path_factory.mktemp("whole"))
