"""Writes docs/reference.md, for users, and docs/contract.md, for authors of plugins, from the docstrings.

    python docs/make_reference.py

Each public name is described as it is where it is defined, and as help() shows it.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:  # run as a program
    sys.path.insert(0, str(ROOT))

from docs.reference_markdown import prose, section  # noqa: E402
from docs.reference_source import entries, module_doc  # noqa: E402
from docs.reference_users import users_page  # noqa: E402

__all__ = ["CONTRACT", "MODULES", "USERS", "contract_page", "users_page"]

USERS = Path(__file__).with_name("reference.md")
CONTRACT = Path(__file__).with_name("contract.md")
MODULES = {
    "imapkit.plugin": "What a family declares and may use",
    "imapkit.testing": "What its tests are made of",
}
_INTRODUCTION = """\
# Reference of the plugin contract

A command family imports `imapkit.plugin` and `imapkit.errors`, and nothing else of imapkit; its tests import `imapkit.testing`.
[tutorial.md](tutorial.md) and [recipes.md](recipes.md) show how they are used, [testing.md](testing.md) how a family is tested.
[reference.md](reference.md) is the reference for users.

`python docs/make_reference.py` writes this page from the docstrings; a test holds it fresh.
"""


def contract_page() -> str:
    """The page for authors of plugins."""
    parts = [_INTRODUCTION]
    for module, title in MODULES.items():
        parts.append(f"## {title}: `{module}`\n\n{prose(module_doc(module))}\n")
        parts += map(section, entries(module))
    return "\n".join(parts)


if __name__ == "__main__":
    USERS.write_text(users_page(), encoding="utf-8")
    CONTRACT.write_text(contract_page(), encoding="utf-8")
