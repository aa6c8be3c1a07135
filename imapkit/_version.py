"""The version of imapkit, for ``imapkit.__version__``, the build and the plugin loader."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
