"""``python -m bench``: the same work by every client, in turn, several rounds; medians and ratios."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import document, report
from bench.growth import growth
from bench.rounds import Layer, Outcome, measure
from bench.servers import REAL_MAILBOX, Where, canned, far, real
from bench.works import ORDER, WORKS, Work

_LAYERS = (Layer("plain"), Layer("TLS", tls=True), Layer("COMPRESS", compress=True))
_KEPT = ("cpu", "memory", "threads")
_BUILTIN = {"bare", "imaplib"}


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for. Returns 0, or 1 if imapkit failed somewhere."""
    options = _options(arguments)
    options.modules = _imapflow(options.node) if "imapflow" in options.clients else None
    tables = {name: _rows(outcomes) for name, outcomes in _tables(options)}
    grown = growth(options.small) if "canned" in options.servers and not options.works else {}
    for name, value in grown.items():
        print(f"growth of {name}: t(2n)/t(n) = {value:.2f}")
    found = {"tables": tables, "growth": grown}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    if options.document:
        document.write(found, options.document)
    return int(any("error" in row.get("imapkit", {}) for table in tables.values() for row in table.values()))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each client does each piece of work")
    parser.add_argument("--small", action="store_true", help="little work, once: to see that it runs")
    parser.add_argument("--works", nargs="*", default=[], metavar="WORK", choices=[*WORKS, []], help=" ".join(WORKS))
    parser.add_argument("--clients", nargs="*", default=list(ORDER), metavar="CLIENT", help=" ".join(ORDER))
    parser.add_argument("--servers", nargs="*", default=["canned", "dovecot"], choices=["canned", "dovecot"])
    parser.add_argument("--layers", nargs="*", default=[layer.name for layer in _LAYERS], help="plain TLS COMPRESS")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--document", type=Path, metavar="FILE", help="write the tables, and pictures in a directory beside it")
    parser.add_argument(
        "--node", type=Path, default=Path(".venv/node"), metavar="DIR", help="where imapflow is put, if npm is there"
    )
    return parser.parse_args(arguments)


def _imapflow(place: Path) -> Path | None:
    """The directory in which Node finds imapflow; None where there is no npm."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None
    if not (place / "node_modules" / "imapflow").exists():
        place.mkdir(parents=True, exist_ok=True)
        argv = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place), "imapflow"]
        if subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode:
            return None
    return place.resolve()


def _tables(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, dict[str, Outcome]]]]:
    """A table for each server and layer."""
    starts: dict[str, Any] = {"canned": canned, "dovecot": real}
    for server in options.servers:
        with starts[server]() as where:
            for layer in _LAYERS:
                if layer.name in options.layers:
                    yield f"{server}, {layer.name}", _table(options, server, where, layer)


def _table(options: argparse.Namespace, server: str, where: Where, layer: Layer) -> dict[str, dict[str, Outcome]]:
    print(f"\n{server}, {layer.name}", flush=True)
    found: dict[str, dict[str, Outcome]] = {}
    for work in WORKS.values():
        wanted = not options.works or work.name in options.works
        fits = (work.canned if server == "canned" else work.real_size) and (layer.name == "plain" or not work.plain)
        if wanted and fits:
            found[work.name] = _work(options, server, where, layer, work, found)
            _show(work, found[work.name])
    return found


def _work(
    options: argparse.Namespace, server: str, where: Where, layer: Layer, work: Work, done: Mapping[str, dict[str, Outcome]]
) -> dict[str, Outcome]:
    same = next((name for name in done if WORKS[name].does == work.does), None)
    if same is not None:
        return done[same]
    size = work.small if options.small else work.real_size if server == "dovecot" else work.size
    mailbox = REAL_MAILBOX if server == "dovecot" else f"{work.mailbox}-{size}"
    link: AbstractContextManager[Where] = far(where, work.delay) if work.delay else nullcontext(where)
    clients = [name for name in options.clients if name in _BUILTIN or name == "imapflow" or find_spec(name)]
    rounds = 1 if options.small else options.rounds
    with link as there:
        return measure(work, there, layer, rounds=rounds, clients=clients, size=size, mailbox=mailbox, modules=options.modules)


def _rows(outcomes: Mapping[str, Mapping[str, Outcome]]) -> dict[str, dict[str, dict[str, Any]]]:
    return {name: {client: _figures(WORKS[name], each) for client, each in row.items()} for name, row in outcomes.items()}


def _figures(work: Work, outcome: Outcome) -> dict[str, Any]:
    if outcome.error and not outcome.rounds:
        return {"error": outcome.error}
    wanted = (work.figure, *_KEPT)
    return {name: round(value, 4) for name in wanted if (value := outcome.median(name)) is not None}


def _show(work: Work, row: Mapping[str, Outcome]) -> None:
    figures = {client: _figures(work, outcome) for client, outcome in row.items()}
    cells = []
    for client, found in figures.items():
        if "error" in found:
            cells.append(f"{client} fails ({found['error']})")
        elif work.figure in found:
            factor = report.ratio(work, figures, client)
            times = "" if client == "imapkit" or factor is None else f" ({factor:.2f})"
            cells.append(f"{client} {found[work.figure]:,.4g}{times}")
    note = "; ".join(report.missed(work, figures))
    print(f"  {work.title} [{work.unit}]: " + ", ".join(cells) + (f"  MISSED: {note}" if note else ""), flush=True)


if __name__ == "__main__":
    sys.exit(main())
