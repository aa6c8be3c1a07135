"""Puts every installed command family into a program that uses imapkit, and the metadata that name the families.

Families are found by their entry points, so no import in any source names them.
"""

from __future__ import annotations

from PyInstaller.utils.hooks import collect_entry_point

datas, hiddenimports = collect_entry_point("imapkit")
