"""The schemes that make imapkit fast, and how each is switched off: what it does stays right, and may take longer.

Little is imported here: this module is loaded by interpreters in which an import is timed.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Change = Callable[[Any], Any]
    Put = Callable[[Any, str, Any], None]

__all__ = ["SCHEMES", "Scheme", "switch_off"]


class Scheme:
    """One scheme; ``works`` are those in which it should show.

    ``changes`` says for each "module:name" that is changed what is put there instead, given what is there. ``early``: it is used
    while modules are loaded, so that it can only be switched off before imapkit is imported.
    """

    def __init__(self, what: str, works: str, changes: Mapping[str, Change], early: bool = False) -> None:
        self.what, self.works, self.changes, self.early = what, tuple(works.split()), changes, early


def switch_off(name: str, put: Put = setattr) -> None:
    """Switch a scheme off, in the modules of imapkit that are loaded, and in others once they are. Raises ``KeyError``.

    ``RuntimeError``: the scheme has done its work already.
    """
    scheme = SCHEMES[name]
    late: dict[str, list[tuple[str, Change]]] = {}
    for target, change in scheme.changes.items():
        module, _, path = target.partition(":")
        if module not in sys.modules:
            late.setdefault(module, []).append((path, change))
        elif scheme.early:
            raise RuntimeError(f"{name} can only be switched off before imapkit is imported")
        else:
            _change(sys.modules[module], path, change, put)
    if late:
        sys.meta_path.insert(0, _Changing(late, put))


def _change(owner: Any, path: str, change: Change, put: Put) -> None:
    *outer, name = path.split(".")
    for each in outer:
        owner = getattr(owner, each)
    put(owner, name, change(getattr(owner, name)))


class _Changing:
    """Finds the modules to change, and changes each when it has been loaded."""

    def __init__(self, changes: Mapping[str, list[tuple[str, Change]]], put: Put) -> None:
        self._changes, self._put = changes, put

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The location of a module to change; None for any other."""
        spec = PathFinder.find_spec(name, path, target) if name in self._changes else None
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_change(module: ModuleType) -> None:
            load(module)
            for where, change in self._changes[name]:
                _change(module, where, change, self._put)

        vars(spec.loader)["exec_module"] = load_and_change
        return spec


# What is put in the place of something else


def _instead(value: Any) -> Change:
    """Another value."""
    return lambda _: value


def _returns(value: Any) -> Change:
    """A function that does nothing, and returns this."""
    return lambda _: lambda *_args, **_options: value


def _without_low(begin: Any) -> Any:
    return lambda self, flight, *, high, low: begin(self, flight, high=high, low=high)


def _no_literal_runs(take_run: Any) -> Any:
    return lambda self, name, batch: take_run(self, name, batch) if self._framer.ahead else None


def _by_courier(run: Any) -> Any:
    return lambda self, work, subject=None, rounds=0: run(self, work, subject, 0)


def _by_library(_: Any) -> Any:
    def installed(group: str, names: Any) -> Any:
        return sys.modules["imapkit.core.plugins.installed"]._by_library(group, names)

    return installed


def _compiled_at_once(_: Any) -> Any:
    import re

    return re.compile


def _usual_dataclass(_: Any) -> Any:
    from dataclasses import dataclass

    return lambda **options: dataclass(unsafe_hash=options.get("eq", True), **options)


def _never(_: Any) -> Any:
    import re

    return re.compile(rb"(?!)")


_THREADS, _WIRE, _ENGINE = "imapkit.core.threads.", "imapkit.core.wire.", "imapkit.core.engine."
_REV1, _MANY = "imapkit.ext.rev1.", 1 << 60

SCHEMES = {
    "inline": Scheme(
        "a caller that waits reads its own answer",
        "noops threads_1 appends",
        {_THREADS + "inline:Inline.read_inline": _returns(None), _THREADS + "inline:Inline.rest": _returns(None)},
    ),
    "pause": Scheme(
        "with 32 commands in flight the reader thread waits before it reads, so that answers come together",
        "noops_pipelined appends_pipelined far threads_16",
        {_THREADS + "reader:_MANY": _instead(_MANY)},
    ),
    "low": Scheme(
        "with 128 commands in flight nothing leaves until there are fewer, and then all that is queued",
        "noops_pipelined appends_pipelined",
        {_ENGINE + "outbound:Outbound.__init__": _without_low},
    ),
    "joined": Scheme(
        "commands that need no answer in between leave in one write",
        "noops_pipelined appends_pipelined threads_16",
        {_ENGINE + "outbound:TOGETHER": _instead(1)},
    ),
    "lone_lines": Scheme(
        "a command that is alone and one line takes a shorter way out",
        "noops callback threads_1",
        {_ENGINE + "outbound:Outbound._lone_line": _returns(None)},
    ),
    "own_sends": Scheme(
        "the thread that changed the engine sends what the socket takes at once; the courier thread only the rest",
        "noops noops_pipelined callback appends",
        {_THREADS + "courier:Courier.run": _by_courier},
    ),
    "batches": Scheme(
        "up to 64 responses that came together are taken in in one step",
        "noops_pipelined appends_pipelined threads_16",
        {_THREADS + "intake:_TOGETHER": _instead(1)},
    ),
    "quickack": Scheme(
        'what comes before a "+" is acknowledged at once (TCP_QUICKACK)',
        "appends_held appends_pipelined",
        {"imapkit.core.transport.sockets:_QUICKACK": _instead(0)},
    ),
    "reads": Scheme(
        "larger reads while much comes",
        "flags bodies big",
        {_THREADS + "reader:Reader._next_size": _returns(1 << 16)},
    ),
    "poll": Scheme(
        "while no answer is owed the reader thread waits without the memory of a read",
        "idlers",
        {_THREADS + "reader:_LONG": _instead(0.0)},
    ),
    "cut": Scheme(
        "all lines that have come are cut in one pass",
        "flags structures noops_pipelined",
        {_WIRE + "fragment:Framer._cut": _returns(False)},
    ),
    "last_quote": Scheme(
        "the last quote shows whether a string is open at the end of a line",
        "listing structures",
        {_WIRE + "fragment:is_surely_closed": _returns(False), _WIRE + "assembly:is_surely_closed": _returns(False)},
    ),
    "runs": Scheme(
        "many responses of one name on one line each are taken in as one run",
        "flags flags_parsed structures",
        {_THREADS + "intake:_RUN": _instead(_MANY)},
    ),
    "literal_runs": Scheme(
        "many responses of one name with a literal each are taken in as one run",
        "bodies",
        {_THREADS + "intake:Intake._take_run": _no_literal_runs},
    ),
    "plain_items": Scheme(
        "flags and numbers of FETCH are read by two patterns",
        "flags_parsed",
        {_REV1 + "fetch:_plain_items": _returns(None)},
    ),
    "whole_envelopes": Scheme(
        "an envelope that is exactly as the grammar has it is read by one pattern",
        "structures_parsed",
        {_REV1 + "envelope:whole_envelope": _returns(None), _REV1 + "wholebody:whole_envelope": _returns(None)},
    ),
    "usual_dates": Scheme(
        "a date as nearly all are written is not parsed to find out whether it has to be guessed",
        "structures_parsed",
        {_REV1 + "envelope:_USUAL": _never},
    ),
    "whole_bodies": Scheme(
        "a body structure that is exactly as the grammar has it is read a part at a time",
        "structures_parsed",
        {_REV1 + "body:whole_body": _returns(None)},
    ),
    "late_patterns": Scheme(
        "a pattern is compiled when it is first used",
        "importing first",
        {"imapkit.core.support.patterns:late_pattern": _compiled_at_once},
        early=True,
    ),
    "lean": Scheme(
        "dataclasses that are cheap to define",
        "importing first",
        {"imapkit.core.support.lean:lean_dataclass": _usual_dataclass},
        early=True,
    ),
    "scan": Scheme(
        "imapkit reads the metadata of what is installed by itself",
        "first",
        {"imapkit.core.plugins.installed:_plainly": _by_library},
    ),
}
"""By name."""
