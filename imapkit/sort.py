"""The keys of SORT as values: ``from imapkit import sort``, then ``imap.sort([-sort.ARRIVAL, sort.SUBJECT], None, q.unseen)``."""

from __future__ import annotations

from imapkit.ext.sort_thread import ARRIVAL, CC, DATE, DISPLAYFROM, DISPLAYTO, FROM, SIZE, SUBJECT, TO

__all__ = ["ARRIVAL", "CC", "DATE", "DISPLAYFROM", "DISPLAYTO", "FROM", "SIZE", "SUBJECT", "TO"]
