"""``python -m bench.tasks``: how many lines each task takes, as a table; with ``--run`` all of them run, too."""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.live.guided import USER, account, arriving, prepare
from tests.servers import dovecot
from tests.servers.base import Server

HERE = Path(__file__).parent
LIBRARIES = {"imapkit": "with_imapkit", "IMAPClient": "with_imapclient", "imap_tools": "with_imap_tools"}
TASKS = {
    "mailboxes": "all mailboxes with role and unread count",
    "sent": "the mailbox for sent mail",
    "search": "search: unread, since a day, with a text that is not ASCII",
    "newest": "the newest 50: date, subject, read or not",
    "senders": "the senders of unread mail",
    "text": "the text of a message",
    "with_attachments": "which messages have attachments",
    "attachments": "the attachments of a message, by name",
    "download": "a large part into a file, decoded, in little memory",
    "look_into": "what is in an archive, without downloading it",
    "mark": "mark unread mail as read and forwarded",
    "move": "move to the archive, with or without MOVE",
    "delete": "delete these messages, and no others",
    "append": "store a draft from a file, and learn its UID",
    "append_streamed": "store a large file that is never in memory",
    "by_date": "the 20 newest unread, sorted by the server",
    "threads": "threads",
    "wait": "wait for news",
    "quota": "the limits of a quota",
    "acl": "another user's rights",
    "at_once": "the status of all mailboxes, in about one round trip",
    "from_threads": "all messages, by 8 threads on one connection",
    "with_asyncio": "two commands at once with asyncio",
    "in_time": "5 seconds for one call; the connection goes on",
}
MARKS = re.compile(r"(<!-- tasks -->\n).*?(<!-- /tasks -->)", re.DOTALL)


def lines(library: str) -> dict[str, int]:
    """How many lines each task takes with a library: the body of its function, without empty lines."""
    source = (HERE / f"{LIBRARIES[library]}.py").read_text(encoding="utf-8")
    text = source.splitlines()
    found = {}
    for function in ast.parse(source).body:
        if isinstance(function, ast.FunctionDef):
            body = text[function.body[0].lineno - 1 : function.end_lineno]
            found[function.name] = sum(bool(line.strip()) for line in body)
    return found


def remarks(library: str, name: str) -> dict[str, str]:
    """The dictionary IMPOSSIBLE or CAVEATS of a library's module: a text by task."""
    source = ast.parse((HERE / f"{LIBRARIES[library]}.py").read_text(encoding="utf-8"))
    for node in source.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(target)], value=ast.Dict() as value)
                | ast.AnnAssign(target=ast.Name(target), value=ast.Dict() as value)
            ) if target == name:
                found: dict[str, str] = ast.literal_eval(value)
                return found
    raise ValueError(f"{library}: {name} is missing")


def row(name: str) -> list[str]:
    """A task, and a cell for each library."""
    cells = [TASKS[name]]
    for library in LIBRARIES:
        count, caveat = lines(library).get(name), remarks(library, "CAVEATS").get(name)
        if count is None:
            cells.append(f"no: {remarks(library, 'IMPOSSIBLE')[name]}")
        else:
            cells.append(f"{count} ({caveat})" if caveat else str(count))
    return cells


def table() -> str:
    """The table of tasks, as Markdown."""
    counted = {library: lines(library) for library in LIBRARIES}
    alike = [name for name in TASKS if all(name in counted[library] for library in LIBRARIES)]
    sums = [str(sum(counted[library][name] for name in alike)) for library in LIBRARIES]
    able = [f"{len(counted[library])} of {len(TASKS)}" for library in LIBRARIES]
    head = [["task", *LIBRARIES], ["---"] * (len(LIBRARIES) + 1)]
    foot = [[f"sum of the {len(alike)} that all can do", *sums], ["can do", *able]]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [*head, *map(row, TASKS), *foot])


# Running them


@contextlib.contextmanager
def connected(library: str, server: Server) -> Iterator[tuple[Any, ...]]:
    """What the tasks of a library are given."""
    password = server.users[USER]
    if library == "imapkit":
        with account(server).connect() as ours, ours.select("INBOX") as inbox:
            yield ours, inbox
    elif library == "IMAPClient":
        import imapclient

        with imapclient.IMAPClient(server.host, server.port, ssl=False) as theirs:
            theirs.login(USER, password)
            theirs.select_folder("INBOX")
            theirs.normalise_times = False
            yield (theirs,)
    else:
        import imap_tools

        with imap_tools.MailBoxUnencrypted(server.host, server.port).login(USER, password) as box:
            yield (box,)


def outcome(library: str, name: str, function: Callable[..., Any], server: Server) -> Any:
    """What a task returns, and what the mailboxes are like afterwards."""
    with connected(library, server) as given, arriving(server) if name == "wait" else contextlib.nullcontext():
        result = function(*given)
    saved = Path("film.jpg").read_bytes() if name == "download" else None
    with account(server).connect() as client:
        counts = {box.mailbox: box.status and box.status.items for box in client.mailboxes(status=["MESSAGES", "UNSEEN"])}
    return result, saved, None if name == "wait" else counts


def run(library: str) -> dict[str, Any]:
    """The outcome of every task, each on a server with the same mail, in a directory with the file that is appended."""
    module, outcomes = import_module(f"bench.tasks.{LIBRARIES[library]}"), {}
    with dovecot.running() as server, tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        Path("big.eml").write_bytes(b"Subject: A big one\n\n" + b"hello\n" * 10_000)
        for name in TASKS:
            # For those that cannot be done, too: the UIDs are the same for all libraries.
            prepare(server)
            if function := getattr(module, name, None):
                outcomes[name] = outcome(library, name, function, server)
    return outcomes


def compared() -> int:
    """Run all libraries, and say where their outcomes differ. Returns how many do."""
    found = {library: run(library) for library in LIBRARIES}
    differ = 0
    for library, outcomes in found.items():
        for name, theirs in outcomes.items():
            if theirs != found["imapkit"][name]:
                differ += 1
                print(f"{library}: {name}: {str(theirs)[:300]}\n  imapkit: {str(found['imapkit'][name])[:300]}")
        print(f"{library}: {len(outcomes)} tasks ran", file=sys.stderr)
    return differ


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.tasks", description=__doc__)
    parser.add_argument("--run", action="store_true", help="run the tasks against a private Dovecot, and compare the outcomes")
    parser.add_argument("--document", type=Path, help="the page to write the table into, between its marks")
    options = parser.parse_args()
    if options.document:
        text = options.document.read_text(encoding="utf-8")
        options.document.write_text(MARKS.sub(lambda found: found[1] + table() + found[2], text), encoding="utf-8")
    print(table())
    return min(compared(), 1) if options.run else 0


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    sys.exit(main())
