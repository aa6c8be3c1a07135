"""The family ``esearch``: searches that return ranges, counts, or the first and the last message; RFC 4731."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, TypeVar

from imapkit.errors import ParseError
from imapkit.plugin import (
    Cursor,
    Defect,
    Family,
    Option,
    Reply,
    Response,
    Route,
    Routes,
    SearchKey,
    SelectedCommands,
    Slot,
    UIDSet,
    Untagged,
    Wire,
    any_value,
    command,
    hookimpl,
    late_pattern,
    record,
    term,
)

__all__ = ["ESearch", "EsearchSelected", "imapkit_family"]

F = TypeVar("F")
_TAG = late_pattern(rb' *+\( *+TAG +("[^"]*+"|[^" ()]++) *+\)', re.IGNORECASE)
#   A set of UIDs, without "*", which a server has no use for.
_SET = late_pattern(rb"\d++(?:[:,]\d++)*+(?= |\Z)")
_CORRELATED: Slot[bool] = Slot("esearch.correlated", bool)
"""Whether the server has answered a search with ESEARCH: from then on searches need not await SEARCH, and overlap."""

ALL_KEY = term("ALL")
MIN = Option("SEARCH", "return", "MIN", needs="ESEARCH", adds=("ESEARCH",))
MAX = Option("SEARCH", "return", "MAX", needs="ESEARCH", adds=("ESEARCH",))
ALL = Option("SEARCH", "return", "ALL", needs="ESEARCH", adds=("ESEARCH",))
COUNT = Option("SEARCH", "return", "COUNT", needs="ESEARCH", adds=("ESEARCH",))


@record
class ESearch:
    """An ESEARCH response: what the server found, as far as RETURN asked for it; None for what it does not say.

    ``tag`` is that of the command; ``uid``: the numbers are UIDs. ``others`` has what other extensions add, by name.
    """

    tag: bytes | None
    uid: bool
    lowest: int | None = None
    highest: int | None = None
    found: UIDSet | None = None
    count: int | None = None
    others: Mapping[str, Any] = field(default_factory=dict, hash=False)
    defects: tuple[Defect, ...] = ()


def esearch(cursor: Cursor) -> ESearch:
    """``esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)``, RFC 4466 section 2.6.2."""
    tag = _correlator(cursor)
    uid, values = False, dict[str, Any]()
    while not cursor.at_end():
        cursor.spaces()
        name = cursor.keyword()
        if name == "UID" and not values:
            uid = True
            continue
        cursor.sp()
        values[name] = _value(cursor, name)
    numbers = {name: values.pop(name, None) for name in ("MIN", "MAX", "ALL", "COUNT")}
    return ESearch(tag, uid, numbers["MIN"], numbers["MAX"], numbers["ALL"], numbers["COUNT"], values, tuple(cursor.defects))


def _correlator(cursor: Cursor) -> bytes | None:
    """``search-correlator = SP "(" "TAG" SP tag-string ")"``."""
    match = cursor.match(_TAG)
    return None if match is None else match.group(1).strip(b'"')


def _value(cursor: Cursor, name: str) -> Any:
    if name == "ALL":
        match = cursor.match(_SET)
        if match is None:
            raise cursor.error("a sequence-set")
        try:
            return UIDSet.from_wire(match.group())
        except ValueError as exc:
            raise ParseError(f"a sequence-set ({exc})", match.group()) from None
    return cursor.number64() if name in ("MIN", "MAX", "COUNT") else any_value(cursor)


def esearch_tag(response: Untagged) -> bytes | None:
    """The tag that an ESEARCH response names."""
    match = _TAG.match(response.parts[0])
    return None if match is None else match.group(1).strip(b'"')


ROUTES = tuple(
    Routes(method, (Route("ESEARCH", f"UID SEARCH RETURN ({word})", "ESEARCH"), Route("SEARCH", "UID SEARCH")))
    for method, word in (("count", "COUNT"), ("lowest", "MIN"), ("highest", "MAX"))
)
COUNT_ROUTES, LOWEST_ROUTES, HIGHEST_ROUTES = ROUTES


class EsearchSelected(SelectedCommands[F]):
    """Ask how many messages match, or for the first or the last of them, without a list of all."""

    @command
    async def count(self, key: SearchKey = ALL_KEY) -> int:
        """How many messages match; RFC 4731 section 3.1; capability ESEARCH, else the list of all is counted here."""
        return await self._by_route(
            COUNT_ROUTES, ESEARCH=lambda: self._returned(key, COUNT, _counted), SEARCH=lambda: self._listed(key, len)
        )

    @command
    async def lowest(self, key: SearchKey = ALL_KEY) -> int | None:
        """The lowest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
        return await self._by_route(
            LOWEST_ROUTES, ESEARCH=lambda: self._returned(key, MIN, _lowest), SEARCH=lambda: self._listed(key, _first)
        )

    @command
    async def highest(self, key: SearchKey = ALL_KEY) -> int | None:
        """The highest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
        return await self._by_route(
            HIGHEST_ROUTES, ESEARCH=lambda: self._returned(key, MAX, _highest), SEARCH=lambda: self._listed(key, _last)
        )

    async def _returned(self, key: SearchKey, option: Option, read: Any) -> Any:
        correlated = self._session.slot(_CORRELATED)
        result = ("ESEARCH",) if correlated else ("ESEARCH", "SEARCH")
        reply = await Wire("SEARCH", key, uid=True, options=(option(),), result=result, parse=_reply)
        answers = reply.values("ESEARCH")
        if answers and not correlated:
            self._session.put(_CORRELATED, True)
        # A server may ignore RETURN, and a search without an index may end with no response at all: it has found nothing.
        return read(answers[-1] if answers else None, _listed_uids(reply))

    async def _listed(self, key: SearchKey, read: Any) -> Any:
        return read(_listed_uids(await Wire("SEARCH", key, uid=True, parse=_reply)))


def _reply(reply: Reply) -> Reply:
    return reply


def _listed_uids(reply: Reply) -> UIDSet:
    return UIDSet(uid for numbers in reply.values("SEARCH") for uid in numbers)


def _counted(answer: ESearch | None, listed: UIDSet) -> int:
    return answer.count or 0 if answer is not None else len(listed)


def _lowest(answer: ESearch | None, listed: UIDSet) -> int | None:
    return answer.lowest if answer is not None else _first(listed)


def _highest(answer: ESearch | None, listed: UIDSet) -> int | None:
    return answer.highest if answer is not None else _last(listed)


def _first(uids: UIDSet) -> int | None:
    return uids[0] if uids else None


def _last(uids: UIDSet) -> int | None:
    return uids[-1] if uids else None


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 4731."""
    return Family(
        name="esearch",
        selected=EsearchSelected,
        responses={"ESEARCH": Response(esearch, tag=esearch_tag)},
        extends=(MIN, MAX, ALL, COUNT),
        capabilities=("ESEARCH",),
        routes=ROUTES,
        requires=("rev1",),
        contract=2,
    )
