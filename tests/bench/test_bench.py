"""The benchmark runs, and what it says of its figures is so. What the figures are is not for a test."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bench.document import write
from bench.payloads import payload
from bench.report import lines, missed, ratio
from bench.rounds import Outcome
from bench.works import ORDER, WORKS, Work

ROOT = Path(__file__).parents[2]
ROW: dict[str, dict[str, Any]] = {"imapkit": {"wall": 30.0}, "imaplib": {"wall": 60.0}, "imaplib2": {"error": "it hangs"}}


@pytest.mark.heavy
@pytest.mark.timeout(120)
def test_every_work_is_done_once_by_every_client(tmp_path: Path) -> None:
    kept = tmp_path / "figures.json"
    clients = ["bare", "imapkit", "imaplib"]
    argv = [sys.executable, "-m", "bench", "--small", "--servers", "canned", "--clients", *clients, "--json", str(kept)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(kept.read_text())
    plain = found["tables"]["canned, plain"]
    assert set(plain) == {name for name, work in WORKS.items() if work.canned}
    for name, row in plain.items():
        assert row["imapkit"][WORKS[name].figure] > 0, name
        assert set(WORKS[name].targets) & set(clients) <= set(row), name
    assert set(found["tables"]) == {"canned, plain", "canned, TLS", "canned, COMPRESS"}
    assert not [
        row for table in found["tables"].values() for row in table.values() if "imaplib" in row and "error" in row["imaplib"]
    ]
    assert all(value > 0 for value in found["growth"].values())


@pytest.mark.heavy
def test_imaplib2_is_asked_the_same(tmp_path: Path) -> None:
    kept = tmp_path / "figures.json"
    argv = [
        sys.executable,
        "-m",
        "bench",
        "--small",
        "--servers",
        "canned",
        "--layers",
        "plain",
        "--clients",
        "imaplib2",
        "imapkit",
    ]
    done = subprocess.run(
        [*argv, "--works", "noops_pipelined", "callback", "idlers", "--json", str(kept)],
        cwd=ROOT,
        capture_output=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    row = json.loads(kept.read_text())["tables"]["canned, plain"]["callback"]
    assert row["imaplib2"]["delay"] > 0
    assert row["imapkit"]["delay"] > 0


def test_a_ratio_is_imapkits_figure_in_those_of_the_peer() -> None:
    work = Work("x", "x", "none", 1, 1, targets={"imaplib": 0.4, "imaplib2": 0.1}, at_most=20)
    assert ratio(work, ROW, "imaplib") == 0.5
    assert ratio(work, ROW, "imaplib2") is None
    assert list(missed(work, ROW)) == ["0.50 x imaplib, not 0.4", "30.00, not 20"]


def test_a_target_that_is_reached_is_not_missed() -> None:
    assert list(missed(Work("x", "x", "none", 1, 1, targets={"imaplib": 0.5}, at_most=30), ROW)) == []


def test_a_table_says_what_is_missed_and_what_fails() -> None:
    table = {"flags": ROW}
    head, _, row = lines(table, targets=True)
    assert head == "| work | imapkit | imaplib | imaplib2 | at most |"
    assert row == "| FETCH of 50,000 rows of flags, raw | 30 ms | 0.50 | fails | 0.4 x imaplib, 0.2 x imaplib2 **missed** |"
    assert "missed" not in "".join(lines(table, targets=False))


def test_the_median_of_the_rounds_counts() -> None:
    outcome = Outcome([{"wall": 1.0}, {"wall": 9.0}, {"wall": 2.0}])
    assert (outcome.median("wall"), outcome.median("delay")) == (2.0, None)
    assert not outcome.enough
    assert Outcome([{"wall": 9000.0}, {"wall": 9000.0}]).enough
    assert Outcome(error="died").enough


def test_a_page_has_all_tables(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    write({"tables": {"canned, plain": {"flags": ROW}}, "growth": {"rows": 2.0}}, page)
    text = page.read_text()
    assert "## canned, plain" in text
    assert "imaplib2 fails" in text
    assert "| rows | 2.00 |" in text
    drawn = find_spec("matplotlib") is not None
    assert ("(benchmarks/flags.png)" in text) is drawn
    assert (tmp_path / "benchmarks" / "flags.png").exists() is drawn


def test_answers_are_as_large_as_asked() -> None:
    assert payload("flags", 10).count(b"\r\n") == 10
    assert payload("big", 100_000).startswith(b"* 1 FETCH (UID 1 FLAGS (\\Seen) RFC822.SIZE 100000 BODY[] {100000}\r\n")
    assert payload("structures", 3).count(b"(") == payload("structures", 3).count(b")")
    assert payload("none", 5) == b""


def test_every_target_is_of_a_client_that_there_is() -> None:
    assert {peer for work in WORKS.values() for peer in work.targets} <= set(ORDER)
