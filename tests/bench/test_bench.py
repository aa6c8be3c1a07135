"""The benchmark runs, and its tables and verdicts follow from its figures. No test depends on a figure."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import imapkit
from bench.__main__ import main
from bench.canned import now
from bench.clients.common import Countdown
from bench.document import write
from bench.payloads import BODY_SIZE, mixed, payload, text
from bench.profiles import profile
from bench.relay import relayed
from bench.report import Row, headline, lines, merged, missed, missing, ratio
from bench.rounds import PATIENCE, SLOW, Outcome
from bench.servers import canned, client
from bench.worker import Run
from bench.works import ORDER, WORKS, Work, goal
from imapkit.testing import ScriptedServer

ROOT = Path(__file__).parents[2]
ROW: dict[str, dict[str, Any]] = {
    "imapkit": {"wall": 30.0, "rounds": [28.0, 30.0, 33.0]},
    "imaplib": {"wall": 60.0},
    "imaplib2": {"error": "it hangs"},
}
PLAIN = "canned, plain"


def run_of(row: Row, title: str = PLAIN, name: str = "flags", **more: Any) -> dict[str, Any]:
    """The record of a run that has done one piece of work."""
    return {"tables": {title: {name: row}}, "sizes": {title: {name: 500}}, "growth": {}, **more}


@pytest.mark.heavy
@pytest.mark.timeout(120)
def test_every_work_is_done_by_those_that_are_always_there(tmp_path: Path) -> None:
    kept = tmp_path / "figures.json"
    clients = ["bare", "imapkit", "imaplib"]
    argv = [sys.executable, "-m", "bench", "--small", "--servers", "canned", "--clients", *clients, "--json", str(kept)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(kept.read_text())
    plain = found["tables"][PLAIN]
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
def test_imaplib2_gets_the_same_work(tmp_path: Path) -> None:
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
    row = json.loads(kept.read_text())["tables"][PLAIN]["callback"]
    assert row["imaplib2"]["delay"] > 0
    assert row["imapkit"]["delay"] > 0


TYPED = [name for name in WORKS if name.startswith(("typed_", "rows", "down_", "status_far")) or name in ("awaited", "up")]


@pytest.mark.heavy
@pytest.mark.timeout(120)
def test_typed_calls_and_peers_do_the_same_work(tmp_path: Path) -> None:
    kept = tmp_path / "figures.json"
    peers = [name for name in ("aioimaplib", "imapclient", "imap_tools") if find_spec(name)]
    argv = ["--small", "--servers", "canned", "--layers", "plain", "--clients", "imapkit", *peers, "--json", str(kept)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *argv, "--works", *TYPED], cwd=ROOT, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    plain = json.loads(kept.read_text())["tables"][PLAIN]
    assert set(plain) == set(TYPED)
    for name, row in plain.items():
        assert row["imapkit"][WORKS[name].figure] > 0, name
        # (aioimaplib mixes up commands of one name.)
        failing = {peer for peer, figures in row.items() if "error" in figures}
        assert failing <= ({"aioimaplib"} if name == "status_far_awaited" else set()), row
        assert (set(WORKS[name].targets) & set(peers)) <= set(row), name


def test_ways_in_turn_are_compared_by_the_median_of_their_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(dict.fromkeys(("host", "port", "cafile", "compress", "user", "password", "mailbox"), "") | {"size": 0})
    calls: list[str] = []
    costs = {
        "one": iter([(90.0, 9.0), (2.0, 1.0), (3.0, 4.0), (8.0, 3.0)]),
        "other": iter([(1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (1.0, 2.0)]),
    }

    def cost(way: Callable[[], str]) -> tuple[float, float]:
        calls.append(way())
        return next(costs[calls[-1]])

    monkeypatch.setattr("bench.worker._costs", cost)
    run.turns(3, lambda: "one", lambda: "other")
    assert calls == ["other", "one", "one", "other", "other", "one", "one", "other"]
    assert run.figures == {"ratio": 2.0, "cpu ratio": 1.5}


def test_a_message_is_asked_for_by_its_number() -> None:
    with canned() as where, client(where, "uidflags-9") as imap:
        _, data = imap.uid("FETCH", "3:4", "(UID FLAGS)")
        assert [(message.uid, message.flags) for message in data.parsed()] == [
            (3, {"\\Seen", "\\Answered", "$Label3"}),
            (4, {"\\Seen", "\\Answered", "$Label4"}),
        ]
        imap.select("big-1000")
        _, data = imap.uid("FETCH", "1", "(BODY.PEEK[]<990.20>)")
        assert data[0][1] == text(1000)[990:]


def test_the_processors_share_is_shown_beside_a_multiple() -> None:
    row = {"imapkit": {"ratio": 1.2, "cpu ratio": 1.1, "rounds": [1.2]}}
    *_, line = lines([run_of(row, name="typed_noops")], PLAIN)
    assert line == "| typed NOOPs that block, in raw ones | 1.2 x, 1.1 of the processor | 1.1 x | **missed** |"


def test_a_ratio_is_imapkits_figure_in_those_of_the_peer() -> None:
    work = Work("x", "x", "none", 1, 1, targets={"imaplib": 0.4, "imaplib2": 0.1}, at_most=20)
    assert ratio(work, ROW, "imaplib") == 0.5
    assert ratio(work, ROW, "imaplib2") is None
    assert list(missed(work, PLAIN, ROW)) == ["0.5 x imaplib, not 0.4", "30 ms, not 20"]


def test_a_target_that_is_reached_is_not_missed() -> None:
    assert list(missed(Work("x", "x", "none", 1, 1, targets={"imaplib": 0.5}, at_most=30), PLAIN, ROW)) == []


def test_through_a_layer_no_peer_may_be_faster() -> None:
    work = Work("x", "x", "none", 1, 1, targets={"imaplib": 0.1})
    own = Work("x", "x", "none", 1, 1, targets={"imaplib": 0.1}, at_most=60.5, own=True)
    faster = {"imapkit": {"wall": 61.0}, "imaplib": {"wall": 60.0}}
    for title in ("canned, TLS", "canned, COMPRESS", "dovecot, TLS"):
        assert list(missed(work, title, ROW)) == []
        assert list(missed(work, title, faster)) == ["1.02 x imaplib, not 1"]
        assert list(missed(own, title, faster)) == ["61 ms, not 60.5"]
    assert list(missed(work, "dovecot, plain", faster)) == []
    bounded = Work("x", "x", "none", 1, 1, at_most=60.5)
    assert list(missed(bounded, "canned, TLS", faster)) == ["1.02 x imaplib, not 1", "61 ms, not 60.5"]


def test_through_a_layer_the_table_is_the_same_but_for_what_no_layer_takes_part_in() -> None:
    plain = {work.name for work in WORKS.values() if work.sized("canned", "plain")}
    layered = {work.name for work in WORKS.values() if work.sized("canned", "TLS")}
    typed = {name for name in plain if name.startswith(("typed_", "rows", "down_", "status_far"))}
    assert plain - layered == {"importing", "first", "awaited", "up"} | typed


def test_work_for_a_real_server_only_has_its_goal_there() -> None:
    seen = WORKS["idle_seen"]
    assert goal(seen, "dovecot", "plain").targets == seen.targets
    assert (seen.sized("canned", "plain"), seen.sized("dovecot", "plain"), seen.sized("dovecot", "TLS")) == (0, 8, 2)
    assert WORKS["idle_line"].sized("dovecot", "TLS") == 0


def test_the_size_is_that_of_server_and_layer() -> None:
    work = WORKS["appends"]
    assert [work.sized("canned", "plain"), work.sized("canned", "TLS"), work.sized("dovecot", "TLS")] == [2000, 250, 100]
    assert work.sized("dovecot", "plain", small=True) == work.small
    assert work.titled(2000) == "2,000 APPENDs of 4 KB, one after another"


def test_a_table_says_what_is_missed_and_what_fails() -> None:
    head, _, row = lines([run_of(ROW)], PLAIN)
    assert head == "| work | imapkit | imaplib | imaplib2 | at most | |"
    title = "FETCH of 500 rows of flags, raw"
    assert row == f"| {title} | 30 ms (28 to 33) | 0.50 | fails | 0.4 x imaplib, 0.2 x imaplib2 | **missed** |"
    *_, row = lines(
        [run_of({"imapkit": {"wall": 1.0}, "imaplib2": {"error": "it hangs"}}, "canned, COMPRESS")], "canned, COMPRESS"
    )
    assert row == f"| {title} | 1 ms | fails | 1 x imaplib2 | imaplib2 fails |"
    head, _, row = lines([run_of(ROW, "dovecot, plain")], "dovecot, plain")
    assert (head, row) == ("| work | imapkit | imaplib | imaplib2 |", f"| {title} | 30 ms (28 to 33) | 0.50 | fails |")


def test_two_runs_stand_side_by_side() -> None:
    runs = [run_of(ROW), run_of({"imapkit": {"wall": 20.0, "rounds": [20.0]}, "imaplib": {"wall": 60.0}})]
    *_, row = lines(runs, PLAIN)
    assert "| 30 / 20 ms (20 to 33) | 0.50 / 0.33 | fails / - |" in row
    assert row.endswith("| **missed** / met |")
    assert list(missing(runs)) == ["canned, plain: FETCH of 500 rows of flags, raw: 0.5 x imaplib, not 0.4 / met"]


def test_a_page_part_with_one_figure_has_the_medians_of_both_runs(tmp_path: Path) -> None:
    runs = [run_of(ROW, growth={"rows": 2.0}), run_of({"imapkit": {"wall": 20.0, "cpu": 8.0}, "imaplib": {"wall": 40.0}})]
    del runs[1]["growth"]
    both = merged(runs)
    assert both["tables"][PLAIN]["flags"] == {"imapkit": {"wall": 25.0, "cpu": 8.0}, "imaplib": {"wall": 50.0}, "imaplib2": {}}
    assert merged(runs[:1]) == runs[0]
    page = tmp_path / "benchmarks.md"
    write(runs, page, kept=[tmp_path / "benchmarks" / "first.json", None])
    text = page.read_text()
    assert "0.5 of imaplib's time" in text
    assert "| rows | 2.00 | met |" in text
    assert "[first.json](benchmarks/first.json)" in text


def test_a_server_that_is_not_there_is_left_out_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "figures.json"
    argv = ["--small", "--servers", "dovecot", "--clients", "bare", "--json", str(kept)]
    monkeypatch.setattr("tests.servers.dovecot.missing", lambda: "no dovecot: install it")
    monkeypatch.delenv("IMAPKIT_REQUIRE_SERVERS", raising=False)
    assert main(argv) == 0
    assert "dovecot is left out: no dovecot: install it" in capsys.readouterr().out
    found = json.loads(kept.read_text())
    assert (found["tables"], found["machine"]["Dovecot"]) == ({}, "left out: no dovecot: install it")
    monkeypatch.setenv("IMAPKIT_REQUIRE_SERVERS", "1")
    assert main(argv) == 1


def test_a_command_that_is_refused_is_not_done() -> None:
    done, refused = Countdown(2), Countdown(2)
    for answer in (("OK", [b""]), ("OK", [b""])):
        done((answer, None, None))
    for answer in (("NO", [b""]), ("OK", [b""])):
        refused((answer, None, None))
    assert done.wait()
    assert not refused.wait()


def test_kept_runs_are_compared_without_measuring(tmp_path: Path) -> None:
    kept, page, readme = tmp_path / "run.json", tmp_path / "page.md", tmp_path / "README.md"
    kept.write_text(json.dumps(run_of(ROW)))
    readme.write_text("Fast.\n<!-- bench -->\nOld.\n<!-- /bench -->\nMore.\n")
    argv = ["--compare", str(kept), str(kept), "--document", str(page), "--readme", str(readme)]
    done = subprocess.run([sys.executable, "-m", "bench", *argv], cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    assert "| 30 ms (28 to 33) | 0.50 | fails |" in done.stdout
    said = headline(run_of(ROW))
    assert said == "FETCH of the flags of 500 messages takes 0.5 of imaplib's time"
    assert readme.read_text() == f"Fast.\n<!-- bench -->\n{said}.\n<!-- /bench -->\nMore.\n"
    assert f"{said}." in page.read_text()


def test_the_median_of_the_rounds_counts() -> None:
    outcome = Outcome([{"wall": 1.0, "cpu": 3.0}, {"wall": 9.0}, {"wall": 2.0}])
    assert (outcome.median("wall"), outcome.median("delay")) == (2.0, None)
    assert outcome.figures("wall") == {"wall": 2.0, "cpu": 3.0, "rounds": [1.0, 9.0, 2.0]}
    assert outcome.figures("delay") == {"cpu": 3.0}
    assert Outcome(error="died").figures("wall") == {"error": "died"}


def test_a_client_that_is_slow_or_fails_is_not_asked_again() -> None:
    assert not Outcome([{"wall": 1.0}], seconds=SLOW).enough
    assert Outcome([{"wall": 1.0}], seconds=SLOW + 1).enough
    assert Outcome(error="died").enough
    assert [Outcome(seconds=taken).patience for taken in (0, 10, 1000)] == [PATIENCE, 30, PATIENCE]


def test_a_page_has_all_tables(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    write([run_of(ROW, growth={"rows": 2.3, "literals": 2.0}, profile="recv", machine={"processor": "fast"})], page)
    text = page.read_text()
    assert "## canned, plain" in text
    assert "- canned, plain: imaplib2, FETCH of 500 rows of flags, raw: it hangs" in text
    assert "| rows | 2.30 | **missed** |" in text
    assert "| literals | 2.00 | met |" in text
    assert "- growth of rows: 2.30, not 2.2" in text
    assert "    recv" in text
    assert "| processor | fast |" in text
    drawn = find_spec("matplotlib") is not None
    assert ("(benchmarks/flags.png)" in text) is drawn
    assert (tmp_path / "benchmarks" / "flags.png").exists() is drawn


@pytest.mark.heavy
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="cProfile covers one thread only")
def test_callers_and_readers_are_profiled() -> None:
    found = profile(small=True)
    assert found.count("the caller: ") == found.count(" reader: ") == 3
    assert found.count("context switches: ") == 3


def test_answers_are_as_large_as_asked() -> None:
    assert payload("flags", 10).count(b"\r\n") == 10
    assert payload("big", 100_000).startswith(b"* 1 FETCH (UID 1 FLAGS (\\Seen) RFC822.SIZE 100000 BODY[] {100000}\r\n")
    assert payload("structures", 3).count(b"(") == payload("structures", 3).count(b")")
    assert payload("none", 5) == b""
    assert {len(mixed(number)) for number in (1, 999)} == {BODY_SIZE}


def test_a_relay_tells_when_it_passed_on_that_there_is_mail() -> None:
    with ScriptedServer() as server, relayed(server.host, server.port) as port, imapkit.IMAP4("127.0.0.1", port) as imap:
        imap.login("u", "p")
        before = now()
        typ, data = imap.select("INBOX")
        assert typ == "OK"
        assert before <= int(data[0]) <= now()


def test_every_target_is_of_a_client_that_there_is() -> None:
    assert {peer for work in WORKS.values() for peer in work.targets} <= set(ORDER)
