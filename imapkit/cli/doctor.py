"""``imapkit doctor``: check the index of the builtin families, and that the installed families load and agree.

With ``--host`` it also shows what a server announces: ``doctor_server``.

The index (``imapkit.ext.INDEX``) names the family of a method even if that family is not installed.
"""

from __future__ import annotations

import json
import pkgutil
import sys
from collections.abc import Mapping
from pathlib import Path

import imapkit
from imapkit import ext
from imapkit.cli.plugins import problems as listed
from imapkit.cli.target import Target
from imapkit.cli.widths import wrapped
from imapkit.core.plugins.loader import Loader, builtin
from imapkit.core.plugins.registry import public_methods
from imapkit.core.raw.facade import Client
from imapkit.core.support.shown import shown
from imapkit.errors import PluginError

__all__ = ["GOOD", "check", "index", "main", "render"]

GOOD = "the installed command families load and agree"
_HEAD = '''"""The builtin families, one module or package each, with their public methods.

``imapkit doctor --write`` writes this file.
"""

from __future__ import annotations

__all__ = ["INDEX"]

INDEX: dict[str, tuple[str, ...]] = {
'''


def index() -> dict[str, tuple[str, ...]]:
    """The public methods of every family in ``imapkit.ext``, from the families themselves.

    Raises ``PluginLoadError`` for a broken family. A method that a mixin inherits from another builtin family belongs to that
    one.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(ext.__path__) if not module.name.startswith("_"))
    mixins = {name: builtin(name).family.mixin for name in names}
    others = [mixin for mixin in mixins.values() if mixin is not None]
    return {name: public_methods(mixin, others) for name, mixin in mixins.items()}


def render(methods: Mapping[str, tuple[str, ...]]) -> str:
    """The text of ``imapkit/ext/__init__.py`` for this index."""
    return _HEAD + "".join(_entry(name, names) for name, names in methods.items()) + "}\n"


def main(write: bool, *, as_data: bool = False, target: Target | None = None) -> int:
    """Check the index (with ``write``: write it) and the installed families, and print the problems, as JSON with ``as_data``.

    Returns 0 without problems, else 1. Without problems it also examines the server ``target``, and raises what ``doctor_server``
    raises.
    """
    problems = check(write)
    if not as_data:
        for problem in problems or [GOOD]:
            print(*wrapped(shown(problem), sys.stdout), sep="\n")
    if target is not None and not problems:
        from imapkit.cli import doctor_server

        return doctor_server.main(target, as_data=as_data)
    if as_data:
        print(json.dumps({"imapkit": imapkit.__version__, "problems": problems, "server": None}, indent=2))
    return 1 if problems else 0


def check(write: bool) -> list[str]:
    """The problems of the index (which ``write`` brings up to date) and of the installed families."""
    try:
        problems = _index_problems(write)
    except PluginError as exc:
        problems = str(exc).split("\n")
    try:
        Loader(Client).registry()
    except PluginError as exc:
        problems += listed(exc)
    return list(dict.fromkeys(problems))


def _index_problems(write: bool) -> list[str]:
    found = index()
    if write:
        _file().write_text(render(found), encoding="utf-8")
        return []
    # A trimmed build keeps the whole index, for its errors: only the entries of installed families can be checked.
    stale = sorted(name for name, methods in found.items() if ext.INDEX.get(name) != methods)
    return [f"the index of the builtin families is stale for {', '.join(stale)}: run imapkit doctor --write"] if stale else []


def _file() -> Path:
    return Path(ext.__path__[0], "__init__.py")


def _entry(name: str, methods: tuple[str, ...]) -> str:
    if len(methods) < 2:
        return f'    "{name}": {methods!r},\n'.replace("'", '"')
    return f'    "{name}": (\n' + "".join(f'        "{method}",\n' for method in methods) + "    ),\n"
