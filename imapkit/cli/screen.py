"""What the demo writes on: steps, tables and a progress bar, on a terminal or into a file. Needs rich."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from imapkit.cli.widths import PLAIN_WIDTH
from imapkit.core.support.shown import shown

__all__ = ["Screen", "size"]

KILO = 1000


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise  # rich would end the program; what becomes of it is for ``main`` to say


class Screen:
    """Writes to ``file`` (default: standard output), without control sequences where that is no terminal."""

    def __init__(self, file: TextIO | None = None) -> None:
        console = _Console(file=file, highlight=False)
        self._console = console if console.is_terminal else _Console(file=file, highlight=False, width=PLAIN_WIDTH)
        self._steps = 0

    def step(self, title: str) -> None:
        """Begin a numbered step."""
        self._steps += 1
        self._console.print()
        self._console.print(self._text(f"{self._steps}. {title}", "bold cyan"))

    def say(self, text: str, style: str = "") -> None:
        """Write a line."""
        self._console.print(self._text(text, style))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write a table; a column whose name begins with ">" is aligned to the right."""
        made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            made.add_column(self._text(column.removeprefix(">")), justify="right" if column.startswith(">") else "left")
        for row in rows:
            made.add_row(*(self._text(str(cell)) for cell in row))
        self._console.print(made)

    @contextmanager
    def progress(self, label: str, total: int, unit: str = "") -> Iterator[Callable[[int], None]]:
        """Show a bar for the time of a ``with`` block; gives a function to tell how much more of ``total`` is done.

        ``unit`` is what is counted; bytes, if it is empty.
        Any thread may call it. Where there is no terminal, only the full bar is written, at the end.
        """
        counted = TextColumn(f"{{task.completed:.0f}}/{{task.total:.0f}} {unit}") if unit else DownloadColumn()
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), counted, TimeElapsedColumn())
        with Progress(*columns, console=self._console) as bar:
            task = bar.add_task(label, total=total)
            yield lambda more: bar.advance(task, more)

    def _text(self, text: str, style: str = "") -> Text:
        """``text`` as it may be shown: a server's words could hold control sequences, or what the output cannot express."""
        encoding = self._console.encoding
        return Text(shown(text).encode(encoding, "replace").decode(encoding), style)


def size(octets: int) -> str:
    """``octets`` as people read them: "417 B", "16.1 MB"."""
    if octets < KILO:
        return f"{octets} B"
    if octets < KILO**2:
        return f"{octets / KILO:.1f} kB"
    return f"{octets / KILO**2:.1f} MB"
