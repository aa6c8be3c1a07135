"""The family ``sort_thread``: SORT and THREAD, RFC 5256; the display sort keys, RFC 5957."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, Unpack

from imapkit.errors import ArgumentError
from imapkit.plugin import (
    NO_OPERANDS,
    CallOptions,
    Command,
    Commands,
    Cursor,
    Family,
    Operands,
    Place,
    Response,
    Result,
    SearchKey,
    SelectedCommands,
    SortKey,
    State,
    Token,
    Wire,
    as_it_is,
    atom,
    attempt,
    command,
    hookimpl,
    late_pattern,
    message_numbers,
    needs_charset,
    numbers_found,
    optional,
    raw,
    record,
    search_program,
    starts_program,
    term,
    unquote,
)

__all__ = ["SortThreadCommands", "SortThreadSelected", "Thread", "imapkit_family"]

F = TypeVar("F")
_ALL = term("ALL")

DEEPEST = 50
"""How deep threads may be nested, whatever their length: Python copies records by recursion."""


class SortThreadCommands(Commands):
    """Search for messages; the server sorts them or puts them into threads.

    ``search_criteria``: a search program, or keys of ``imapkit.q``, as for ``search``. ``charset``: that of its strings; None
    for US-ASCII, or UTF-8 if there is 8-bit text. With ``uid=True`` the data are UIDs. ``uid("SORT", ...)`` and ``uid("THREAD",
    ...)`` take the same arguments, or several of them as one text ("REFERENCES UTF-8 ALL"). With NO the data is its text, which
    begins with ``[BADCHARSET]`` if the server does not support the charset.
    """

    def sort(
        self,
        sort_criteria: Any,
        charset: str | None,
        *search_criteria: Any,
        uid: bool = False,
        **options: Unpack[CallOptions],
    ) -> Result:
        """Search the mailbox, and sort the messages found; RFC 5256 section 3, "SORT"; capability SORT; state: selected.

        The data is a list of message numbers, separated by spaces; parsed: a tuple. Raises ``ArgumentError`` for malformed
        criteria, and ``BadResponse`` if the server does not support a key. ``sort_criteria``: ARRIVAL, CC, DATE, FROM, SIZE,
        SUBJECT, TO, with capability SORT=DISPLAY also DISPLAYFROM and DISPLAYTO (RFC 5957), each with REVERSE before it if
        wanted: "REVERSE DATE", "(SUBJECT DATE)", or an iterable of them; or keys of ``imapkit.sort``: ``-sort.DATE``.
        """
        return self._call("SORT", sort_criteria, *_searched(charset, search_criteria), uid=uid, **options)

    def thread(
        self,
        threading_algorithm: str,
        charset: str | None,
        *search_criteria: Any,
        uid: bool = False,
        **options: Unpack[CallOptions],
    ) -> Result:
        """Search the mailbox, and put the messages found into threads; RFC 5256 section 3, "THREAD"; state: selected.

        The data are the threads as the server wrote them, such as ``b"(2)(3 6 (4 23)(44 7 96))"``; parsed: a tuple of
        ``Thread``. Raises ``ArgumentError`` for an algorithm that is no atom, and ``BadResponse`` if the server does not support
        it. ``threading_algorithm``: "ORDEREDSUBJECT", "REFERENCES" or another that a capability THREAD= names.
        """
        return self._call("THREAD", threading_algorithm, *_searched(charset, search_criteria), uid=uid, **options)


class SortThreadSelected(SelectedCommands[F]):
    """Sorted searches, and threads; always by UID. The results are lists, since the order is the answer."""

    @command
    async def sort(self, key: SearchKey, *by: SortKey) -> list[int]:
        """The UIDs of the messages that a search key finds, sorted by the server; RFC 5256 section 3; capability SORT.

        ``box.sort(q.unseen, -sort.ARRIVAL, sort.SUBJECT)[:20]``; the keys are in ``imapkit.sort``, those that display names need
        SORT=DISPLAY (RFC 5957). Raises ``Missing``, ``NoResponse`` and ``TypeError`` as ``search`` and ``fetch`` do.
        """
        if not by or not all(isinstance(each, SortKey) for each in by):
            raise TypeError(f"sort takes a search key, and then keys of imapkit.sort, such as -sort.DATE, not {by!r:.60}")
        display = any(each.name.startswith("DISPLAY") for each in by)
        await self._require("SORT=DISPLAY" if display else "SORT", "sort()")
        found = await self._in_charset(
            key, lambda charset: Wire("SORT", by, *_searched(charset, (key,)), uid=True, parse=lambda reply: reply.values("SORT"))
        )
        return [uid for line in found for uid in line]

    @command
    async def thread(self, key: SearchKey = _ALL, algorithm: str = "REFERENCES") -> list[Thread]:
        """The messages that a search key finds, in threads of UIDs; RFC 5256 section 3; capability THREAD=REFERENCES, or another.

        ``for thread in box.thread(q.since(day)): print(thread.root, thread.messages())``. Raises as ``sort`` does.
        """
        await self._require(f"THREAD={algorithm}", "thread()")
        found = await self._in_charset(
            key,
            lambda charset: Wire(
                "THREAD", algorithm, *_searched(charset, (key,)), uid=True, parse=lambda reply: reply.values("THREAD")
            ),
        )
        return [thread for line in found for thread in line]


# The keys of SORT

ARRIVAL = SortKey("ARRIVAL")
"""By the date and time of arrival."""
CC = SortKey("CC")
"""By the mailbox of the first Cc address: what stands before its "@"."""
DATE = SortKey("DATE")
"""By the date and time in the Date field."""
FROM = SortKey("FROM")
"""By the mailbox of the first From address."""
SIZE = SortKey("SIZE")
"""By the size of the message."""
SUBJECT = SortKey("SUBJECT")
"""By the subject without "Re:" and the like: RFC 5256 section 2.1."""
TO = SortKey("TO")
"""By the mailbox of the first To address."""
DISPLAYFROM = SortKey("DISPLAYFROM")
"""By the name of the first From address, or the address: RFC 5957, capability SORT=DISPLAY."""
DISPLAYTO = SortKey("DISPLAYTO")
"""By the name of the first To address, or the address: RFC 5957, capability SORT=DISPLAY."""

# On the wire

#   sort-criterion = ["REVERSE" SP] sort-key; strings may follow the key of an extension (RFC 5257 section 4.4).
_WORDS = late_pattern(r' *+(?:(?:[^(){%*"\\\x00-\x20\x7f]++|"(?:[^"\\]|\\.)*+")(?: ++|\Z))++\Z')
_CHARSET = late_pattern(r"(?=[^\d$])[A-Za-z0-9!#$&'+,.:;<=>?@^_`|~/-]+\Z")


def sort_criteria(value: Any) -> bytes:
    """``sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"``, RFC 5256 section 5; parentheses are added."""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        value = b" ".join(map(_criterion, value))
    text = _criterion(value).decode("ascii", "replace").strip(" ")
    inner = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    if not _WORDS.match(inner):
        raise ArgumentError(f"not sort criteria: {text[:80]!r}")
    return f"({inner.strip(' ')})".encode()


def _criterion(value: Any) -> bytes:
    """``sort-criterion = ["REVERSE" SP] sort-key``."""
    return raw(str(value) if isinstance(value, SortKey) else value)


#   What precedes the charset if all arguments are one text: sort-criteria in parentheses, or an algorithm.
_SORT_FIRST = late_pattern(r' *+(\((?:[^()"]|"(?:[^"\\]|\\.)*+")*+\)) ++(.+)', re.DOTALL)
_THREAD_FIRST = late_pattern(r" *+([^ ]++) ++(.+)", re.DOTALL)


def sort_arguments(args: tuple[Any, ...], operands: Operands = NO_OPERANDS) -> Iterator[Token]:
    """``sort-criteria SP search-criteria``; all of it may be one text."""
    first, *rest = _apart(args, _SORT_FIRST)
    yield sort_criteria(first)
    yield from _search_criteria(tuple(rest), operands)


def thread_arguments(args: tuple[Any, ...], operands: Operands = NO_OPERANDS) -> Iterator[Token]:
    """``thread-alg SP search-criteria``; all of it may be one text."""
    first, *rest = _apart(args, _THREAD_FIRST)
    yield atom(first)
    yield from _search_criteria(tuple(rest), operands)


def _apart(args: tuple[Any, ...], first: re.Pattern[str]) -> tuple[Any, ...]:
    if not args:
        raise ArgumentError("takes criteria or an algorithm, a charset, and what to search for")
    given, *others = args
    if others or not isinstance(given, (str, bytes)):
        return args
    found = first.match(given if isinstance(given, str) else given.decode("latin-1"))
    return args if found is None else (given[slice(*found.span(1))], given[slice(*found.span(2))])


def _search_criteria(args: tuple[Any, ...], operands: Operands) -> Iterator[Token]:
    """``search-criteria = charset 1*(SP search-key)``, ``charset = atom / quoted``."""
    # uid("SORT", keys, None, "ALL") leaves the charset out.
    args = _charset_apart(args[1:] if args and _is_empty(args[0]) else args, operands)
    charset, criteria = (args[0], args[1:]) if _names_charset(args, operands) else (_charset(args), args)
    if all(map(_is_empty, criteria)):
        raise ArgumentError("nothing to search for")
    tokens = search_program(("CHARSET", _charset_name(charset), *criteria), operands)
    next(tokens)
    return tokens


def _searched(charset: str | None, criteria: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments after the first, always with a charset."""
    if all(map(_is_empty, criteria)):
        raise ArgumentError("nothing to search for")
    # Quoted, so that ``_names_charset`` cannot take it for a search key; it is sent as an atom.
    return (f'"{_charset_name(charset) if charset else _charset(criteria)}"', *criteria)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, bytes)) and not value)


def _charset_name(value: Any) -> str:
    value = as_it_is(value)
    inner = unquote(value) if isinstance(value, str) else None
    return atom(value if inner is None else inner).decode("ascii")


def _names_charset(args: tuple[Any, ...], operands: Operands) -> bool:
    """Whether the first of several arguments is a charset, and not the first word of the search program."""
    if len(args) < 2 or not isinstance(args[0], (str, bytes)):
        return False
    name = args[0] if isinstance(args[0], str) else args[0].decode("latin-1")
    return unquote(name) is not None or (_CHARSET.match(name) is not None and not starts_program(name, operands))


def _charset_apart(args: tuple[Any, ...], operands: Operands) -> tuple[Any, ...]:
    """The arguments with the charset alone, if the first begins with one: ``uid("SORT", "(DATE)", "UTF-8 ALL")``."""
    if not args or not isinstance(args[0], (str, bytes)):
        return args
    text = args[0] if isinstance(args[0], str) else args[0].decode("latin-1")
    word, _, rest = text.partition(" ")
    if not rest.strip(" ") or not _names_charset((word, rest), operands):
        return args
    try:
        codecs.lookup(unquote(word) or word)
    except (LookupError, ValueError):
        # Otherwise any key of an extension would count as a charset.
        return args
    return (word, args[0][len(word) + 1 :], *args[1:])


def _charset(criteria: tuple[Any, ...]) -> str:
    """The charset to send: RFC 5256 has no default, and a server must support only US-ASCII and UTF-8."""
    given = (memoryview(value).tobytes() for value in criteria if isinstance(value, (bytes, bytearray, memoryview)))
    return "US-ASCII" if not needs_charset(criteria) and all(map(bytes.isascii, given)) else "UTF-8"


# Responses: RFC 5256 section 5


def sort_data(cursor: Cursor) -> tuple[int, ...]:
    """``sort-data = "SORT" *(SP nz-number)``."""
    return numbers_found(cursor)


def thread_data(cursor: Cursor) -> tuple[Thread, ...]:
    """``thread-data = "THREAD" [SP 1*thread-list]``; a list that cannot be read is a ``Defect``."""
    threads: list[Thread] = []
    while not cursor.at_end():
        cursor.spaces()
        for found in attempt(cursor, "THREAD", _thread_list):
            threads += found
    return tuple(threads)


def _thread_list(cursor: Cursor) -> list[Thread]:
    """``thread-list = "(" (thread-members / thread-nested) ")"``, ``thread-nested = 2*thread-list``.

    ``thread-members = nz-number *(SP nz-number) [SP thread-nested]``; a single ``thread-list`` inside means the same.
    """
    start = cursor.mark()
    cursor.expect(b"(")
    found: list[Thread] = []
    unfinished: list[tuple[tuple[int, ...], list[Thread]]] = [(message_numbers(cursor), [])]
    deeper, too_deep = 0, False
    while unfinished:
        if cursor.try_(b"("):
            numbers = message_numbers(cursor)
            if len(unfinished) < DEEPEST:
                unfinished.append((numbers, []))
            else:
                # RFC 5256 has no limit, but Python could not even compare deeper records: deeper threads become siblings.
                too_deep, deeper = True, deeper + 1
                unfinished[-1][1].extend([Thread(numbers)] if numbers else [])
        else:
            cursor.expect(b")")
            if deeper:
                deeper -= 1
            else:
                _finish(cursor, unfinished, found)
        cursor.spaces()
    if too_deep:
        cursor.tolerate(f"THREAD: more than {DEEPEST} levels", cursor.since(start))
    return found


def _finish(cursor: Cursor, unfinished: list[tuple[tuple[int, ...], list[Thread]]], found: list[Thread]) -> None:
    """Move the innermost thread, which is complete, into the one around it."""
    numbers, branches = unfinished.pop()
    if numbers or branches:
        (unfinished[-1][1] if unfinished else found).append(Thread(numbers, tuple(branches)))
    else:
        cursor.tolerate("THREAD: a thread without messages", b"()")


# Data


@record
class Thread:
    """A thread, or a part of one: messages of which each answers the one before it, then the ``branches``.

    ``numbers`` are message numbers, or UIDs from a UID THREAD. They are empty if the message that the ``branches`` answer is
    missing, or if the search did not find it.
    """

    numbers: tuple[int, ...]
    branches: tuple[Thread, ...] = ()

    @property
    def root(self) -> int | None:
        """The first message; None if it is missing."""
        return self.numbers[0] if self.numbers else None

    def messages(self) -> tuple[int, ...]:
        """All messages, in the order of the response."""
        return tuple(number for number, _ in self.replies())

    def replies(self) -> Iterator[tuple[int, int | None]]:
        """Each message with the one that it answers, or None; in the order of the response."""
        parent: int | None
        left: list[tuple[Thread, int | None]] = [(self, None)]
        while left:
            thread, parent = left.pop()
            for number in thread.numbers:
                yield number, parent
                parent = number
            left.extend((branch, parent) for branch in reversed(thread.branches))


# RFC 5256 section 3: the server may not send EXPUNGE during SORT and THREAD; during UID SORT and UID THREAD it may.
COMMANDS = (
    Command(
        "SORT",
        State.SELECTED,
        rest=optional(sort_arguments),
        places={"return": Place(0, "RETURN")},
        words="SEARCH",
        uid=True,
        result=("SORT",),
        seqnums=True,
        expunges=False,
    ),
    Command(
        "THREAD",
        State.SELECTED,
        rest=optional(thread_arguments),
        words="SEARCH",
        uid=True,
        result=("THREAD",),
        seqnums=True,
        expunges=False,
    ),
)


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 5256."""
    return Family(
        name="sort_thread",
        mixin=SortThreadCommands,
        selected=SortThreadSelected,
        commands=COMMANDS,
        capabilities=("SORT", "SORT=DISPLAY", "THREAD=*"),
        responses={"SORT": Response(sort_data), "THREAD": Response(thread_data)},
        requires=("rev1",),
        contract=2,
    )
