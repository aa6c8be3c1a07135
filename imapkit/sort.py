"""The keys of SORT as values: ``from imapkit import sort``, then ``imap.sort([-sort.ARRIVAL, sort.SUBJECT], None, q.unseen)``.

They are those of the family ``sort_thread``, which is imported at the first use of one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imapkit.core.grammar.keys import SortKey
    from imapkit.ext.sort_thread import ARRIVAL, CC, DATE, DISPLAYFROM, DISPLAYTO, FROM, SIZE, SUBJECT, TO
else:

    def __getattr__(name: str) -> SortKey:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        key = globals()[name] = getattr(import_module("imapkit.ext.sort_thread"), name)
        return key


__all__ = ["ARRIVAL", "CC", "DATE", "DISPLAYFROM", "DISPLAYTO", "FROM", "SIZE", "SUBJECT", "TO"]
