"""Runs unittest's tests in this process and writes what became of each: ``outcomes.py OUT unittest DIRECTORY | livetest INI``.

OUT gets JSON: the name of each test with "passed", "skipped: why" or "failed: the traceback". Only the standard library is
imported here, so that what the tests import as imaplib is what PYTHONPATH says.
"""

from __future__ import annotations

import json
import sys
import unittest
from pathlib import Path
from typing import Any


class Outcomes(unittest.TestResult):
    """A result that keeps the outcome of each test by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, str] = {}

    @staticmethod
    def name(test: Any) -> str:
        """The test's name; a class's as it is now, for IMAPClient gives them new ones."""
        kind, method = type(test), getattr(test, "_testMethodName", "")
        return f"{kind.__module__}.{kind.__name__}.{method}" if method else str(test.id())

    def addSuccess(self, test: Any) -> None:
        self.outcomes.setdefault(self.name(test), "passed")

    def addSkip(self, test: Any, reason: str) -> None:
        self.outcomes.setdefault(self.name(test), f"skipped: {reason}")

    def addFailure(self, test: Any, err: Any) -> None:
        self.outcomes[self.name(test)] = f"failed: {self._exc_info_to_string(err, test)}"  # type: ignore[attr-defined]

    addError = addFailure

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.addFailure(test, err)


def run(suite: unittest.TestSuite, out: Path) -> None:
    """Run the tests and write their outcomes."""
    result = Outcomes()
    suite.run(result)
    out.write_text(json.dumps(result.outcomes, indent=1), encoding="utf-8")


def livetest(ini: str, out: Path) -> None:
    """IMAPClient's own live tests, as its command line runs them, but for the runner."""
    from imapclient import livetest as module  # type: ignore[import-not-found, unused-ignore]

    sys.argv[1:] = [ini]
    module.unittest.main = lambda module: run(unittest.defaultTestLoader.loadTestsFromName(module), out)
    module.main()


def main() -> None:
    """See the module's documentation."""
    out, kind, where = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    if kind == "livetest":
        livetest(where, out)
    else:
        run(unittest.defaultTestLoader.discover(f"{where}/tests", top_level_dir=where), out)


if __name__ == "__main__":
    main()
