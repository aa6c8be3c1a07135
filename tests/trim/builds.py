"""Trimmed builds: the base alone, the base with each other family, and all; ``make trimmed``.

Each is a wheel, installed into its own directory, where the tests of its family run against it. Then it prints a table: the size
of the wheel, of the installed sources, and the time until a program has a client class with its families' methods, compared with
``import imaplib``: the median of several new interpreters that have only this wheel and its requirements.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from imapkit import ext
from imapkit.cli.trim import trim
from tests.trim.support import ROOT, build, distribute, needed, pip

BASE = "rev1"
ROUNDS = 7
CLIENT = "import imapkit; imapkit.IMAP4.noop"
OTHER = "import imaplib; imaplib.IMAP4"
TIMED = "import sys, time; sys.path[:0] = sys.argv[1:]; start = time.perf_counter(); {}; print(time.perf_counter() - start)"

CHECKED = """
import importlib.util, pytest, sys
assert importlib.util.find_spec("imapkit").origin.startswith({!r}), "another imapkit stands before it"
sys.exit(pytest.main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Build:
    """One wheel, its directory, and its tests."""

    title: str
    wheel: Path
    place: Path
    tests: tuple[str, ...]

    @property
    def installed(self) -> int:
        """The size in bytes, without compiled modules."""
        return sum(path.stat().st_size for path in self.place.rglob("*") if path.is_file() and path.suffix != ".pyc")


def builds(directory: Path) -> Iterator[Build]:
    """Make all builds, smallest first."""
    whole = build(directory)
    others = sorted(ext.INDEX.keys() - {BASE})
    base = ("tests/ext/rev1",)
    yield made("base, nothing else", whole, [BASE], (), directory, without=["cli", "testing"])
    yield made("base", whole, [BASE], base, directory)
    for name in others:
        yield made(f"base, {name}", whole, [BASE, name], (f"tests/ext/test_{name}.py",), directory)
    own = tuple(f"tests/ext/test_{name}.py" for name in others)
    yield made("all", whole, [BASE, *others], (*base, *own, "tests/ext/test_alone.py"), directory)


def made(title: str, whole: Path, keep: list[str], tests: tuple[str, ...], directory: Path, without: Sequence[str] = ()) -> Build:
    """Trim and install."""
    name = title.replace(", ", "-").replace(" ", "_")
    wheel = trim(whole, keep, without=without, directory=directory / "wheels" / name).path
    place = directory / "installed" / name
    pip(Path(sys.executable), "install", "--quiet", "--no-deps", "--no-index", "--target", place, wheel)
    return Build(title, wheel, place, tests)


def tested(one: Build, elsewhere: Path) -> str:
    """Run the tests of a build against it, with no other imapkit before it on the path. Returns the failures, or ""."""
    if not one.tests:
        return ""
    argv = [
        "-q",
        "-c",
        str(ROOT / "pyproject.toml"),
        "-o",
        "pythonpath=",
        "--rootdir",
        str(elsewhere),
        *(() if one.title == "all" else ("-m", "not together")),
        *one.tests,
    ]
    code = CHECKED.format(str(one.place))
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(one.place), str(elsewhere)])}
    done = subprocess.run(
        [sys.executable, "-c", code, *argv], cwd=elsewhere, env=environ, capture_output=True, text=True, timeout=300
    )
    last = (done.stdout.strip().splitlines() or [""])[-1]
    print(f"{one.title}: {last}", flush=True)
    return "" if done.returncode == 0 and " passed" in last else f"{one.title}:\n{done.stdout}{done.stderr}"


def seconds(code: str, *path: Path) -> float:
    """The time that a new interpreter takes for ``code``, without its own start."""
    argv = [sys.executable, "-I", "-S", "-c", TIMED.format(code), *map(str, path)]
    return float(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout)


def table(made: Sequence[Build], needs: Path) -> Iterator[str]:
    """The lines of the table. The builds are measured in turns, so that a busy moment affects all of them."""
    times: dict[str, list[float]] = {one.title: [] for one in made}
    other: list[float] = []
    for _ in range(ROUNDS):
        other.append(seconds(OTHER))
        for one in made:
            times[one.title].append(seconds(CLIENT, one.place, needs))
    beside = statistics.median(other)
    yield f"{'build':<20} {'wheel':>9} {'installed':>10} {'import':>9}   x imaplib"
    for one in made:
        took = statistics.median(times[one.title])
        size = f"{one.wheel.stat().st_size:>9,} {one.installed:>10,}"
        yield f"{one.title:<20} {size} {took * 1000:>6.1f} ms {took / beside:>11.2f}"
    yield f"bytes; medians of {ROUNDS}; import imaplib takes {beside * 1000:.1f} ms; Python {sys.version.split()[0]}"


def main() -> int:
    """Make, test and measure the builds. Returns 1 if a test failed, else 0."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    arguments.add_argument("--write", type=Path, metavar="FILE", help="write the table to a file, too")
    args, start = arguments.parse_args(), time.monotonic()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        directory = Path(name)
        every = list(builds(directory))
        elsewhere, needs = directory / "elsewhere", directory / "needs"
        elsewhere.mkdir()
        (elsewhere / "tests").symlink_to(ROOT / "tests")
        for distribution in needed("imapkit"):
            distribute(distribution, needs)
        compileall.compile_dir(needs, quiet=1)
        failures = [failure for failure in pool.map(lambda one: tested(one, elsewhere), every) if failure]
        lines = list(table(every, needs))
    print("\n".join(["", *lines, *failures]))
    print(f"{len(every)} builds, {len(failures)} with failing tests, {time.monotonic() - start:.0f} s")
    if args.write:
        args.write.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
