"""A program that uses imapkit gets every command family that is installed beside it, and the metadata that tell of them.

Families are found by their entry points, so no import in any source names them.
"""

from __future__ import annotations

from PyInstaller.utils.hooks import collect_entry_point

datas, hiddenimports = collect_entry_point("imapkit")
