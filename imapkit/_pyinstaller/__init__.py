"""For PyInstaller, which finds this by the entry point ``pyinstaller40``: where the hooks are."""

from __future__ import annotations

__all__ = ["get_hook_dirs"]


def get_hook_dirs() -> list[str]:
    """The directories with hooks: this one."""
    return list(__path__)
