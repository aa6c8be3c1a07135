"""The version of imapkit, in one place: for ``imapkit.__version__``, for the build, and for what loads plugins."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
