"""The inputs that are kept: one bytes literal a line in ``corpus/TARGET.txt``, and all wire vectors.

Each line reaches code that no other reaches, or once failed (those are under ``# found``).
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import imapkit

__all__ = ["PLACE", "kept", "minimised", "vectors", "write"]

PLACE = Path(__file__).parent / "corpus"
FOUND = "# found"
_PACKAGE = str(Path(imapkit.__file__).parent)


def vectors() -> list[bytes]:
    """What servers send in the wire vectors."""
    streams = []
    for path in sorted((Path(__file__).parents[1] / "vectors").glob("*.toml")):
        for vector in tomllib.loads(path.read_text("utf-8"))["vector"]:
            lines = [line.encode("latin-1") + b"\r\n" for line in vector["wire"]]
            streams.append(b"".join(lines))
    return streams


def kept(target: str) -> list[bytes]:
    """The inputs of a target that are committed."""
    lines = (PLACE / f"{target}.txt").read_text("ascii").splitlines()
    return [ast.literal_eval(line) for line in lines if line and not line.startswith("#")]


def write(target: str, inputs: Iterable[bytes]) -> None:
    """Replace the inputs that are kept for the code they reach; those that once failed stay."""
    path = PLACE / f"{target}.txt"
    found = path.read_text("ascii").partition(FOUND)[2] if path.exists() else "\n"
    head = f"# Inputs of the target {target}: python -m tests.fuzz {target} --minimise writes them.\n"
    path.write_text(head + "".join(f"{data!r}\n" for data in inputs) + FOUND + found, "ascii")


def minimised(target: Callable[[bytes], None], inputs: Iterable[bytes]) -> list[bytes]:
    """The inputs, the shortest first, that take a way through the package which none before them takes."""
    known: set[Any] = set()
    chosen = []
    for data in sorted(set(inputs), key=lambda data: (len(data), data)):
        ways = _ways(target, data)
        if not ways <= known:
            known |= ways
            chosen.append(data)
    return chosen


def _ways(target: Callable[[bytes], None], data: bytes) -> set[Any]:
    """The steps from line to line."""
    seen: set[Any] = set()

    def enter(frame: FrameType, event: str, arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        code, last = frame.f_code, 0

        def step(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal last
            if event == "line":
                seen.add((code, last, frame.f_lineno))
                last = frame.f_lineno
            return step

        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        target(data)
    finally:
        sys.settrace(before)
    return seen
