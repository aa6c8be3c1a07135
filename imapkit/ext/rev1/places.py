"""Put the fields of an envelope or a part in their places after quotes without a backslash have cut or joined some of them.

Strings before and after a list are counted from the list. If their number is not the expected one, they are ambiguous, and
become None.
"""

from __future__ import annotations

from typing import Any

__all__ = ["are_shifted", "ten_fields", "to_size"]

_LISTS = 6
"""From, sender, reply-to, to, cc and bcc stand together."""
_AROUND = 2
"""How many strings stand before them, and after them."""
_PARAMETERS, _ENCODING, _SIZE = 2, 5, 6


def ten_fields(value: list[Any]) -> list[Any]:
    """The fields of an envelope; None for those whose place is ambiguous."""
    last = len(value) - _LISTS
    starts = [at for at in range(last + 1) if _are_lists(value[at : at + _LISTS])]
    fits = [at for at in starts if _AROUND in (at, last - at)]
    if len(fits) != 1:
        return [None] * (_LISTS + 2 * _AROUND)
    head, lists, tail = value[: fits[0]], value[fits[0] : fits[0] + _LISTS], value[fits[0] + _LISTS :]
    return [*_both(head), *lists, *_both(tail)]


def are_shifted(value: list[Any]) -> bool:
    """Whether a string is in the place of a part's number of bytes: an earlier string was cut, and all later fields moved."""
    size = value[_SIZE] if len(value) > _SIZE and not isinstance(value[0], list) else None
    return isinstance(size, bytes) and not size.isdigit()


def to_size(value: list[Any]) -> bool:
    """Put the first seven fields of a part in their places, up to the number of bytes; return whether any was moved."""
    if len(value) > _SIZE and isinstance(value[_SIZE], int) and _is_list(value[_PARAMETERS]):
        return False
    size = next((at for at, member in enumerate(value) if isinstance(member, int)), 0)
    if size <= _PARAMETERS:
        return False
    # A part without parameters must have NIL in their place; otherwise no field before the size has a certain place.
    parameters = next((at for at, member in enumerate(value[:size]) if isinstance(member, list)), _PARAMETERS)
    kind = value[:parameters] if parameters == _PARAMETERS and _is_list(value[parameters]) else [None] * _PARAMETERS
    between = value[parameters + 1 : size]
    if len(between) != _ENCODING - _PARAMETERS:
        # The server writes the encoding itself; the other strings are the sender's, and may be cut.
        between = [None, None, between[-1] if between else None]
    found = value[parameters]
    value[: size + 1] = [*kind, found if _is_list(found) else None, *between, value[size]]
    return True


def _both(strings: list[Any]) -> list[Any]:
    return strings if len(strings) == _AROUND else [None] * _AROUND


def _is_list(member: Any) -> bool:
    return member is None or isinstance(member, list)


def _are_lists(members: list[Any]) -> bool:
    return all(map(_is_list, members)) and any(members)
