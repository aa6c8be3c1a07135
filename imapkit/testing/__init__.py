"""For authors of plugins, and for imapkit's own tests: servers that say what a test wants, slow links, chosen families."""

from __future__ import annotations

from imapkit.testing.families import load_only
from imapkit.testing.proxy import DelayProxy
from imapkit.testing.scripted import ScriptedServer

__all__ = ["DelayProxy", "ScriptedServer", "load_only"]
