"""The demo's output: steps, tables and a progress bar, on a terminal or in a file. Needs rich."""

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
        raise  # rich would end the program; ``main`` handles this error


class Screen:
    """Writes to ``file`` (default: standard output), without control sequences if that is no terminal."""

    def __init__(self, file: TextIO | None = None) -> None:
        console = _Console(file=file, highlight=False)
        self._console = console if console.is_terminal else _Console(file=file, highlight=False, width=PLAIN_WIDTH)
        self._steps = 0

    def step(self, title: str) -> None:
        """Write the title of a numbered step."""
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
        """Show a bar during a ``with`` block; yield the function that advances it, which any thread may call.

        ``unit`` names what is counted: bytes if it is empty. Without a terminal only the full bar is written, at the
        end.
        """
        counted = TextColumn(f"{{task.completed:.0f}}/{{task.total:.0f}} {unit}") if unit else DownloadColumn()
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), counted, TimeElapsedColumn())
        with Progress(*columns, console=self._console) as bar:
            task = bar.add_task(label, total=total)
            yield lambda more: bar.advance(task, more)

    def _text(self, text: str, style: str = "") -> Text:
        """``text`` without control sequences, which a server may send, and without characters that the output cannot encode."""
        encoding = self._console.encoding
        return Text(shown(text).encode(encoding, "replace").decode(encoding), style)


def size(count: int) -> str:
    """A number of bytes with a unit: "417 B", "16.1 MB"."""
    if count < KILO:
        return f"{count} B"
    if count < KILO**2:
        return f"{count / KILO:.1f} kB"
    return f"{count / KILO**2:.1f} MB"
