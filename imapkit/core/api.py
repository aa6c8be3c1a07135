"""The old name of ``imapkit.plugin``, for plugins that import it: the same objects. New plugins import that."""

from __future__ import annotations

from imapkit.plugin import *  # noqa: F403 - one list of names
from imapkit.plugin import __all__ as __all__
