"""``python -m bench``: the same work by every client, in turn, several rounds; medians and ratios."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import ablations, document, profiles, report
from bench.growth import growth
from bench.machine import machine
from bench.rounds import Layer, Outcome, measure
from bench.schemes import SCHEMES
from bench.servers import Where, canned, emptied, far, lacking, real, stamped
from bench.works import ORDER, WORKS, Work
from tests.servers.base import REQUIRE

_LAYERS = (Layer("plain"), Layer("TLS", tls=True), Layer("COMPRESS", compress=True))
_SMALL = 4
"""The clients at once when nothing is measured. Work that waits for news runs one by one: an APPEND is news for the others."""
_BUILTIN = {"bare", "imaplib", "imapflow"}

Done = dict[str, dict[str, Outcome]]
"""By work, by client."""


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for. Returns 0, or 1 if imapkit failed somewhere, or a server that is required is not there."""
    options = _options(arguments)
    if options.compare:
        runs = [json.loads(path.read_text()) for path in options.compare]
        print("\n".join(report.tables(runs)))
    else:
        runs = [_profiled(options) if options.profile else _run(options)]
        _keep(runs[0], options.json)
    if options.without:
        print("\n".join(ablations.lines(runs[0])))
    if options.document:
        document.write(runs, options.document, options.readme, options.compare or [options.json])
    rows = [row for run in runs for table in run.get("tables", {}).values() for row in table.values()]
    lacks = os.environ.get(REQUIRE) == "1" and any(run.get("lacking") for run in runs)
    failed = any("error" in found for row in rows for client, found in row.items() if client.startswith("imapkit"))
    return int(lacks or failed)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=f"schemes of imapkit that can be switched off:\n{ablations.described()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each client does each piece of work")
    parser.add_argument("--fewer", type=int, default=3, help="and how often over TLS and COMPRESS, and on Dovecot")
    parser.add_argument(
        "--small", action="store_true", help="little work, once, and a part of it through layers: to see that it runs"
    )
    parser.add_argument("--works", nargs="*", default=[], metavar="WORK", choices=[*WORKS, []], help=" ".join(WORKS))
    parser.add_argument("--clients", nargs="*", default=list(ORDER), metavar="CLIENT", help=" ".join(ORDER))
    parser.add_argument("--servers", nargs="*", default=["canned", "dovecot"], choices=["canned", "dovecot"])
    parser.add_argument("--layers", nargs="*", default=[layer.name for layer in _LAYERS], help="plain TLS COMPRESS")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--document", type=Path, metavar="FILE", help="write the page, and pictures in a directory beside it")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="put the page's first figures into this one, too")
    parser.add_argument("--profile", action="store_true", help="only profile imapkit on the hottest paths")
    parser.add_argument("--compare", nargs=2, type=Path, metavar="FILE", help="measure nothing: two runs' figures side by side")
    parser.add_argument(
        "--without",
        nargs="+",
        default=[],
        metavar="NAME",
        choices=[*SCHEMES, ablations.ALL],
        help="imapkit in turn with itself, one of these schemes switched off (all: each of them)",
    )
    parser.add_argument(
        "--node", type=Path, default=Path(".venv/node"), metavar="DIR", help="where imapflow is put, if npm is there"
    )
    options = parser.parse_args(arguments)
    if options.without:
        if options.document or options.compare or options.profile:
            parser.error("--without makes a table of its own")
        options.clients = ablations.clients(options.without)
    return options


def _keep(found: dict[str, Any], path: Path | None) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n")


def _profiled(options: argparse.Namespace) -> dict[str, Any]:
    found = profiles.profile(options.small)
    print(found)
    return {"profile": found}


def _run(options: argparse.Namespace) -> dict[str, Any]:
    began = time.monotonic()
    options.modules = _imapflow(options.node) if "imapflow" in options.clients else None
    found: dict[str, Any] = {"machine": machine(options.modules), "tables": {}, "sizes": {}}
    found["rounds"] = {"all": options.rounds, "fewer": options.fewer}
    found["lacking"] = {server: reason for server in options.servers if (reason := lacking(server))}
    options.servers = [server for server in options.servers if server not in found["lacking"]]
    for server, reason in found["lacking"].items():
        print(f"{server} is left out: {reason}")
        found["machine"][server.capitalize()] = f"left out: {reason}"
    for name, outcomes, sizes in _tables(options):
        found["tables"][name] = {work: _figures(WORKS[work], row) for work, row in outcomes.items()}
        found["sizes"][name] = sizes
        _keep(found, options.json)  # should the rest be broken off
    whole = "canned" in options.servers and not options.works and not options.without
    found["growth"] = growth(options.small) if whole else {}
    for name, value in found["growth"].items():
        print(f"growth of {name}: t(2n)/t(n) = {value:.2f}")
    if whole or options.document:
        found["profile"] = profiles.profile(options.small)
    found["minutes"] = round((time.monotonic() - began) / 60, 1)
    print(f"{found['minutes']} minutes")
    return found


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


def _tables(options: argparse.Namespace) -> Iterator[tuple[str, Done, dict[str, int]]]:
    """A table for each server and layer, and how much of each work was done."""
    starts: dict[str, Any] = {"canned": canned, "dovecot": real}
    for server in options.servers:
        plain: Done = {}
        with starts[server]() as where:
            for layer in _LAYERS:
                if layer.name in options.layers:
                    print(f"\n{server}, {layer.name}", flush=True)
                    done, sizes = _table(options, server, where, layer, plain)
                    plain = plain or done
                    yield f"{server}, {layer.name}", done, sizes


def _table(options: argparse.Namespace, server: str, where: Where, layer: Layer, plain: Done) -> tuple[Done, dict[str, int]]:
    found: Done = {}
    sizes: dict[str, int] = {}
    for work in WORKS.values():
        size = work.sized(server, layer.name, small=options.small)
        if size and _is_asked(options, work):
            sizes[work.name] = size
            same = next((name for name in found if WORKS[name].does == work.does), None)
            began = time.monotonic()
            found[work.name] = found[same] if same else _work(options, server, where, layer, work, size, plain)
            _show(work, f"{server}, {layer.name}", size, found[work.name], time.monotonic() - began)
    return found, sizes


def _is_asked(options: argparse.Namespace, work: Work) -> bool:
    if options.without:
        return any(ablations.is_asked(client, work.does, options.works) for client in options.clients[1:])
    return not options.works or work.name in options.works


def _work(
    options: argparse.Namespace, server: str, where: Where, layer: Layer, work: Work, size: int, plain: Done
) -> dict[str, Outcome]:
    link: AbstractContextManager[Where] = nullcontext(where)
    if work.delay:
        link = far(where, work.delay)
    elif work.stamped and layer.name == "plain":
        link = stamped(where)
    whole = (server, layer.name) == ("canned", "plain")
    varies = whole and not work.delay
    rounds = 1 if options.small else options.rounds if varies else options.fewer
    asked = [name for name in options.clients if not (whole and name in work.spared)]
    if options.without:
        asked = [name for name in asked if ablations.is_asked(name, work.does, options.works)]
    with link as there:
        return measure(
            work,
            there,
            layer,
            rounds=rounds,
            clients=[name for name in asked if name in _BUILTIN or options.without or find_spec(name)],
            size=size,
            mailbox=f"{work.mailbox}-{size}" if server == "canned" else work.real_mailbox,
            modules=options.modules,
            plain=plain.get(work.name, {}),
            prepare=partial(emptied, where) if server != "canned" else int,
            at_once=_SMALL if options.small and work.figure == "wall" else 1,
        )


def _figures(work: Work, row: Mapping[str, Outcome]) -> dict[str, dict[str, Any]]:
    return {client: outcome.figures(work.figure) for client, outcome in row.items()}


def _show(work: Work, title: str, size: int, row: Mapping[str, Outcome], seconds: float) -> None:
    figures = _figures(work, row)
    cells = []
    for client, found in figures.items():
        if work.figure in found:
            factor = report.ratio(work, figures, client)
            times = "" if client == "imapkit" or factor is None else f" ({factor:.2f})"
            cells.append(f"{client} {report.shown(found[work.figure])}{times}")
        elif "error" in found:
            cells.append(f"{client} fails ({found['error']})")
    note = "; ".join(report.missed(work, title, figures))
    line = f"  {work.titled(size)} [{work.unit}]: " + ", ".join(cells) + (f"  MISSED: {note}" if note else "")
    print(f"{line}  ({seconds:.0f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
