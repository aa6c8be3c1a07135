"""The figures as a page of the documentation."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import plots, report
from bench.report import Run
from bench.rounds import LONGER, MORE, PATIENCE, SLOW
from bench.works import WORKS

__all__ = ["write"]

_NOTES = Path(__file__).with_name("notes.md")
"""The notes on the figures, written by hand."""
_GROWTH = 2.2
_README = re.compile(r"(<!-- bench -->\n).*?(\n<!-- /bench -->)", re.DOTALL)

_HEAD = """\
# Benchmarks

The same work by imapkit and by other clients, one client after the other, in several rounds, each client in a process of
its own.

{headline}

## How to read it

The column "imapkit" has its median, and in brackets the least and the most of all rounds. The other columns: how many times as
long (or as much) imapkit takes as that client: below 1 imapkit is quicker. An empty cell: the client cannot do that, or is not
asked. "fails": it tried; why is below. "at most" is what imapkit is to reach, as multiples of peers or in its own unit: on the
canned server the goals of the project, over TLS and COMPRESS no more than imaplib (which cannot compress) and imaplib2 take (rows
that compare one client's times with each other have their own limit only). Where it would take long, less is asked through layers
and of Dovecot, as the titles say.
{twice}
"canned" is a server that answers from memory and costs nearly nothing, so that the client is measured; "dovecot" is a
real one. "bare" is no client but a socket that sends the same commands, reads the same bytes and parses none: the floor.

- Rounds: {all} on the canned server in the clear, {fewer} elsewhere and over the slow link. A client that takes more than
  {slow:g} s is asked once.
- A client that is not done after {patience:g} s fails; over TLS and COMPRESS after {longer} times what it took in the clear, and
  {more:g} s more. One that fails in the clear is not asked the same again.
- What is timed is the work alone, not start, login and SELECT; whatever has been fetched is looked at within that time, by every
  client alike, so that no client gains by leaving it for later. The answers are checked (every command's OK, the number of rows
  and bytes), else the client fails.
- "parsed": every field of every record. Dates are understood (IMAPClient and imapflow give no other), the rest is as it was
  sent (as with IMAPClient). "decoded": words, addresses and parameters as well, which imapflow always does and IMAPClient never.
- imap_tools makes an `email` message of every body, which the others leave to the caller. IMAPClient is given the numbers one by
  one, as it takes no range.
- "a link of 20 ms": clients that wait for each answer need that for each command; "bare" does one, the least possible.
- Peers are used as their documentation says, with their defaults; `bench/clients/` has the code. A pipelined command is one with
  a callback, or an asyncio task.
- On the canned server imaplib waits 40 ms in every APPEND (the server's delayed acknowledgement against Nagle's algorithm), as do
  IMAPClient and imap_tools, which hand APPEND to it; these two are asked only where there are fewer: over TLS, and on Dovecot.
- On Dovecot each client appends to an empty mailbox.
- "threads": the same FETCHes over one connection, from one thread and then from 16.
- "mail seen in IDLE": Dovecot itself waits half a second before it reports mail, which no client can shorten. When its line was
  sent is written into the line by a relay, which it cannot through TLS and COMPRESS.
- "in raw ones", "in callbacks", "in futures": two ways of imapkit in one process, five times in turn (200 MB: three times). The
  figure is the median of the turns' ratios; beside it is that of processor time. They have no other client, and are asked for
  in the clear only, as no layer takes part in what is between them. The first typed client and the first raw one have
  processes of their own, in turn.
- "typed rows": UIDs, and every field of every record as above, from a mailbox that answers just what is asked: typed `fetch`
  asks for 500 messages at a time.
- "as futures", "on asyncio", over a link of 10 ms: all commands are sent at once. IMAPClient, imap_tools and imapflow wait for
  each answer.
- "into a file": the file is written within the time, by imapflow too, which asks for 64 KiB at a time.
- Import and the first client are asked for in the clear only: no layer takes part in them.

## How it was made

    {command}

{kept}"""

_TWICE = """\
Where a cell has two figures, everything was measured twice. The sentence above, memory, processor time, threads and the pictures
are of the medians of both; the profile is the first one's.
"""


def write(runs: Sequence[Run], path: Path, readme: Path | None = None, kept: Sequence[Path | None] = ()) -> None:
    """Write the page of one run or of two, and (with matplotlib) the pictures into a directory beside it.

    ``kept``: the files that have the figures, for a link.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = plots.draw(report.merged(runs), path.with_suffix("")) if find_spec("matplotlib") else []
    links = [os.path.relpath(file, path.parent) for file in kept if file is not None]
    path.write_text("\n".join(_page(runs, path, pictures, links)) + "\n", encoding="utf-8")
    if readme is not None:
        text = readme.read_text(encoding="utf-8")
        readme.write_text(_README.sub(lambda found: found[1] + _sentence(report.merged(runs)) + found[2], text), encoding="utf-8")


def _sentence(run: Run) -> str:
    said = report.headline(run)
    return textwrap.fill(f"{said}.", 130) if said else ""


def _page(runs: Sequence[Run], path: Path, pictures: list[Path], links: list[str]) -> Iterator[str]:
    first, both = runs[0], report.merged(runs)
    rounds = first.get("rounds", {})
    yield _HEAD.format(
        headline=_sentence(both),
        twice=_TWICE if len(runs) > 1 else "",
        all=rounds.get("all", "-"),
        fewer=rounds.get("fewer", "-"),
        slow=SLOW,
        patience=PATIENCE,
        longer=LONGER,
        more=MORE,
        command="make bench-twice" if len(runs) > 1 else "make bench",
        kept=_linked(links),
    )
    yield from _machine(runs)
    yield from _missed(runs)
    yield from report.tables(runs)
    yield from _growth(runs)
    yield from _memory(both)
    yield from _failures(runs)
    yield from _profile(first)
    if pictures:
        yield "\n## Pictures\n\nA hatched bar is longer than it is drawn.\n"
    for each in pictures:
        yield f"![{WORKS[each.stem].titled(_size(first, each.stem))}]({path.stem}/{each.name})"


def _linked(links: list[str]) -> str:
    each = " and ".join(f"[{Path(link).name}]({link})" for link in links)
    return f"All figures, of every table, with CPU, memory and threads: {each}.\n" if each else ""


def _size(run: Run, name: str) -> int:
    found: int = next(sizes[name] for sizes in run["sizes"].values() if name in sizes)
    return found


def _machine(runs: Sequence[Run]) -> Iterator[str]:
    yield "| | |\n| --- | --- |"
    for name, value in runs[0].get("machine", {}).items():
        others = {run["machine"].get(name, "-") for run in runs[1:]} - {value}
        yield f"| {name} | {' / '.join([value, *others])} |"
    if all("minutes" in run for run in runs):
        yield f"| minutes in all | {' / '.join(str(run['minutes']) for run in runs)} |"


def _missed(runs: Sequence[Run]) -> Iterator[str]:
    yield "\n## What is not reached\n"
    found = [*report.missing(runs), *_grown(runs)]
    yield from (f"- {line}" for line in found) if found else ["Nothing."]
    if _NOTES.exists():
        yield "\n" + _NOTES.read_text(encoding="utf-8").strip()


def _grown(runs: Sequence[Run]) -> Iterator[str]:
    for name, values in _growths(runs).items():
        if max(values) > _GROWTH:
            yield f"growth of {name}: {' / '.join(f'{value:.2f}' for value in values)}, not {_GROWTH}"


def _growths(runs: Sequence[Run]) -> dict[str, list[float]]:
    """The growth by what grows, of each run that has it."""
    names = dict.fromkeys(name for run in runs for name in run.get("growth", {}))
    return {name: [run["growth"][name] for run in runs if name in run.get("growth", {})] for name in names}


def _growth(runs: Sequence[Run]) -> Iterator[str]:
    found = _growths(runs)
    if not found:
        return
    yield f"\n## Growth\n\nTwice the work, in the time of the work; the limit is {_GROWTH}.\n"
    yield "| what grows | t(2n)/t(n) | |\n| --- | ---: | --- |"
    for name, values in found.items():
        verdicts = ["**missed**" if value > _GROWTH else "met" for value in values]
        yield f"| {name} | {' / '.join(f'{value:.2f}' for value in values)} | {' / '.join(dict.fromkeys(verdicts))} |"


def _failures(runs: Sequence[Run]) -> Iterator[str]:
    found: dict[str, None] = {}
    for run in runs:
        for title, table in run["tables"].items():
            for name, row in table.items():
                for client, figures in row.items():
                    if "error" in figures:
                        what = WORKS[name].titled(run["sizes"][title][name])
                        found[f"- {title}: {client}, {what}: {figures['error']}"] = None
    if found:
        yield "\n## What fails\n"
        yield from found


def _memory(run: Run) -> Iterator[str]:
    """Peak memory, and processor time, of the works on the canned server that move something."""
    title = "canned, plain"
    rows: dict[str, Any] = run["tables"].get(title, {})
    found = {name: row for name, row in rows.items() if any("peak" in figures for figures in row.values())}
    if not found:
        return
    yield "\n## Memory and processor time\n"
    yield f"{title} alone: the peak of the process's resident memory during the work, and how much of it is beyond what it had"
    yield "before; processor time of the client's process; threads at the end of the work. Medians.\n"
    yield "| work | client | peak MiB | beyond MiB | ms of CPU | threads |\n| --- | --- | ---: | ---: | ---: | ---: |"
    seen: set[str] = set()
    for name, row in found.items():
        if WORKS[name].does in seen:
            continue
        seen.add(WORKS[name].does)
        for client, figures in row.items():
            if "peak" in figures:
                peak, beyond = figures["peak"] / 1024, figures["memory"] / 1024
                end = f"{peak:.1f} | {beyond:.1f} | {figures['cpu']:,.0f} | {figures['threads']:.0f} |"
                yield f"| {WORKS[name].titled(run['sizes'][title][name])} | {client} | {end}"


def _profile(run: Run) -> Iterator[str]:
    if not run.get("profile"):
        return
    yield "\n## Where the time goes\n"
    yield "`python -m bench --profile`: the hottest paths, as they are and under cProfile, thread by thread. The profiler costs"
    yield "more than most of what it sees, and a wait counts as time of its function.\n"
    yield "\n".join(f"    {line}".rstrip() for line in run["profile"].splitlines())
