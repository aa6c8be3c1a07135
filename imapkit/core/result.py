"""The old name of ``imapkit.Data``, ``Parsed`` and ``StatusText``, for programs that import it: the same objects."""

from __future__ import annotations

from imapkit.core.wire.data import Data, Parsed, StatusText

__all__ = ["Data", "Parsed", "StatusText"]
