"""Whether what a hook returned is a family that this imapkit can use: the types of its fields, its name, its contract.

Each mistake is described in the words of the declaration's author, with what to write instead. What depends on other families is
in ``claims``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MethodType
from typing import Any

from imapkit.core.contract.command import Command
from imapkit.core.contract.extension import Code, LayerSpec, Response
from imapkit.core.contract.family import CONTRACT, Family
from imapkit.core.contract.needs import Needs
from imapkit.core.contract.option import Option, Place
from imapkit.core.contract.points import Quirk, StateStep
from imapkit.core.contract.routes import Routes
from imapkit.core.contract.session import State
from imapkit.core.grammar.kinds import without_optional
from imapkit.core.plugins.points import wrong_points
from imapkit.core.support.patterns import late_pattern
from imapkit.core.wire.sinks import Streams
from imapkit.errors import NoResponse

__all__ = ["contract_is_unknown", "is_name", "mistakes"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ATOM = re.compile(r"[!#$&'+-\[^-z|-~]+")
_PLACE = late_pattern(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_LINE = late_pattern(rb"[^\r\n\0]+")
_LISTS = {
    "commands": Command,
    "capabilities": str,
    "enables": str,
    "requires": str,
    "replaces": str,
    "extends": Option,
    "routes": Routes,
    "steps": StateStep,
    "quirks": Quirk,
}
_TABLES: Mapping[str, Any] = {"responses": Response, "codes": Code, "layers": LayerSpec, "partly": str}
_BOOLS = ("exclusive", "uid", "seqnums", "expunges", "secret", "ends")
#   How each function is called.
_OF_A_COMMAND = {
    "guard": "guard(session, args)",
    "before": "before(session, args)",
    "done": "done(session, request)",
    "subject": "subject(args, uid)",
    "matches": "matches(subject, response)",
    "matches_all": "matches_all(subject, run)",
    "matches_code": "matches_code(subject, code)",
    "reads": "reads(args, uid)",
    "news": "news(response)",
}
_OF_A_RESPONSE = {"parse": "parse(cursor)", "apply": "apply(session, response)", "tag": "tag(response)"}
_OF_A_CODE = {"parse": "parse(cursor)", "apply": "apply(session, data)"}
#   What is of no use without another field.
_OF_STREAMS = {"announces": "announces(response)", "value": "value(response)"}
_NEEDED = {"matches": "subject", "matches_all": "matches", "matches_code": "subject", "news": "interrupt"}
_TAILS = ("feed", "reject")
_NO_KINDS = (str, bytes, int, bool, float, list, tuple, dict, set)
_VARIADIC = 4
"""The flag of code that takes any number of arguments."""


def is_name(name: str) -> bool:
    """Whether a family can have this name: one that IMAPKIT_PLUGINS and IMAPKIT_DISABLE can list."""
    return _NAME.fullmatch(name) is not None


def contract_is_unknown(family: Family) -> bool:
    """Whether the family needs a contract that this imapkit does not have."""
    return type(family.contract) is not int or not 1 <= family.contract <= CONTRACT


def mistakes(family: Family) -> Iterator[str]:
    """What is wrong with a declaration by itself. The most frequent mistake is a missing comma: a str instead of a tuple."""
    if not isinstance(family.name, str) or not is_name(family.name):
        yield f"name={family.name!r} is no name: letters, digits, and _ - . inside"
    if family.mixin is not None and not isinstance(family.mixin, type):
        yield f"mixin={family.mixin!r} is no class"
    for field in ("session", "selected"):
        yield from _wrong_class(field, getattr(family, field))
    for field, kind in _LISTS.items():
        yield from _wrong_list(field, getattr(family, field), kind)
    for field in ("capabilities", "enables"):
        yield from _wrong_words(field, getattr(family, field))
    for field, kind in _TABLES.items():
        yield from _wrong_table(field, getattr(family, field), kind)
    yield from _wrong_pairs("items", family.items, callable, "no function")
    yield from _wrong_pairs("operands", family.operands, _are_kinds, "no tuple of kinds")
    yield from _wrong_events(family.events)
    yield from _wrong_entries(family)
    yield from wrong_points(family, _wrong_function)
    for option in _listed(family.extends):
        if isinstance(option, Option):
            yield from _wrong_option(option)
    for command in _listed(family.commands):
        if isinstance(command, Command):
            yield from _wrong_command(command)


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else ()


def _entries(value: Any, kind: type) -> Iterator[tuple[Any, Any]]:
    """What a table has of the right kind."""
    return ((name, item) for name, item in (value.items() if isinstance(value, Mapping) else ()) if isinstance(item, kind))


def _wrong_class(field: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if not _PLACE.fullmatch(value):
            yield f'{field}={value!r} is no place of a class: write "module:Class"'
    elif value is not None and not isinstance(value, type):
        yield f'{field}={value!r} is no class: write the class itself, without arguments, or "module:Class"'


def _wrong_list(field: str, value: Any, kind: type) -> Iterator[str]:
    if isinstance(value, kind):
        yield f"{field}= is one {kind.__name__} and not a tuple of them: a comma is missing before the )"
    elif not isinstance(value, (tuple, list)):
        yield f"{field}= is no tuple but {type(value).__name__}"
    else:
        yield from (f"{field}= holds {item!r}, which is no {kind.__name__}" for item in value if not isinstance(item, kind))


def _wrong_words(field: str, value: Any) -> Iterator[str]:
    for word in _listed(value):
        if isinstance(word, str) and (not word or word.split() != [word]):
            yield f"{field}= holds {word!r}: write each capability as one word of its own"


def _wrong_table(field: str, value: Any, kind: type) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{field}= is no mapping but {type(value).__name__}"
        return
    for name, item in value.items():
        if not isinstance(name, str):
            yield f"{field}= has the key {name!r}, which is no str"
        elif field in ("responses", "codes") and not _ATOM.fullmatch(name):
            yield f"{field}= has the key {name!r}, which is no atom (RFC 3501 section 9)"
        if not isinstance(item, kind):
            yield f"{field}= has under {name!r} a {type(item).__name__} and no {kind.__name__}"


def _wrong_pairs(field: str, value: Any, fits: Callable[[Any], bool], instead: str) -> Iterator[str]:
    """Of a table by pairs of names."""
    if not isinstance(value, Mapping):
        hint = ": write items=Item.table(...)" if field == "items" else ""
        yield f"{field}= is no mapping but {type(value).__name__}{hint}"
        return
    first = "RESPONSE" if field == "items" else "COMMAND"
    for key, item in value.items():
        if not (isinstance(key, tuple) and len(key) == 2 and all(isinstance(part, str) and part for part in key)):
            yield f'{field}= has the key {key!r}, which is no pair like ("{first}", "{"ITEM" if field == "items" else "WORD"}")'
        if not fits(item):
            yield f"{field}= has under {key!r} a {type(item).__name__} and {instead}"
        elif field == "items":
            yield from _wrong_function(f"items= under {key!r}", "the parser", item, "parser(cursor)")
        else:
            yield from _wrong_kinds(f"operands= under {key!r}", item)


def _are_kinds(value: Any) -> bool:
    return isinstance(value, tuple)


def _wrong_entries(family: Family) -> Iterator[str]:
    """What is wrong within responses, codes and layers."""
    for name, response in _entries(family.responses, Response):
        yield from _wrong_functions(f"response {name}", response, _OF_A_RESPONSE)
        yield from _wrong_bools(f"response {name}", response, ("numbered",))
    for name, code in _entries(family.codes, Code):
        yield from _wrong_functions(f"code {name}", code, _OF_A_CODE)
        yield from _wrong_bools(f"code {name}", code, ("boundary",))
        if code.raises is not None and not (isinstance(code.raises, type) and issubclass(code.raises, NoResponse)):
            yield f"code {name}: raises={code.raises!r} is no class that derives from imapkit.errors.NoResponse"
    for name, spec in _entries(family.layers, LayerSpec):
        if spec.factory is None:
            yield f"layer {name}: factory= is None: write a function that is called as factory(session, options)"
        yield from _wrong_functions(f"layer {name}", spec, {"factory": "factory(session, options)"})
        yield from _wrong_bools(f"layer {name}", spec, ("always",))
        if isinstance(spec.order, bool) or not isinstance(spec.order, (int, float)) or spec.order != spec.order:
            yield f"layer {name}: order={spec.order!r} is no number"


def _wrong_events(events: Any) -> Iterator[str]:
    if not isinstance(events, Mapping):
        yield f"events= is no mapping but {type(events).__name__}"
        return
    for name, event in events.items():
        word = name[1:-1] if isinstance(name, str) and name[:1] + name[-1:] == "[]" else name
        if not isinstance(word, str) or not _ATOM.fullmatch(word) or word != word.upper():
            yield f'events= has the key {name!r}: write the name of a response, as "EXISTS", or of a code, as "[ALERT]"'
        yield from _wrong_function(f"events= under {name!r}", "the function", event, "event(value, mailbox)")


def _wrong_bools(where: str, declared: Any, fields: tuple[str, ...]) -> Iterator[str]:
    for field in fields:
        if not isinstance(value := getattr(declared, field), bool):
            yield f"{where}: {field}={value!r} is neither True nor False"


def _wrong_functions(where: str, declared: Any, calls: Mapping[str, str]) -> Iterator[str]:
    for field, call in calls.items():
        if (function := getattr(declared, field)) is not None:
            yield from _wrong_function(where, f"{field}=", function, call)


def _wrong_function(where: str, field: str, function: Any, call: str) -> Iterator[str]:
    if not callable(function):
        yield f"{where}: {field} is a {type(function).__name__} and no function: it is called as {call}"
    elif not _takes(function, call.count(",") + 1):
        yield f"{where}: {field} is called as {call}, and {_signature(function)} cannot be"


def _takes(function: Any, count: int) -> bool:
    """Whether a function can be called with ``count`` arguments; True for objects, and for functions not written in Python."""
    # (``inspect`` would take milliseconds for all that the families declare.)
    code = getattr(function, "__code__", None)
    if code is None:
        return True
    most = code.co_argcount - isinstance(function, MethodType)
    least = most - len(function.__defaults__ or ())
    named = code.co_kwonlyargcount - len(function.__kwdefaults__ or ())
    return least <= count and (count <= most or bool(code.co_flags & _VARIADIC)) and not named


def _signature(function: Any) -> str:
    """How a function is written, without its types."""
    from inspect import Signature, signature

    parameters = [each.replace(annotation=each.empty) for each in signature(function).parameters.values()]
    return f"{getattr(function, '__qualname__', function)}{Signature(parameters)}"


def _wrong_kinds(where: str, kinds: tuple[Any, ...]) -> Iterator[str]:
    for kind in map(without_optional, kinds):
        if not callable(kind) or kind in _NO_KINDS:
            yield f"{where} holds {kind!r:.80}, which is no kind: write the function itself, such as astring, without arguments"
        elif not _takes(kind, 1):
            yield f"{where}: a kind is called with one value, and {_signature(kind)} cannot be"


def _wrong_command(command: Command) -> Iterator[str]:
    if not isinstance(command.name, str) or not command.name:
        yield f"a command has the name {command.name!r}, which is no str"
    elif not _ATOM.fullmatch(command.name.removeprefix("UID ")):
        yield f"a command has the name {command.name!r}, which is no atom (RFC 3501 section 9)"
    if command.rules != ():
        yield f"command {command.name}: rules= is filled by the registry: write Family.guards"
    for mistake in (
        *_wrong_states(command.states),
        *_wrong_arguments(command),
        *_wrong_result(command),
        *_wrong_interrupt(command),
        *_wrong_layer(command),
    ):
        yield f"command {command.name}: {mistake}"
    yield from _wrong_needs(f"command {command.name}", command.needs)
    if command.uid is True and str(command.name).startswith("UID "):
        yield f"command {command.name}: uid=True is of no use: the command is always sent with UID"
    yield from _wrong_places(f"command {command.name}", command.places)
    yield from _wrong_bools(f"command {command.name}", command, _BOOLS)
    yield from _wrong_functions(f"command {command.name}", command, _OF_A_COMMAND)
    if isinstance(command.streams, Streams):
        yield from _wrong_functions(f"command {command.name}: streams", command.streams, _OF_STREAMS)
    elif command.streams is not None:
        yield f"command {command.name}: streams={command.streams!r} is no Streams(announces, value)"


def _wrong_option(option: Option) -> Iterator[str]:
    where = f"option {option.word}"
    for field in ("command", "word"):
        if not isinstance(value := getattr(option, field), str) or not _ATOM.fullmatch(value) or value != value.upper():
            yield f"{where}: {field}={value!r} is no atom in upper case (RFC 3501 section 9)"
    if not isinstance(option.place, str) or not option.place:
        yield f'{where}: place={option.place!r} is no name of a place, such as "return"'
    if isinstance(option.kinds, tuple):
        yield from _wrong_kinds(f"{where}: kinds=", option.kinds)
    else:
        yield f"{where}: kinds= is no tuple: a comma is missing before the )"
    yield from _wrong_needs(where, option.needs)
    yield from (f"{where}: {mistake}" for mistake in _wrong_list("adds", option.adds, str))


def _wrong_places(where: str, places: Any) -> Iterator[str]:
    if not isinstance(places, Mapping):
        yield f"{where}: places= is no mapping but {type(places).__name__}"
        return
    for name, place in places.items():
        if not isinstance(name, str) or not isinstance(place, Place):
            yield f"{where}: places= has under {name!r} a {type(place).__name__} and no Place"
        elif place.options:
            yield f"{where}: the place {name!r} has options=, which only the registry fills: write Family.extends"
        elif place.inside and place.at is None:
            yield f"{where}: the place {name!r} is inside an argument: write at= with its index"


def _wrong_needs(where: str, needs: Any) -> Iterator[str]:
    if isinstance(needs, str):
        if needs.split() != [needs]:
            yield f'{where}: needs={needs!r} is not one word: write Needs("A") & Needs("B") for several'
    elif needs is not None and not isinstance(needs, Needs):
        yield f'{where}: needs= is a {type(needs).__name__} and no capability: write "NAME", or Needs("A") | Needs("B")'


def _wrong_states(states: Any) -> Iterator[str]:
    if not isinstance(states, State):
        yield f"states= is a {type(states).__name__} and no State"
    elif not states:
        yield "states= holds no state, so that it could never be sent: write State.ANY for all"


def _wrong_arguments(command: Command) -> Iterator[str]:
    if not isinstance(command.args, (tuple, list)):
        yield "args= is no tuple: a comma is missing before the )"
    else:
        yield from _wrong_kinds("args=", tuple(command.args))
    if command.words is not None and not isinstance(command.words, str):
        yield f"words={command.words!r} is no str: write the name of the command whose words may stand here"
    rest = without_optional(command.rest)
    if rest is None:
        return
    if not callable(rest):
        yield f"rest= is a {type(rest).__name__} and no function: it is called as rest(args)"
    elif not _takes(rest, 1 if command.words is None else 2):
        yield f"rest= is called as rest(args{'' if command.words is None else ', operands'}), and {_signature(rest)} cannot be"


def _wrong_result(command: Command) -> Iterator[str]:
    yield from _wrong_list("result", command.result, str)
    names = [name for name in _listed(command.result) if isinstance(name, str)]
    for name in dict.fromkeys(names):
        # ("" stands for lines without a name.)
        if name and (not _ATOM.fullmatch(name) or name != name.upper()):
            yield f"result= holds {name!r}, which is no name of a response: write it in upper case, as one word"
        if names.count(name) > 1:
            yield f"result= holds {name!r} {names.count(name)} times"
    for field, other in _NEEDED.items():
        if getattr(command, field) is not None and getattr(command, other) is None:
            yield f"{field}= is of no use without {other}=: write both, or neither"
    if command.subject is not None and command.matches is None and command.matches_code is None:
        yield "subject= is of no use without matches=: write both, or neither"
    if command.subject is not None and not (command.result or command.matches_code):
        yield "subject= is of no use where result= names no response"
    yield from _wrong_list("codes", command.codes, str)
    for name in dict.fromkeys(name for name in _listed(command.codes) if isinstance(name, str)):
        if not _ATOM.fullmatch(name) or name != name.upper():
            yield f"codes= holds {name!r}, which is no name of a response code: write it in upper case, as one word"
    if command.matches_code is not None and not command.codes:
        yield "matches_code= is of no use where codes= names no response code"


def _wrong_interrupt(command: Command) -> Iterator[str]:
    line = command.interrupt
    if line is not None and not (isinstance(line, bytes) and _LINE.fullmatch(line)):
        yield f"interrupt={line!r} is no line without its line end, as bytes"


def _wrong_layer(command: Command) -> Iterator[str]:
    yield from _wrong_list("ends_layers", command.ends_layers, str)
    if command.ends_layers and not command.exclusive:
        yield "it switches a layer off, so it must be exclusive: write exclusive=True"
    if command.tail not in _TAILS:
        yield f'tail={command.tail!r} is neither "feed" nor "reject"'
    if command.layer is None:
        if command.tail == "reject":
            yield 'tail="reject" is of no use without layer='
    elif not isinstance(command.layer, str):
        yield f"layer={command.layer!r} is no str: write the name that the layer has under layers="
    elif not command.exclusive:
        yield "it switches a layer on, so it must be exclusive: write exclusive=True"
