"""The reference for users: every method by family, every constructor argument, attribute, record, exception and function.

The families are asked which capabilities they serve; all texts come from the sources' docstrings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import imapkit
from docs.reference_markdown import item, prose, section
from docs.reference_source import Entry, entries, entry, exported, module_doc
from imapkit import ext
from imapkit.core.contract.commands import Commands
from imapkit.core.contract.family import Family
from imapkit.core.plugins.loader import builtin
from imapkit.core.raw.families import registry

__all__ = ["FAMILIES", "attributes", "commands", "records", "sections", "users_page"]

FAMILIES = sorted(ext.INDEX, key=lambda name: (name != "rev1", name))
"""The base family, and the others by name."""
_CLIENTS = ("IMAP4", "IMAP4_SSL", "IMAP4_stream")
_CLIENT = (
    ("imapkit.core.raw.facade", "Client"),
    ("imapkit.core.raw.attributes", "Attributes"),
    ("imapkit.core.raw.secure", "Secured"),
)
_OPTIONS = (("imapkit.plugin", "CallbackOptions"), ("imapkit.plugin", "CallOptions"))
_RESULTS = {
    "imapkit.core.wire.data": ("Data", "Parsed", "StatusText", "Defect"),
    "imapkit.core.wire.pieces": ("MailboxName", "ServerString"),
    "imapkit.core.wire.response": ("Untagged",),
}
_HOMES = {"configure": ("imapkit.core.plugins.loader", "Loader.configure")}
_MODULES = {"q": "imapkit.ext.rev1.keys", "sort": "imapkit.sort"}
"""The modules that are names of imapkit, and where the names in each are defined or imported."""
_RETURNED = re.compile(r"-> (?:Wire|AsyncIterator)\[(.*)\]$")
"""What a typed call makes; a blocking one returns its result."""
_TLS_ERRORS = ("TLSError", "TLSFileError")
_INTRODUCTION = """\
# Reference

Every method, constructor argument, attribute, record, exception and function, as `help()` shows them. The [README](../README.md)
shows how they are used; [contract.md](contract.md) is the reference for authors of plugins.

`python docs/make_reference.py` writes this page from the docstrings; a test holds it fresh.

"""
_COMMANDS = """\
## Commands

Every command is a method and returns `(type, data)`. `type` is "OK", or "NO" where the server refuses; BAD raises `BadResponse`,
a wrong argument `ArgumentError`, a wrong state `StateError` (nothing was sent then), a time-out or a lost connection `abort`.
`data` is a `Data`: what each method says, `[None]` where the server sent none of it, and the text of the answer where a method
says nothing of its data, or the type is "NO". Every command takes these options beside its arguments:
"""


def users_page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, _contents(), "\n## Clients\n"]
    parts += [section(entry("imapkit.client", name)) for name in _CLIENTS]
    parts.append("## What every client has\n")
    parts += map(item, attributes())
    parts.append(_COMMANDS)
    parts += [f"{prose(entry(*where).doc)}\n" for where in _OPTIONS]
    for name in FAMILIES:
        parts += _family(name)
    parts.append("## Results\n")
    parts += [section(entry(module, name)) for module, names in _RESULTS.items() for name in names]
    parts.append("## Records\n\nWhat responses are read as: `data.parsed()` and `imap.parse()`.\n")
    for name in FAMILIES:
        parts += [section(found) for found in records(name)]
    parts.append(f"## Errors\n\n{prose(module_doc('imapkit.errors'))}\n")
    parts += [section(found) for found in _errors()]
    parts.append("## Settings, functions and constants of `imapkit`\n")
    parts += [section(found) for found in sections()]
    return "\n".join(parts)


def _contents() -> str:
    lines = [f"| [`{name}`](#family-{name}) | {_served(builtin(name).family)} | {_methods(name)} |" for name in FAMILIES]
    return "\n".join(["| family | capabilities | methods |", "| --- | --- | --- |", *lines]) + "\n"


def _served(family: Family) -> str:
    return ", ".join(f"`{capability}`" for capability in family.capabilities) or "none"


def _methods(name: str) -> str:
    return ", ".join(f"`{method}`" for method in ext.INDEX[name])


def _family(name: str) -> Iterator[str]:
    family = builtin(name).family
    yield f'### Family `{name}` <a id="family-{name}"></a>\n'
    yield f"{prose(module_doc(f'{ext.__name__}.{name}'))}\n"
    yield f"Capabilities: {_served(family)}.\n"
    yield from (f"In part: `{capability}`: {said}.\n" for capability, said in family.partly.items())
    for cls, found in commands(name):
        yield f"#### {cls.splitlines()[0]}\n"
        yield from map(item, found)
    for where, found in typed_commands(name):
        yield f"#### Typed, on {where}\n"
        yield from map(item, found)


def typed_commands(name: str) -> Iterator[tuple[str, list[Entry]]]:
    """The typed calls of a family: on which objects, and the entries of its methods."""
    known = registry(FAMILIES)
    for where, side in (("clients", known.typed.session), ("mailboxes", known.typed.selected)):
        methods = {method for method, owner in side.methods.items() if owner == name}
        found = {inner.name: inner for mixin in side.mixins for cls in mixin.__mro__ for inner in _typed(cls, methods)}
        if found:
            yield where, [found[method] for method in sorted(found)]


def _typed(cls: type, methods: set[str]) -> Iterator[Entry]:
    if methods & vars(cls).keys():
        for inner in entry(cls.__module__, cls.__name__).inner:
            if inner.name in methods:
                yield replace(inner, code=_RETURNED.sub(r"-> \1", inner.code))


def commands(name: str) -> Iterator[tuple[str, list[Entry]]]:
    """The methods of a family: what the docstring of each class of its mixin says, and the entries of its methods."""
    mixin: Any = builtin(name).family.mixin
    for cls in mixin.__mro__ if mixin is not None else ():
        if issubclass(cls, Commands) and cls is not Commands:
            found = entry(cls.__module__, cls.__name__, without={"Commands"})
            own = [inner for inner in found.inner if inner.name in vars(cls)]
            if own:
                yield found.doc, own


def attributes() -> Iterator[Entry]:
    """What every client has beside commands: attributes and methods."""
    for module, name in _CLIENT:
        found = entry(module, name, without={"Commands", "Attributes", "Secured"})
        yield from sorted(found.inner, key=lambda inner: inner.name.lower())


def records(name: str) -> Iterator[Entry]:
    """The records of a family, and what else of its module is for users."""
    module = f"{ext.__name__}.{name}"
    for public in exported(module):
        if public != "imapkit_family" and not public.endswith(("Commands", "Session", "Selected")):
            yield replace(found := entry(module, public), name=f"{module}.{found.name}")


def _errors() -> Iterator[Entry]:
    for name in exported("imapkit.errors"):
        yield entry("imapkit.errors", name)
    for name in exported("imapkit.refusals"):
        yield entry("imapkit.refusals", name)
    for name in _TLS_ERRORS:
        yield entry("imapkit.core.transport.tls", name)


def sections() -> Iterator[Entry]:
    """What else ``import imapkit`` brings."""
    told = {
        *_CLIENTS,
        *exported("imapkit.errors"),
        *exported("imapkit.refusals"),
        *_TLS_ERRORS,
        *_RESULTS["imapkit.core.wire.data"],
        "__version__",
    }
    for name in imapkit.__all__:
        if name in _MODULES:
            yield Entry(name, f"from imapkit import {name}", module_doc(f"imapkit.{name}"), (), tuple(entries(_MODULES[name])))
        elif name not in told:
            module, there = _HOMES.get(name, (imapkit._HOME[name], name))
            yield entry(module, there)
