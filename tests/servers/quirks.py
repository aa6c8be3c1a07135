"""Where servers depart from the RFCs, or from each other, in a way that no capability announces."""

from __future__ import annotations

from enum import Enum, auto


class Quirk(Enum):
    """Each is said beside its name: what the server does, and on what condition."""

    FIRST_UID_101 = auto()  # The first message of every mailbox has the UID 101.


PYMAP = frozenset({Quirk.FIRST_UID_101})
DOVECOT = frozenset[Quirk]()
CYRUS = frozenset[Quirk]()
COURIER = frozenset[Quirk]()
