"""Writes ``imapkit/typed/client.pyi``: the typed clients as type checkers and editors see them, each method as a plain function.

    python -m tools.typed_twin

The methods come from the families' typed commands, once for each face. ``client.pyi.in`` has the rest.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import imapkit
from imapkit.core.contract.typed import TypedCommands, command, stream
from imapkit.core.plugins.registry import Registry

__all__ = ["TARGET", "twin"]

ROOT = Path(imapkit.__file__).parent
TARGET = ROOT / "typed" / "client.pyi"
BY_HAND = Path(__file__).with_name("client.pyi.in")
HEAD = """# Written by tools/typed_twin.py from the families' typed commands: do not edit it.
# A method stands here for a descriptor of the base class.
# pyright: reportIncompatibleVariableOverride=false
"""
FACES = {
    "Blocking": ("def", "{}", "Iterator[{}]"),
    "Nowait": ("def", "Future[{}]", "Future[list[{}]]"),
    "Async": ("async def", "{}", "AsyncIterator[{}]"),
}
_STARS: dict[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
SIDES = {"Session": "session_mixins", "Selected": "selected_mixins"}


class _Stub:
    """The text of one stub, and the names that it has to import."""

    def __init__(self) -> None:
        self.needed: dict[str, str] = {"Role": "imapkit"}
        self._known: dict[str, dict[str, str]] = {}

    def class_(self, name: str, face: str, mixins: tuple[type, ...]) -> Iterator[str]:
        """The class with the typed commands of one face and one side."""
        bases = []
        for mixin in mixins:
            self.needed[mixin.__name__] = mixin.__module__
            bases.append(f"{mixin.__name__}[{face}]")
        yield f"class {name}({', '.join(bases)}):" if bases else f"class {name}:"
        methods = list(_methods(mixins))
        for method, made, module in methods:
            yield textwrap.indent("\n".join(self._method(method, made, face, module)), "    ")
        if not methods:
            yield "    ..."

    def _method(self, name: str, made: Any, face: str, module: str) -> Iterator[str]:
        signature = inspect.signature(made.function)
        result = ast.parse(str(signature.return_annotation), mode="eval").body
        streams = isinstance(made, stream)
        if streams or not made.several:
            # (It is written Wire[T], or AsyncIterator[T].)
            assert isinstance(result, ast.Subscript), f"{module}: {name}() returns {ast.unparse(result)}"
            result = result.slice
        keyword, one, many = FACES[face]
        if streams and face != "Nowait":
            self.needed[many.partition("[")[0]] = "collections.abc"
        text = self._note(ast.unparse(result), module)
        arguments = ", ".join(self._arguments(signature, module))
        returned = (many if streams else one).format(text)
        yield f"{'def' if streams else keyword} {name}({arguments}) -> {returned}:"
        doc = inspect.getdoc(made.function) or ""
        mark = "r" if "\\" in doc else ""
        yield textwrap.indent(f'{mark}"""{doc}"""' if "\n" not in doc else f'{mark}"""{doc}\n"""', "    ")

    def _arguments(self, signature: inspect.Signature, module: str) -> Iterator[str]:
        starred = False
        for each in signature.parameters.values():
            if each.kind is each.KEYWORD_ONLY and not starred:
                starred = True
                yield "*"
            starred = starred or each.kind is each.VAR_POSITIONAL
            text = f"{_STARS.get(each.kind, '')}{each.name}"
            if each.annotation is not each.empty:
                text += f": {self._note(str(each.annotation), module)}"
            if each.default is not each.empty:
                plain = each.default is None or type(each.default) in (int, float, str, bytes, bool)
                text += f" = {each.default!r}" if plain or each.default == () else " = ..."
            yield text

    def _note(self, annotation: str, module: str) -> str:
        """Have the names of an annotation of ``module`` imported."""
        if module not in self._known:
            self._known[module] = _imports(module)
        for node in ast.walk(ast.parse(annotation, mode="eval")):
            if isinstance(node, ast.Name) and not hasattr(builtins, node.id):
                self.needed[node.id] = self._known[module].get(node.id, module)
        return annotation

    def imports(self, by_hand: str) -> Iterator[str]:
        """The imports that the part by hand lacks."""
        there = {alias.name for node in ast.parse(by_hand).body if isinstance(node, ast.ImportFrom) for alias in node.names}
        modules: dict[str, list[str]] = {}
        for name, module in sorted(self.needed.items()):
            if name not in there:
                modules.setdefault(module, []).append(name)
        for module, names in sorted(modules.items()):
            yield f"from {module} import {', '.join(names)}" if module else f"import {', '.join(names)}"


def _with_options() -> tuple[str, str]:
    """A comment in the part by hand, and what takes its place in each class: jedi takes ``Self`` for the class it stands in."""
    method = TypedCommands.with_options
    signature = str(inspect.signature(method)).replace("'", "")
    doc = textwrap.indent(f'"""{inspect.getdoc(method)}\n"""', "    ")
    return "    # with_options()", textwrap.indent(f"def with_options{signature}:\n{doc}", "    ")


def _methods(mixins: tuple[type, ...]) -> Iterator[tuple[str, Any, str]]:
    """The typed commands of a side: the name, the descriptor, and the module; each as the composed class has it."""
    seen = set()
    for mixin in mixins:
        for cls in mixin.__mro__:
            for name, made in vars(cls).items():
                if isinstance(made, (command, stream)) and name not in seen:
                    seen.add(name)
                    yield name, made, cls.__module__


def _imports(module: str) -> dict[str, str]:
    """The module from which each name of a module comes; "" for one that is itself a module, as by ``import ssl``."""
    tree = ast.parse(Path(str(import_module(module).__file__)).read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


def twin(known: Registry) -> str:
    """The text of the stub, for the families of imapkit itself."""
    stub, body, by_hand = _Stub(), [], BY_HAND.read_text(encoding="utf-8").replace(*_with_options())
    for face in FACES:
        for side, field in SIDES.items():
            mixins = tuple(mixin for mixin in getattr(known, field) if mixin.__module__.startswith("imapkit."))
            body.append("\n".join(stub.class_(f"_{face}{side}", face, mixins)))
    return "\n".join((HEAD + "\n".join(stub.imports(by_hand)), by_hand, *body, ""))


if __name__ == "__main__":
    from imapkit.core.raw.families import registry

    TARGET.write_text(twin(registry()), encoding="utf-8")
