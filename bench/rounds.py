"""Clients in turn, each in a process of its own, round after round, so that a busy machine slows all alike."""

from __future__ import annotations

import base64
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from bench.ablations import WITHOUT
from bench.payloads import BODY_SIZE, MESSAGE
from bench.servers import Where
from bench.works import ORDER, Work

__all__ = ["LONGER", "MORE", "PATIENCE", "SLOW", "Layer", "Outcome", "measure"]

SLOW = 5.0
"""Seconds from which on a client is not asked again: the rounds are for what is quick, and varies."""
PATIENCE = 150.0
"""Seconds after which a client has failed; imaplib needs 90 for its APPENDs. Over TLS and COMPRESS it is less where it is known
how long the client took in the clear: ``LONGER`` times that, and ``MORE`` seconds."""
LONGER, MORE = 2, 10.0
_NOTHING = 3  # the worker's exit code: this client cannot do that
_KEPT = ("cpu", "memory", "peak", "threads", "slowest", "cpu ratio")


@dataclass(frozen=True)
class Layer:
    """The layers of a connection."""

    name: str
    tls: bool = False
    compress: bool = False


@dataclass
class Outcome:
    """The result of one client's rounds of one piece of work."""

    rounds: list[dict[str, float]] = field(default_factory=list)
    error: str = ""
    able: bool = True
    slow: float = SLOW
    seconds: float = 0.0
    """How long the last round took, everything included."""

    def median(self, figure: str) -> float | None:
        """The median of a figure."""
        values = [each[figure] for each in self.rounds if figure in each]
        return statistics.median(values) if values else None

    def figures(self, figure: str) -> dict[str, Any]:
        """The figures that are kept: medians, the compared figure of each round, and the error."""
        found: dict[str, Any] = {"error": self.error} if self.error else {}
        for name in (figure, *_KEPT):
            if (value := self.median(name)) is not None:
                found[name] = round(value, 4)
        if figure in found:
            found["rounds"] = [round(each[figure], 4) for each in self.rounds if figure in each]
        return found

    @property
    def patience(self) -> float:
        """How long the same work may take through a layer."""
        return min(PATIENCE, LONGER * self.seconds + MORE) if self.seconds else PATIENCE

    @property
    def enough(self) -> bool:
        """Whether another round would add nothing, or take too long."""
        return bool(self.error) or not self.able or self.seconds > self.slow


def measure(
    work: Work,
    where: Where,
    layer: Layer,
    *,
    rounds: int,
    clients: Sequence[str],
    size: int,
    mailbox: str,
    modules: Path | None,
    plain: Mapping[str, Outcome],
    prepare: Callable[[], object] = lambda: None,
    at_once: int = 1,
) -> dict[str, Outcome]:
    """The outcomes by client; those that have failed at the same in the clear (``plain``) are not asked.

    ``prepare``: what is done before each client's turn, so that no client has more to do because of an earlier one.
    ``at_once``: how many clients run side by side, where their figures do not matter; it is prepared once then.
    """
    ablated = any(WITHOUT in name for name in clients)
    options = {
        "host": where.host,
        "port": where.tls_port if layer.tls else where.port,
        "cafile": where.cafile if layer.tls else None,
        "compress": layer.compress,
        "user": where.user,
        "password": where.password,
        "mailbox": mailbox,
        "size": size,
        # (Each client that is compared with one without a scheme loads what switches schemes off.)
        "without": "" if ablated else None,
    }
    slow = inf if ablated else SLOW
    outcomes = {name: Outcome(slow=slow) for each in ORDER for name in clients if name.partition(WITHOUT)[0] == each}

    def ask(name: str) -> None:
        outcome, clear = outcomes[name], plain.get(name, Outcome())
        if not outcome.enough:
            if at_once == 1:
                prepare()
            _once(name, work, options | {"failed": clear.error}, outcome, modules, clear.patience)

    if at_once > 1:
        prepare()
    with ThreadPoolExecutor(at_once) as pool:
        for _ in range(rounds):
            list(pool.map(ask, outcomes))
    return {name: outcome for name, outcome in outcomes.items() if outcome.able}


def _once(name: str, work: Work, options: dict[str, Any], outcome: Outcome, modules: Path | None, patience: float) -> None:
    argv = _command(name, work, options, modules)
    if argv is None:
        outcome.able = False
        return
    began = time.monotonic()
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        outcome.error = f"not done in {patience:.0f} s"
        return
    outcome.seconds = time.monotonic() - began
    if done.returncode == _NOTHING:
        outcome.able = False
        return
    last = done.stdout.strip().rpartition("\n")[2]
    found: dict[str, Any] = (
        json.loads(last) if last.startswith("{") else {"error": done.stderr.strip().rpartition("\n")[2] or "died"}
    )
    if "error" in found:
        outcome.error = found["error"]
    else:
        outcome.rounds.append(found)


def _command(name: str, work: Work, options: dict[str, Any], modules: Path | None) -> list[str] | None:
    if name != "imapflow":
        client, without, scheme = name.partition(WITHOUT)
        given = options | {"without": scheme} if without else options
        return [sys.executable, "-m", "bench.worker", client, work.does, json.dumps(given)]
    if modules is None:
        return None
    more = {"message": base64.b64encode(MESSAGE).decode(), "body": BODY_SIZE, "modules": str(modules)}
    script = Path(__file__).parent / "clients" / "imapflow.mjs"
    return ["node", str(script), work.does, json.dumps(options | more)]
