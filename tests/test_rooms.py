"""The rooms of the package: their direction, without a circle; what the engine does not import; lengths.

``tests/rooms.py`` has the rules. Here the sources keep them, and each rule finds a planted offence.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import imapkit
from tests.rooms import BRACES, INDEX, ROOMS, SHIMS, circles, clocks, imports, misplaced, modules, room, too_long, waits

PACKAGE = Path(imapkit.__file__).parent
MODULES = modules(PACKAGE)
SOURCES = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}
FOREIGN = ("pluggy", "importlib_metadata")
"""What the core and the families import beside Python's own library, without its IMAP client."""
WITHOUT_IO = (*ROOMS[:4], "engine")
"""The rooms that neither wait nor look at a clock."""
LONGEST_FILE, LONGEST_FUNCTION = 400, 60

TYPES = {"imapkit.core.contract.typed": {"concurrent.futures"}}
"""What a module imports for type checkers alone: the type of what a typed call on the face of futures returns."""


def test_there_is_something_to_look_at() -> None:
    found = {room(name) for name in MODULES if name.startswith("imapkit.core.")}
    assert found - {None} == {*ROOMS, *BRACES}
    assert len(MODULES) > 100


@pytest.mark.parametrize("name", MODULES)
def test_each_module_imports_what_stands_before_it(name: str) -> None:
    wrong = [(found.line, why) for found in imports(SOURCES[name], MODULES) if (why := misplaced(name, found.module))]
    assert wrong == [], MODULES[name]


def test_every_module_of_the_core_is_in_a_room() -> None:
    outside = {name for name in MODULES if name.startswith("imapkit.core.") and room(name) is None}
    assert outside == {name for name in SHIMS if name.startswith("imapkit.core.")}


def test_a_room_itself_imports_nothing() -> None:
    for name in (*ROOMS, *BRACES):
        assert list(imports(SOURCES[f"imapkit.core.{name}"], MODULES)) == [], name


def test_no_circle_of_modules() -> None:
    known = {name: sorted({found.module for found in imports(SOURCES[name], MODULES)} & MODULES.keys()) for name in MODULES}
    assert sum(map(len, known.values())) > 500
    assert circles(known) == []


def test_the_core_imports_nothing_foreign() -> None:
    for name in (name for name in MODULES if name.startswith(("imapkit.core.", "imapkit.ext."))):
        for found in imports(SOURCES[name], MODULES):
            top = found.module.partition(".")[0]
            fine = (top in sys.stdlib_module_names and top != "imaplib") or top in ("imapkit", *FOREIGN)
            assert fine, f"{MODULES[name]}:{found.line} imports {found.module}"


def test_the_engine_and_what_stands_before_it_neither_wait_nor_do_io() -> None:
    files = [name for name in MODULES if name.startswith("imapkit.core.") and room(name) in WITHOUT_IO]
    assert len(files) > 40
    for name in files:
        assert {found.module for found in waits(SOURCES[name], MODULES)} <= TYPES.get(name, set()), MODULES[name]
        assert clocks(SOURCES[name]) == [], MODULES[name]


@pytest.mark.parametrize("name", MODULES)
def test_no_file_and_no_function_is_too_long(name: str) -> None:
    assert len(SOURCES[name].splitlines()) < LONGEST_FILE
    assert too_long(SOURCES[name], LONGEST_FUNCTION) == []


def test_of_ext_the_plugins_read_the_index_and_the_name_only() -> None:
    readers = [name for name in MODULES if any(found.module == INDEX for found in imports(SOURCES[name], MODULES))]
    inside = [name for name in readers if room(name) == "plugins"]
    assert inside
    for name in inside:
        nodes = [node for node in ast.walk(ast.parse(SOURCES[name])) if isinstance(node, ast.Attribute)]
        used = {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "ext"}
        assert used <= {"INDEX", "__name__"}, name


@pytest.mark.parametrize("name", SHIMS)
def test_an_old_name_holds_the_same_objects(name: str) -> None:
    new, old = __import__("imapkit.plugin", fromlist=["x"]), __import__(name, fromlist=["x"])
    if name == "imapkit.core.result":
        new = imapkit
    assert old.__all__
    assert [one for one in old.__all__ if getattr(old, one) is not getattr(new, one)] == []


# Each rule finds what offends it.


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("imapkit.core.wire.pieces", "from imapkit.core.grammar import kinds"),
        ("imapkit.core.wire.pieces", "import imapkit.core.grammar.kinds"),
        ("imapkit.core.engine.gate", "from imapkit.core.plugins.registry import Registry"),
        ("imapkit.core.plugins.loader", "from imapkit.core.transport import base"),
        ("imapkit.core.transport.layers", "from imapkit.core.engine.engine import Engine"),
        ("imapkit.core.threads.reader", "def f():\n    from imapkit.core.raw.facade import Client"),
        ("imapkit.core.threads.reader", "if TYPE_CHECKING:\n    from imapkit.core.raw.facade import Client"),
        ("imapkit.core.raw.facade", "from imapkit import ext"),
        ("imapkit.core.plugins.loader", "from imapkit.ext import rev1"),
        ("imapkit.core.raw.facade", "from imapkit.client import IMAP4"),
        ("imapkit.core.raw.facade", "import imapkit"),
        ("imapkit.core.raw.facade", "from imapkit.plugin import Family"),
        ("imapkit.core.support.lean", "from imapkit.errors import error"),
        ("imapkit.errors", "from imapkit.core.grammar.cursor import Cursor"),
        ("imapkit.plugin", "from imapkit.core.engine.engine import Engine"),
        ("imapkit.ext.acl", "from imapkit.core.wire.pieces import Token"),
        ("imapkit.ext.acl", "from imapkit.ext.rev1 import FetchData"),
        ("imapkit.ext.acl", "from imapkit.family import Family"),
        ("imapkit.client", "from imapkit.cli import main"),
        ("imapkit.client", "from imapkit.testing import ScriptedServer"),
        ("imapkit.testing.checks", "from imapkit.cli.main import main"),
        ("imapkit.client", "from imapkit.core.api import Commands"),
    ],
)
def test_a_wrong_import_is_found(module: str, line: str) -> None:
    assert module in MODULES
    assert [why for found in imports(line, MODULES) if (why := misplaced(module, found.module))]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("imapkit.core.threads.reader", "from imapkit.core.transport.layers import Layers"),
        ("imapkit.core.plugins.loader", "from imapkit import ext"),
        ("imapkit.core.wire.fragment", "from imapkit.errors import error"),
        ("imapkit.ext.rev1.fetch", "from imapkit.ext.rev1.body import body"),
        ("imapkit.cli.demo", "from imapkit.testing import DelayProxy"),
        ("imapkit.client", "from imapkit.ext.acl import Acl"),
    ],
)
def test_a_right_import_passes(module: str, line: str) -> None:
    assert [why for found in imports(line, MODULES) if (why := misplaced(module, found.module))] == []


@pytest.mark.parametrize(
    "source",
    [
        "import threading",
        "from socket import socket",
        "def f():\n    import select",
        "import queue as q",
        "import concurrent.futures",
    ],
)
def test_an_import_that_waits_is_found(source: str) -> None:
    assert waits(source, MODULES)


@pytest.mark.parametrize("source", ["from time import monotonic", "import time\ntime.sleep(1)", "import time\nnow = time.time"])
def test_a_clock_is_found(source: str) -> None:
    assert clocks(source)
    assert not clocks("import time\ntime.mktime(x)")


def test_a_circle_is_found() -> None:
    graph = {"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": ["e"], "e": [], "f": ["f"]}
    assert circles(graph) == [["a", "b", "c"], ["f"]]
    assert circles({"a": ["b", "c"], "b": ["c"], "c": []}) == []


def test_a_long_function_is_found() -> None:
    def function(lines: int) -> str:
        return "def f():\n" + '    """One.\n\n    Two.\n    """\n' + "    pass\n" * lines

    assert too_long(function(60), LONGEST_FUNCTION) == [(1, "f", 61)]
    assert too_long(function(59), LONGEST_FUNCTION) == []
