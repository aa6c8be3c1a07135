"""Clients in turn, each in a process of its own, round after round, so that a busy machine is as unfair to all."""

from __future__ import annotations

import base64
import json
import statistics
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.payloads import MESSAGE
from bench.servers import Where
from bench.works import ORDER, Work

__all__ = ["Layer", "Outcome", "measure"]

_SLOW = 5000.0
"""Milliseconds from which on a client is not asked more than twice: the rounds are for what is quick, and varies."""
_PATIENCE = 90.0
_NOTHING = 3  # the worker's exit code: this client cannot do that


@dataclass(frozen=True)
class Layer:
    """What the connection goes through."""

    name: str
    tls: bool = False
    compress: bool = False


@dataclass
class Outcome:
    """What one client's rounds of one piece of work have come to."""

    rounds: list[dict[str, float]] = field(default_factory=list)
    error: str = ""
    able: bool = True

    def median(self, figure: str) -> float | None:
        """The median of a figure."""
        values = [each[figure] for each in self.rounds if figure in each]
        return statistics.median(values) if values else None

    @property
    def enough(self) -> bool:
        """Whether another round would say nothing new, or take too long."""
        slow = len(self.rounds) >= 2 and (self.median("wall") or 0.0) > _SLOW
        return bool(self.error) or not self.able or slow


def measure(
    work: Work, where: Where, layer: Layer, *, rounds: int, clients: Iterable[str], size: int, mailbox: str, modules: Path | None
) -> dict[str, Outcome]:
    """The outcomes by client."""
    options = {
        "host": where.host,
        "port": where.tls_port if layer.tls else where.port,
        "cafile": where.cafile if layer.tls else None,
        "compress": layer.compress,
        "user": where.user,
        "password": where.password,
        "mailbox": mailbox,
        "size": size,
    }
    outcomes = {name: Outcome() for name in ORDER if name in set(clients)}
    for _ in range(rounds):
        for name, outcome in outcomes.items():
            if not outcome.enough:
                _once(name, work, options, outcome, modules)
    return {name: outcome for name, outcome in outcomes.items() if outcome.able}


def _once(name: str, work: Work, options: dict[str, Any], outcome: Outcome, modules: Path | None) -> None:
    argv = _command(name, work, options, modules)
    if argv is None:
        outcome.able = False
        return
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        outcome.error = f"not done in {_PATIENCE:.0f} s"
        return
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
        return [sys.executable, "-m", "bench.worker", name, work.does, json.dumps(options)]
    if modules is None:
        return None
    message = base64.b64encode(MESSAGE).decode()
    script = Path(__file__).parent / "clients" / "imapflow.mjs"
    return ["node", str(script), work.does, json.dumps(options | {"message": message, "modules": str(modules)})]
