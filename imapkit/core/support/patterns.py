"""Patterns that are compiled when they are first used: each takes a tenth of a millisecond or more, and a session needs few."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

__all__ = ["late_pattern"]


def late_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A pattern that is compiled when it is first used; for patterns that some sessions do not need.

    It has a pattern's methods and attributes, and nothing else: it cannot be given to a function of ``re``, or pickled.
    """
    return cast("re.Pattern[AnyStr]", _Late(pattern, flags))


class _Late:
    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self._pattern, self._flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        """The pattern's attribute, kept so that it is looked up once."""
        found = getattr(re.compile(self._pattern, self._flags), name)
        setattr(self, name, found)
        return found
