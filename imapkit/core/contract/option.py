"""Options that a family adds to another family's command, and where in the command they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Any, NamedTuple

from imapkit.core.contract.needs import Needed, require
from imapkit.core.contract.session import Session
from imapkit.core.grammar.encode import parenthesized, written
from imapkit.core.grammar.kinds import Kind
from imapkit.core.support.lean import lean_dataclass
from imapkit.core.wire.pieces import Piece, Token, joined
from imapkit.errors import ArgumentError, FamilyDisabledError

__all__ = ["Chosen", "Option", "Place", "inserted"]


@lean_dataclass(frozen=True, slots=True)
class Option:
    """An option of another family's command: ``Option("LIST", "return", "STATUS", (status_items,), "LIST-STATUS", ("STATUS",))``.

    Called with a value for each kind it is what a call takes: ``options=[STATUS_OPTION(("UNSEEN",))]``.

    ``command``, ``place``
        whose option it is, and where in that command it stands (``Command.places``). An option of a command is one of all that
        have the same ``Command.words``, too: one of SEARCH also of SORT.
    ``word``, ``kinds``
        what is written, and how each of its values is; in upper case.
    ``needs``
        the capabilities without which a call with it raises ``Missing``.
    ``adds``
        the untagged responses that a call with it awaits beside those of the command.
    """

    command: str
    place: str
    word: str
    kinds: tuple[Kind, ...] = ()
    needs: Needed | None = None
    adds: tuple[str, ...] = ()

    def __call__(self, *values: Any) -> Chosen:
        """The option with its values. Raises ``TypeError`` for a wrong number of them."""
        if len(values) != len(self.kinds):
            raise TypeError(f"the option {self.word} of {self.command} takes {len(self.kinds)} values, not {len(values)}")
        return Chosen(self, values)


class Chosen(NamedTuple):
    """An option with its values, for one call."""

    option: Option
    values: tuple[Any, ...]


@lean_dataclass(frozen=True, slots=True)
class Place:
    """Where options of other families stand in a command.

    ``at``
        the index of the argument before which they stand; None for the end.
    ``word``
        what stands before them: "RETURN".
    ``listed``
        whether they stand in parentheses. ``inside``: in those of the argument ``at``, behind what it has.
    ``options``
        those that there are, by their words; the registry fills it.
    """

    at: int | None = None
    word: str = ""
    listed: bool = True
    inside: bool = False
    options: Mapping[str, Option] = field(default_factory=lambda: MappingProxyType({}))

    def written(self, tokens: Sequence[Token]) -> tuple[Token, ...]:
        """The options of this place, as they stand in the command."""
        shown: tuple[Token, ...] = (parenthesized(tokens),) if self.listed and not self.inside else tuple(tokens)
        return (self.word.encode("ascii"), *shown) if self.word else shown


class Inserted(NamedTuple):
    """The tokens that options add to a command, and the names of the responses.

    ``before``: those before each argument, by its index; ``inside``: those in the parentheses of one; ``behind``: at the end.
    """

    before: Mapping[int, Sequence[Token]]
    inside: Mapping[int, Sequence[Token]]
    behind: Sequence[Token]
    adds: tuple[str, ...]


def inserted(places: Mapping[str, Place], name: str, chosen: Sequence[Chosen], session: Session) -> Inserted:
    """What the options of a call of the command ``name`` add to it.

    Raises ``FamilyDisabledError`` for an option that no family of the client has, ``Missing`` for what the server lacks,
    ``ArgumentError`` for a value that cannot be sent, and for an option that is given twice.
    """
    found: dict[str, list[Token]] = {}
    seen: set[Option] = set()
    for option, values in chosen:
        place = places.get(option.place)
        if place is None or place.options.get(option.word) is not option:
            raise FamilyDisabledError(f"{name}: no family that this client has gives it the option {option.place} {option.word}")
        if option in seen:
            raise ArgumentError(f"{name}: the option {option.word} is given twice")
        seen.add(option)
        require(session, option.needs, name, option.word)
        found.setdefault(option.place, []).append(_token(option, values, name))
    before: dict[int, list[Token]] = {}
    inside: dict[int, list[Token]] = {}
    behind: list[Token] = []
    for where, place in places.items():
        if where in found:
            written_there = place.written(found[where])
            if place.at is None:
                behind += written_there
            else:
                (inside if place.inside else before).setdefault(place.at, []).extend(written_there)
    adds = tuple(dict.fromkeys(added for option, _ in chosen for added in option.adds))
    return Inserted(before, inside, behind, adds)


def _token(option: Option, values: tuple[Any, ...], name: str) -> tuple[Piece, ...]:
    tokens: list[Token] = [option.word.encode("ascii")]
    for i, (kind, value) in enumerate(zip(option.kinds, values, strict=True)):
        tokens.append(written(kind, value, f"{name}: {option.word}", i))
    return tuple(joined(tokens))
