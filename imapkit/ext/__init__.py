"""The builtin families, one module or package each, and the public methods of each.

``imapkit doctor --write`` writes this file.
"""

from __future__ import annotations

__all__ = ["INDEX"]

INDEX: dict[str, tuple[str, ...]] = {
    "rev1": (),
}
