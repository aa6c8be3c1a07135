"""``--without``: imapkit in turn with itself, one scheme switched off: what that scheme buys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from bench.report import Row, Run, figure, shown
from bench.schemes import SCHEMES
from bench.works import WORKS, Work

__all__ = ["ALL", "WITHOUT", "clients", "described", "is_asked", "lines"]

ALL = "all"
WITHOUT = " without "
"""Stands between the client and the scheme in the name of a client with a scheme switched off."""
TENTH = 0.9
"""What a scheme is to bring the time down to, of that without it, to be worth its code."""
_HEAD = "| scheme | row | with it | without it | ratio | of the best rounds | processor time | |"
_RULE = "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |"


def described() -> str:
    """A line on each scheme."""
    return "\n".join(f"  {name:<16} {scheme.what}" for name, scheme in SCHEMES.items())


def clients(asked: Sequence[str]) -> list[str]:
    """Whom to ask when these schemes are to be switched off, one at a time."""
    return ["imapkit", *(f"imapkit{WITHOUT}{name}" for name in (SCHEMES if ALL in asked else dict.fromkeys(asked)))]


def is_asked(client: str, does: str, asked: Sequence[str]) -> bool:
    """Whether a client is asked to do that: what is ``asked`` for, or else that in which the scheme should show."""
    _, without, name = client.partition(WITHOUT)
    works = asked or (SCHEMES[name].works if without else {each for scheme in SCHEMES.values() for each in scheme.works})
    return any(WORKS[each].does == does for each in works)


def lines(run: Run) -> Iterator[str]:
    """The table: scheme by scheme, what each row takes with it and without it."""
    yield from (_HEAD, _RULE)
    for name in SCHEMES:
        for title, table in run["tables"].items():
            for work, row in table.items():
                if f"imapkit{WITHOUT}{name}" in row:
                    titled = f"{title}: {WORKS[work].titled(run['sizes'][title][work])}"
                    yield f"| {name} | {titled} | {' | '.join(_cells(WORKS[work], row, f'imapkit{WITHOUT}{name}'))} |"


def _cells(work: Work, row: Row, other: str) -> Iterator[str]:
    both = [row["imapkit"], row[other]]
    yield _spread(work, row, "imapkit")
    yield _spread(work, row, other)
    if figure(work, row, "imapkit") is None or figure(work, row, other) is None:
        yield from ("", "", "", "fails")
        return
    ratios = _ratio(*(each[work.figure] for each in both)), _ratio(*(min(each["rounds"]) for each in both))
    yield from (f"{each:.2f}" for each in ratios)
    yield (
        f"{_ratio(*(each['cpu'] for each in both)):.2f}" if work.figure == "wall" and all("cpu" in each for each in both) else ""
    )
    yield _verdict(*ratios)


def _ratio(own: float, other: float) -> float:
    return own / other if other else inf


def _spread(work: Work, row: Row, client: str) -> str:
    value = figure(work, row, client)
    if value is None:
        return str(row[client].get("error", "-"))
    rounds = row[client]["rounds"]
    return f"{shown(value)} {work.unit}".rstrip() + f" ({shown(min(rounds))} to {shown(max(rounds))})"


def _verdict(*ratios: float) -> str:
    if max(ratios) <= TENTH:
        return "buys a tenth"
    return "not clear" if min(ratios) <= TENTH else "**less than a tenth**"
