"""An error about a declaration names what its author wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from imapkit import ext
from imapkit.core.contract.command import Command
from imapkit.core.contract.extension import Code, Item, LayerSpec, Response
from imapkit.core.contract.family import CONTRACT, Family
from imapkit.core.contract.session import State
from imapkit.core.plugins.declaration import contract_is_unknown, mistakes
from imapkit.core.plugins.loader import builtin
from imapkit.errors import PluginLoadError
from imapkit.plugin import Cursor, Option, Place, Quirk, StateStep, Streams, astring, optional
from imapkit.testing.families import load_only

XHELLO = Command("XHELLO", State.ANY)
LABELS = Item("FETCH", "X-GM-LABELS", Cursor.flag_list, tuple)


def two(a: Any, b: Any) -> Any: ...
def one(a: Any, *, named: Any) -> Any: ...


def four(a: Any, b: Any, c: Any, d: Any) -> Any: ...


class Methods:
    def method(self, a: Any) -> Any: ...


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name='' is no name"),
    ({"name": "a,b"}, "name='a,b' is no name"),
    ({"name": 5}, "name=5 is no name"),
    ({"mixin": object()}, "is no class"),
    ({"session": object()}, "is no class: write the class itself, without arguments"),
    ({"selected": "imapkit_hello.Typed"}, "selected='imapkit_hello.Typed' is no place of a class: write \"module:Class\""),
    ({"selected": "a b:C"}, "selected='a b:C' is no place of a class"),
    ({"commands": XHELLO}, "commands= is one Command and not a tuple of them: a comma is missing"),
    ({"commands": ("XHELLO",)}, "commands= holds 'XHELLO', which is no Command"),
    ({"capabilities": "XHELLO"}, "capabilities= is one str and not a tuple of them"),
    ({"requires": {"rev1"}}, "requires= is no tuple but set"),
    ({"replaces": (b"command:X",)}, "replaces= holds b'command:X', which is no str"),
    ({"responses": ("XHELLO",)}, "responses= is no mapping but tuple"),
    ({"responses": {"XHELLO": len}}, "responses= has under 'XHELLO' a builtin_function_or_method and no Response"),
    ({"codes": {b"X": None}}, "codes= has the key b'X', which is no str"),
    ({"layers": {"x": object}}, "layers= has under 'x' a type and no LayerSpec"),
    ({"items": ()}, "items= is no mapping but tuple"),
    ({"items": {"FETCH.X": len}}, "items= has the key 'FETCH.X', which is no pair"),
    ({"items": {("FETCH", "X"): None}}, "items= has under ('FETCH', 'X') a NoneType and no function"),
    ({"operands": {"X": (len,)}}, 'operands= has the key \'X\', which is no pair like ("COMMAND", "WORD")'),
    (
        {"operands": {("STORE", "X"): len}},
        "operands= has under ('STORE', 'X') a builtin_function_or_method and no tuple of kinds",
    ),
    ({"commands": (Command("", State.ANY),)}, "a command has the name ''"),
    ({"commands": (Command("X Y", State.ANY),)}, "a command has the name 'X Y', which is no atom"),
    (
        {"commands": (Command("X", State.ANY, exclusive=True, interrupt=b"DONE\r\n"),)},
        "command X: interrupt=b'DONE\\r\\n' is no line without its line end",
    ),
    ({"commands": (Command("X", 5),)}, "command X: states= is a int and no State"),  # type: ignore[arg-type]
    ({"commands": (Command("X", State.ANY, args=len),)}, "command X: args= is no tuple"),  # type: ignore[arg-type]
    ({"commands": (Command("X", State.ANY, result="X"),)}, "command X: result= is one str"),  # type: ignore[arg-type]
    ({"commands": (Command("X", State.ANY, streams=len),)}, "command X: streams=<built-in function len> is no Streams"),  # type: ignore[arg-type]
    (
        {"commands": (Command("X", State.ANY, streams=Streams(two, one)),)},  # type: ignore[arg-type]
        "command X: streams: announces= is called as announces(response), and two(a, b) cannot be",
    ),
    ({"capabilities": ("XHELLO XBYE",)}, "capabilities= holds 'XHELLO XBYE': write each capability as one word"),
    ({"enables": ("",)}, "enables= holds '': write each capability as one word"),
    ({"responses": {"X HELLO": Response()}}, "responses= has the key 'X HELLO', which is no atom"),
    ({"codes": {"": Code()}}, "codes= has the key '', which is no atom"),
    ({"items": (LABELS,)}, "items= is no mapping but tuple: write items=Item.table(...)"),
    ({"items": {("FETCH", ""): len}}, "items= has the key ('FETCH', ''), which is no pair"),
    (
        {"items": {("FETCH", "X"): two}},
        "items= under ('FETCH', 'X'): the parser is called as parser(cursor), and two(a, b) cannot",
    ),
    ({"operands": {("STORE", "X"): (astring, astring("x"))}}, "operands= under ('STORE', 'X') holds b'x', which is no kind"),
]


def command(said: str, **fields: Any) -> tuple[dict[str, Any], str]:
    return {"commands": (Command(**{"name": "X", "states": State.ANY, **fields}),)}, f"command X: {said}"


X_OPTION = Option("LIST", "return", "X")
SUBJECT: dict[str, Any] = {"subject": two, "matches": two, "result": ("XNEWS",)}
WRONG += [
    command("states= holds no state", states=State(0)),
    command("args= holds b'x', which is no kind: write the function itself, such as astring", args=(astring("x"),)),
    command("args= holds b'x', which is no kind", args=(optional(astring("x")),)),  # type: ignore[type-var]
    command("args= holds 'astring', which is no kind", args=("astring",)),
    command("args= holds <class 'str'>, which is no kind", args=(str,)),
    command("args= holds ('box', ", args=(("box", astring),)),
    command("args=: a kind is called with one value, and two(a, b) cannot be", args=(two,)),
    command("args=: a kind is called with one value, and one(a, *, named) cannot be", args=(optional(one),)),
    command("rest= is a str and no function: it is called as rest(args)", rest="flags"),
    command("rest= is called as rest(args), and two(a, b) cannot be", rest=two),
    command("rest= is called as rest(args, operands), and <lambda>(args) cannot be", rest=lambda args: (), words="X"),
    command("words=5 is no str", words=5),
    command("rules= is filled by the registry: write Family.guards", rules=(two,)),
    command("places= is no mapping but Place", places=Place()),
    command("places= has under 'return' a str and no Place", places={"return": "RETURN"}),
    command("the place 'x' is inside an argument: write at= with its index", places={"x": Place(inside=True)}),
    command("the place 'x' has options=, which only the registry fills", places={"x": Place(options={"X": X_OPTION})}),
    command('needs=\'A B\' is not one word: write Needs("A") & Needs("B")', needs="A B"),
    command('needs= is a tuple and no capability: write "NAME"', needs=("A",)),
    command("exclusive='no' is neither True nor False", exclusive="no"),
    command("seqnums=1 is neither True nor False", seqnums=1),
    command("result= holds 'search', which is no name of a response: write it in upper case", result=("search",)),
    command("result= holds 'X Y', which is no name of a response", result=("X Y",)),
    command("result= holds 'XNEWS' 2 times", result=("XNEWS", "XNEWS")),
    command("subject= is of no use without matches=: write both, or neither", subject=two, result=("XNEWS",)),
    command("matches= is of no use without subject=", matches=two, result=("XNEWS",)),
    command("subject= is of no use without matches=: write both, or neither", subject=two, result=("XNEWS",)),
    (
        {"commands": (Command("UID XTRY", State.ANY, uid=True),)},
        "command UID XTRY: uid=True is of no use: the command is always sent with UID",
    ),
    (
        {"commands": (Command("UID UID XTRY", State.ANY),)},
        "a command has the name 'UID UID XTRY', which is no atom (RFC 3501 section 9)",
    ),
    ({"events": ()}, "events= is no mapping but tuple"),
    ({"events": {"exists": two}}, "events= has the key 'exists': write the name of a response"),
    ({"events": {"EXISTS": lambda value: 0}}, "events= under 'EXISTS': the function is called as event(value, mailbox)"),
    command("it switches a layer off, so it must be exclusive: write exclusive=True", ends_layers=("deflate",)),
    command("ends_layers= is one str and not a tuple of them: a comma is missing before the )", ends_layers="deflate"),
    command("matches_code= is of no use without subject=: write both, or neither", matches_code=two, codes=("XCODE",)),
    command("matches_code= is of no use where codes= names no response code", subject=two, matches_code=two),
    command(
        "matches_code= is called as matches_code(subject, code), and <lambda>() cannot be", subject=two, matches_code=lambda: 0
    ),
    command("codes= is one str and not a tuple of them: a comma is missing before the )", codes="XCODE"),
    command("codes= holds 'xcode', which is no name of a response code: write it in upper case, as one word", codes=("xcode",)),
    command("matches_all= is of no use without matches=", matches_all=two, result=("XNEWS",)),
    command("subject= is of no use where result= names no response", subject=two, matches=two),
    command("subject= is a str and no function: it is called as subject(args, uid)", **{**SUBJECT, "subject": "mailbox"}),
    command(
        "subject= is called as subject(args, uid), and Methods.method(a) cannot be", **{**SUBJECT, "subject": Methods().method}
    ),
    command(
        "matches= is called as matches(subject, response), and <lambda>(subject) cannot be",
        **{**SUBJECT, "matches": lambda subject: 0},
    ),
    command("matches_all= is called as matches_all(subject, run), and <lambda>() cannot be", **SUBJECT, matches_all=lambda: 0),
    command("before= is called as before(session, args), and one(a, *, named) cannot be", before=one),
    command("done= is a tuple and no function: it is called as done(session, request)", done=(two,)),
    command("guard= is called as guard(session, args), and <lambda>(session) cannot be", guard=lambda session: None),
    command("news= is of no use without interrupt=", news=lambda response: True),
    command("news= is called as news(response), and two(a, b) cannot be", news=two, interrupt=b"DONE", exclusive=True),
    command("interrupt='DONE' is no line without its line end, as bytes", interrupt="DONE"),
    command("interrupt=b'DONE\\r\\n' is no line", interrupt=b"DONE\r\n"),
    command('tail=\'keep\' is neither "feed" nor "reject"', tail="keep"),
    command('tail="reject" is of no use without layer=', tail="reject"),
    command("layer=<function two", layer=two),
    command("it switches a layer on, so it must be exclusive: write exclusive=True", layer="deflate"),
    (
        {"responses": {"X": Response(parse=two)}},  # type: ignore[arg-type]
        "response X: parse= is called as parse(cursor), and two(a, b) cannot be",
    ),
    ({"responses": {"X": Response(apply=lambda session: None)}}, "response X: apply= is called as apply(session, response)"),  # type: ignore[misc, arg-type]
    ({"responses": {"X": Response(numbered="no")}}, "response X: numbered='no' is neither"),  # type: ignore[arg-type]
    ({"codes": {"X": Code(parse="atom")}}, "code X: parse= is a str and no function: it is called as parse(cursor)"),  # type: ignore[arg-type]
    ({"codes": {"X": Code(apply=lambda session: None)}}, "code X: apply= is called as apply(session, data)"),  # type: ignore[misc, arg-type]
    (
        {"codes": {"X": Code(raises=ValueError)}},  # type: ignore[arg-type]
        "code X: raises=<class 'ValueError'> is no class that derives from imapkit.errors",
    ),
    ({"guards": {"fetch": four}}, "guards= has the key 'fetch', which is no name of a command in upper case"),
    (
        {"guards": {"FETCH": two}},
        "guards= under 'FETCH': the rule is called as rule(session, name, args, uid), and two(a, b) cannot",
    ),
    ({"guards": ("FETCH",)}, "guards= is no mapping but tuple"),
    ({"implies": ("A",)}, "implies= is no mapping but tuple"),
    ({"implies": {"A": "B"}}, "implies= has under 'A' no tuple of capabilities: a comma is missing"),
    ({"offers": {"sasl": ("PLAIN",)}}, 'offers= has under \'sasl\' no mapping of names: write {"sasl": {"NAME": value}}'),
    ({"offers": {"a.b": {}}}, "offers= has the key 'a.b', which is no name of a registry"),
    ({"offers": ("sasl",)}, "offers= is no mapping but tuple"),
    ({"steps": StateStep("login", print)}, "steps= is one StateStep and not a tuple of them"),
    ({"steps": (StateStep("later", print),)}, "the step at 'later': at= is none of"),  # type: ignore[arg-type]
    ({"steps": (StateStep("tls", two),)}, "the step at 'tls': run= is called as run(client), and two(a, b) cannot be"),  # type: ignore[arg-type]
    ({"steps": (StateStep("tls", print, order="x"),)}, "the step at 'tls': order='x' is no number"),  # type: ignore[arg-type]
    ({"steps": (StateStep("tls", print, replay=1),)}, "the step at 'tls': replay=1 is neither True nor False"),  # type: ignore[arg-type]
    ({"quirks": (Quirk("x"),)}, "quirk 'x' is for every server: write greeting=, id= or capabilities="),
    ({"quirks": (Quirk("x", "hi", hides="MOVE"),)}, "quirk 'x': hides= is no tuple of names: a comma is missing"),  # type: ignore[arg-type]
    ({"quirks": (Quirk("x", "hi", limits={"a": "b"}),)}, "quirk 'x': limits= is no mapping"),  # type: ignore[dict-item]
    ({"quirks": (Quirk("x", capabilities="A B"),)}, "quirk 'x': capabilities='A B' is no capability"),
    ({"extends": X_OPTION}, "extends= is one Option and not a tuple of them: a comma is missing"),
    ({"extends": (replace(X_OPTION, word="x"),)}, "option x: word='x' is no atom in upper case"),
    ({"extends": (replace(X_OPTION, command="a b"),)}, "option X: command='a b' is no atom in upper case"),
    ({"extends": (replace(X_OPTION, place=""),)}, "option X: place='' is no name of a place, such as \"return\""),
    ({"extends": (replace(X_OPTION, kinds=(astring("x"),)),)}, "option X: kinds= holds b'x', which is no kind"),  # type: ignore[arg-type]
    ({"extends": (replace(X_OPTION, kinds=astring),)}, "option X: kinds= is no tuple"),  # type: ignore[arg-type]
    ({"extends": (replace(X_OPTION, adds="X"),)}, "option X: adds= is one str and not a tuple"),  # type: ignore[arg-type]
    ({"extends": (replace(X_OPTION, needs="A B"),)}, "option X: needs='A B' is not one word"),
    ({"layers": {"x": LayerSpec(None)}}, "layer x: factory= is None: write a function"),  # type: ignore[arg-type]
    ({"layers": {"x": LayerSpec(lambda session: None)}}, "layer x: factory= is called as factory(session, options)"),  # type: ignore[misc, arg-type]
    ({"layers": {"x": LayerSpec(two, order="first")}}, "layer x: order='first' is no number"),  # type: ignore[arg-type]
    ({"layers": {"x": LayerSpec(two, always=1)}}, "layer x: always=1 is neither True nor False"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("fields", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_mistake_is_reported(fields: dict[str, Any], said: str) -> None:
    found = list(mistakes(Family(**{"name": "hello", **fields})))
    assert any(said in one for one in found), found


ANYTHING: list[Any] = [None, 5, 1.5, True, float("nan"), "x", b"x", (), ("x",), (b"",), ((),), [1], {1}, {"x": 1}]
ANYTHING += [{("A", "B"): 1}, {"x": None}, object(), len, type, two, Methods().method, State.ANY, State(0), Response(), Code()]
DECLARED: dict[type, Callable[[Any], Family]] = {
    Command: lambda made: Family("a", commands=(made,)),
    Response: lambda made: Family("a", responses={"X": made}),
    Code: lambda made: Family("a", codes={"X": made}),
    LayerSpec: lambda made: Family("a", layers={"x": made}),
    Family: lambda made: made,
}
NEEDED: dict[type, dict[str, Any]] = {
    Command: {"name": "X", "states": State.ANY},
    Family: {"name": "a"},
    LayerSpec: {"factory": two},
}


@pytest.mark.parametrize("kind", DECLARED, ids=lambda kind: kind.__name__)
def test_any_wrong_declaration_is_reported_and_raises_nothing_else(kind: Any) -> None:
    """Each field with each value: those that are right are few, and never of the wrong type."""
    for field in kind.__dataclass_fields__:
        right = []
        for value in ANYTHING:
            made = kind(**{**NEEDED.get(kind, {}), field: value})
            if not list(mistakes(DECLARED[kind](made))):
                right.append(value)
        if field != "contract":
            # (That is looked at by itself.)
            assert len(right) <= 6, (field, right)


def test_callables_that_cannot_be_checked_pass() -> None:
    """Functions of C, classes, partials and objects that can be called: what they take is seen when they are."""
    kinds = (len, partial(two, 1), Methods().method, optional(Methods().method), lambda value, more=None: value)
    fields: dict[str, Any] = {"args": kinds, "rest": lambda *args: (), "done": lambda *args: None, "before": print, **SUBJECT}
    assert list(mistakes(Family("a", commands=(Command("X", State.ANY, **fields),)))) == []


def test_a_kind_of_item_that_is_no_class_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Item X-GM-LABELS: kind=tuple\[bytes, ...\] is no class: write tuple, not tuple\[...\]"):
        Item.table(replace(LABELS, kind=tuple[bytes, ...]))


def test_the_plugin_and_the_way_out_are_named() -> None:
    with pytest.raises(PluginLoadError) as caught:
        load_only("rev1", Family("hello", commands=(Command("X", State.ANY, args=(astring("x"),)),)))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "plugin 'hello', given as a family declares its family wrongly: command X: args= holds b'x', which is no kind: write the"
        " function itself, such as astring, without arguments; leave it out of families="
    )


@pytest.mark.parametrize("name", sorted(ext.INDEX))
def test_the_builtin_families_have_none(name: str) -> None:
    family = builtin(name).family
    assert list(mistakes(family)) == []
    assert not contract_is_unknown(family)


def test_all_mistakes_are_reported() -> None:
    assert len(list(mistakes(Family("", commands=XHELLO, items=())))) == 3  # type: ignore[arg-type]


def test_a_family_needs_no_more_than_the_first_contract_unless_it_says_so() -> None:
    assert Family("hello").contract == 1 <= CONTRACT
