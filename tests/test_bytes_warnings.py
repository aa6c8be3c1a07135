"""``python -bb``: text and bytes are never compared, nor bytes turned into text by ``str``, whatever a program gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = [
    "tests/ext",
    "tests/test_vectors.py",
    "tests/security/test_hidden.py",
    "tests/threads/test_futures.py",
    *(f"tests/core/test_{name}.py" for name in ("wire", "extended", "result", "oldnames", "facade", "defects", "secure")),
]


@pytest.mark.heavy
@pytest.mark.together
@pytest.mark.timeout(300)
def test_the_tests_of_arguments_and_answers_under_bb() -> None:
    # In one process: those of xdist would not have the option.
    command = [sys.executable, "-bb", "-m", "pytest", "-q", "-x", "-p", "no:xdist", "-m", "not live and not heavy", *TESTS]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-3000:]
