"""The search keys of the builtin families as values: ``from imapkit import q``, then ``q.unseen & q.subject("invoice")``."""

from __future__ import annotations

from imapkit.ext.rev1.keys import *  # noqa: F403
from imapkit.ext.rev1.keys import __all__ as __all__
