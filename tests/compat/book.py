"""Where the scripts of the side-by-side tests are collected."""

from __future__ import annotations

from collections.abc import Callable

from tests.compat.recorder import PASSWORD, Recorder, letter

__all__ = ["ANNOUNCED", "DATES", "Book", "begin", "filled"]

Script = Callable[[Recorder], None]
SERVERS = ("dovecot", "cyrus")
ANNOUNCED = ("greeting-capabilities", "greeting-capabilities-imaplib")
DATES = [f'"{day:02}-Jan-2026 09:08:07 +0000"' for day in range(5, 12)]


class Book(dict[str, tuple[Script, tuple[str, ...], bool]]):
    """Scripts by name: the function, the servers it may run on, and whether imaplib can run it too."""

    def script(self, *servers: str, stdlib: bool = False) -> Callable[[Script], Script]:
        """Take a script in; ``stdlib``: it uses only what imaplib has as well."""

        def take(function: Script) -> Script:
            self[function.__name__] = (function, servers or SERVERS, stdlib)
            return function

        return take


def begin(run: Recorder) -> None:
    """A client that is logged in."""
    run.connect(timeout=15)
    run.but(*ANNOUNCED).login(run.on.user, PASSWORD)


def filled(run: Recorder, name: str, count: int = 3) -> str:
    """A client, and a mailbox with ``count`` messages, which it has selected; returns the mailbox's name."""
    begin(run)
    box = run.on.place(name)
    run.create(box)
    for i in range(count):
        run.append(box, None, DATES[i], letter(f"number {i}", "hello " * (i + 1)))
    run.select(box)
    return box
