"""The logger "imapkit". ``logging`` is imported with the first line to log; a program that handles lines has imported it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

__all__ = ["has_listeners", "logger"]

_DEBUG = 10
_known: logging.Logger | None = None


def logger() -> logging.Logger:
    """The logger."""
    import logging

    global _known
    _known = logging.getLogger("imapkit")
    return _known


def has_listeners() -> bool:
    """Whether the logger passes on a line at DEBUG."""
    if _known is None and "logging" not in sys.modules:
        return False
    return (_known or logger()).isEnabledFor(_DEBUG)
