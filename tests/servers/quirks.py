"""Where servers depart from the RFCs or from each other in a way that no capability announces."""

from __future__ import annotations

from enum import Enum, auto


class Quirk(Enum):
    """The docstring of each one says when it shows."""


PYMAP = frozenset[Quirk]()
DOVECOT = frozenset[Quirk]()
CYRUS = frozenset[Quirk]()
COURIER = frozenset[Quirk]()
