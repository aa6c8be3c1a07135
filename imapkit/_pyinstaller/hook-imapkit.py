"""Puts every installed command family into a program that uses imapkit, and the metadata that name the families.

Families are found by their entry points, so no import in any source names them.
"""

from __future__ import annotations

from PyInstaller.utils.hooks import collect_entry_point, collect_submodules

datas, found = collect_entry_point("imapkit")
# A family may name classes of its typed commands as "module:Class": these are imported when they are needed.
hiddenimports = [*found, *(module for name in found for module in collect_submodules(name.partition(":")[0]))]
