"""Which process this is: a child of ``fork`` must leave the connections of its parent alone."""

from __future__ import annotations

import os

__all__ = ["current"]

current = os.getpid()
"""The id of this process. (Asking the system for it takes longer than all other checks of a command.)"""


def _forked() -> None:
    global current
    current = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
