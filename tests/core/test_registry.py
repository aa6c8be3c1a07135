from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from imapkit import ext
from imapkit.core.contract.command import Command
from imapkit.core.contract.commands import Commands
from imapkit.core.contract.extension import Code, LayerSpec, Response
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.core.grammar.kinds import Operands
from imapkit.core.plugins.claims import is_slip
from imapkit.core.plugins.registry import Plugin, Registry, public_methods
from imapkit.core.raw.facade import Client
from imapkit.errors import ArgumentError, FamilyDisabledError, PluginConflictError, PluginError
from imapkit.plugin import Cursor, Option, Token, astring, number


class Base(Commands):
    def fetch(self) -> str:
        return "base"

    def noop(self) -> str:
        return "base"

    def _helper(self) -> None: ...


class Better(Commands):
    def fetch(self) -> str:
        return "better"


class Plain(Commands):
    def xplain(self) -> str:
        return "plain"


def parser(cursor: Cursor) -> Any:
    return None


def layer(order: int, always: bool = True) -> LayerSpec:
    return LayerSpec(factory=lambda session, options: options, order=order, always=always)


def command(name: str) -> Command:
    return Command(name, State.LOGGED_IN)


def plugin(family: Family, version: str = "1.0") -> Plugin:
    return Plugin(family.name, family, f"imapkit-{family.name}", version)


def build(*families: Family, absent: dict[str, str] | None = None) -> Registry:
    return Registry.build([plugin(family) for family in families], absent, Client)


def contents(registry: Registry) -> dict[str, Any]:
    """All that a registry holds, the order of its dictionaries included."""
    found = {field.name: getattr(registry, field.name) for field in dataclasses.fields(registry)}
    return {name: list(value.items()) if hasattr(value, "items") else value for name, value in found.items()}


def client(registry: Registry) -> Any:
    return type("Client", registry.mixins, {})()


def test_every_table_is_filled_under_its_own_names() -> None:
    family = Family(
        "all",
        mixin=Base,
        commands=(command("XONE"), command("XTWO")),
        responses={"XRESP": Response(parse=parser)},
        items={("FETCH", "X-ITEM"): parser},
        codes={"XCODE": Code()},
        layers={"squeeze": layer(10, always=False)},
    )
    registry = build(family)
    assert dict(registry.commands) == {"XONE": family.commands[0], "XTWO": family.commands[1]}
    assert registry.responses["XRESP"].parse is parser
    assert dict(registry.items) == {("FETCH", "X-ITEM"): parser}
    assert list(registry.codes) == ["XCODE"]
    assert registry.layers["squeeze"] is family.layers["squeeze"]
    assert dict(registry.methods) == {"fetch": "all", "noop": "all"}
    assert registry.mixins == (Base,)
    assert registry.always_layers == ()
    assert [p.name for p in registry.plugins] == ["all"]


def spoken(args: tuple[Any, ...], operands: Operands) -> Iterator[Token]:
    """The arguments of a command to which words can be added: every argument is a word, or an operand of the last one."""
    kinds: tuple[Any, ...] = ()
    for value in args:
        yield kinds[0](value) if kinds else value.encode()
        kinds = kinds[1:] if kinds else operands.get(value, ())


def test_a_command_that_can_be_interrupted_is_exclusive() -> None:
    with pytest.raises(PluginError, match="XSTAY can be interrupted, so it must be exclusive"):
        build(Family("stay", commands=(Command("XSTAY", State.ANY, interrupt=b"DONE"),)))


def test_words_can_be_added_to_a_command() -> None:
    said, told = (Command(name, State.ANY, rest=spoken, words="XSAY") for name in ("XSAY", "XTELL"))
    more = Family(
        "more", operands={("XSAY", "NUMBER"): (number,), ("XSAY", "PAIR"): (astring, number), ("XLATER", "X"): (astring,)}
    )
    registry = build(Family("talk", commands=(said, told, command("XSILENT"))), more)
    for name in ("XSAY", "XTELL"):
        rest = registry.commands[name].rest
        assert rest is not None
        assert list(rest(("PAIR", "a b", 7, "NUMBER", "8", "END"))) == [b"PAIR", b'"a b"', b"7", b"NUMBER", b"8", b"END"]
        with pytest.raises(ArgumentError):
            list(rest(("NUMBER", "x")))
    assert build(Family("talk", commands=(said,))).commands["XSAY"].rest is not said.rest


def test_no_words_can_be_added_to_a_command_without_words() -> None:
    more = Family("more", operands={("XSILENT", "NUMBER"): (number,)})
    with pytest.raises(PluginError, match=r"'more' \(imapkit-more 1\.0\) says what follows NUMBER in XSILENT, to which no words"):
        build(Family("talk", commands=(command("XSILENT"),)), more)
    with pytest.raises(PluginError, match="XSAY has words, so it must have a rest"):
        build(Family("talk", commands=(Command("XSAY", State.ANY, words="XSAY"),)))


def test_tables_cannot_be_changed() -> None:
    registry = build(Family("a", commands=(command("X"),)))
    with pytest.raises(TypeError):
        registry.commands["Y"] = command("Y")  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        registry.mixins = ()  # type: ignore[misc]


def test_always_layers_are_sorted_by_order_then_name() -> None:
    outer, b, a, off = layer(1), layer(5), layer(5), layer(0, always=False)
    registry = build(Family("one", layers={"b": b, "off": off}), Family("two", layers={"a": a, "outer": outer}))
    assert [id(spec) for spec in registry.always_layers] == [id(outer), id(a), id(b)]


CLAIMS = [
    ("command:XSAME", {"commands": (command("XSAME"),)}),
    ("response:XSAME", {"responses": {"XSAME": Response()}}),
    ("item:FETCH.XSAME", {"items": {("FETCH", "XSAME"): parser}}),
    ("operand:XSAME.XWORD", {"operands": {("XSAME", "XWORD"): (astring,)}}),
    ("option:XSAME.RETURN.XWORD", {"extends": (Option("XSAME", "return", "XWORD"),)}),
    ("offer:words.Same", {"offers": {"words": {"Same": 1}}}),
    ("code:XSAME", {"codes": {"XSAME": Code()}}),
    ("layer:same", {"layers": {"same": layer(1)}}),
    ("method:fetch", {"mixin": Better}),
]


@pytest.mark.parametrize(("key", "content"), CLAIMS, ids=[key for key, _ in CLAIMS])
def test_two_claimants_are_named_with_what_to_write(key: str, content: dict[str, Any]) -> None:
    first = Family("first", **_copied(content))
    with pytest.raises(PluginConflictError) as caught:
        Registry.build([plugin(first, "1.5"), plugin(Family("second", **content), "2.7")])
    text = str(caught.value)
    assert "'first' (imapkit-first 1.5)" in text
    assert "'second' (imapkit-second 2.7)" in text
    assert f'replaces=("{key}",)' in text


@pytest.mark.parametrize(("key", "content"), CLAIMS, ids=[key for key, _ in CLAIMS])
@pytest.mark.parametrize("winner", ["aaa", "zzz"])
def test_the_one_that_says_replaces_wins(key: str, content: dict[str, Any], winner: str) -> None:
    mixin = Better if "mixin" in content else None
    wins = Family(winner, **{**content, "mixin": mixin}, replaces=(key,))
    loses = Family("mmm", **_copied(content))
    registry = build(loses, wins)
    field = {
        "command": "commands",
        "operand": "operands",
        "option": "options",
        "offer": "offered",
        "response": "responses",
        "item": "items",
        "code": "codes",
        "layer": "layers",
    }
    kind = key.partition(":")[0]
    if kind == "offer":
        assert registry.offers("words") == wins.offers["words"]
    elif kind == "method":
        assert registry.methods == {"fetch": winner, "noop": "mmm"}
        assert client(registry).fetch() == "better"
        assert client(registry).noop() == "base"
    else:
        (held,) = getattr(registry, field[kind]).values()
        (expected,) = wins.commands or wins.extends or getattr(wins, field[kind]).values()
        assert held is expected


def _copied(content: dict[str, Any]) -> dict[str, Any]:
    """Equal content of another family: other objects, so that the two are distinct."""
    others: dict[str, Any] = {
        "commands": (command("XSAME"),),
        "responses": {"XSAME": Response()},
        "items": {("FETCH", "XSAME"): lambda cursor: 1},
        "operands": {("XSAME", "XWORD"): (number,)},
        "offers": {"words": {"Same": 2}},
        "extends": (Option("XSAME", "return", "XWORD", (number,)),),
        "codes": {"XSAME": Code()},
        "layers": {"same": layer(2)},
        "mixin": Base,
    }
    return {name: others[name] for name in content}


def test_both_say_replaces() -> None:
    both = [Family(name, commands=(command("X"),), replaces=("command:X",)) for name in ("a", "b")]
    with pytest.raises(PluginConflictError, match="exactly one of them must say") as caught:
        build(*both)
    assert "now 'a' and 'b' do" in str(caught.value)


def test_one_of_three_may_replace() -> None:
    losers = [Family(name, commands=(command("X"),)) for name in ("a", "c")]
    winner = Family("b", commands=(command("X"),), replaces=("command:X",))
    assert build(*losers, winner).commands["X"] is winner.commands[0]


def test_several_conflicts_are_reported_at_once() -> None:
    one = Family("one", mixin=Base, commands=(command("X"), command("Y")))
    two = Family("two", mixin=Better, commands=(command("Y"), command("X")))
    with pytest.raises(PluginConflictError) as caught:
        build(one, two)
    assert 'replaces=("command:X", "command:Y", "method:fetch")' in str(caught.value)


def test_replacing_what_no_other_family_claims_is_fine() -> None:
    family = Family("a", commands=(command("X"),), replaces=("command:X",))
    assert build(family).commands["X"] is family.commands[0]


@pytest.mark.parametrize("key", ["command:Y", "cmd:X", "X"])
def test_replacing_what_the_family_does_not_bring_is_refused(key: str) -> None:
    with pytest.raises(PluginError, match=f"replaces '{key}'"):
        build(Family("a", commands=(command("X"),), replaces=(key,)))


def test_a_family_cannot_claim_twice() -> None:
    with pytest.raises(PluginConflictError, match="claims command:X 2 times"):
        build(Family("a", commands=(command("X"), command("X"))))


def test_names_on_the_wire_are_upper_case() -> None:
    with pytest.raises(PluginError, match=r"'a' \(imapkit-a 1\.0\) claims code:Xcode: write the name in upper case"):
        build(Family("a", codes={"Xcode": Code()}))


def test_two_families_of_one_name() -> None:
    family = Family("a")
    with pytest.raises(PluginConflictError) as caught:
        Registry.build([Plugin("a", family, "dist-one", "1"), Plugin("a", family, "dist-two", "2")])
    assert "dist-one 1" in str(caught.value)
    assert "dist-two 2" in str(caught.value)


def test_any_order_of_registration_gives_the_same() -> None:
    families = [
        Family("rev", mixin=Base, commands=(command("A"), command("B")), layers={"l": layer(3)}),
        Family("better", mixin=Better, requires=("rev",), replaces=("method:fetch", "command:A"), commands=(command("A"),)),
        Family("plain", mixin=Plain, requires=("better",), layers={"m": layer(3)}, codes={"C": Code()}),
        Family("early", responses={"R": Response()}, items={("R", "I"): parser}, requires=("plain",)),
    ]
    expected = contents(build(*families, absent={"gone": "not installed"}))
    chance = random.Random(7)
    for _ in range(24):
        chance.shuffle(families)
        assert contents(build(*families, absent={"gone": "not installed"})) == expected
    assert expected["mixins"] == (Better, Base, Plain)


def mixin(name: str, base: type = Commands) -> type:
    return type(name, (base,), {f"x{name}": lambda self: name})


def order(*families: Family) -> list[str]:
    return [cls.__name__ for cls in build(*families).mixins]


def test_mixins_follow_requires_then_name() -> None:
    a, b, c = (mixin(name) for name in "abc")
    assert order(Family("c", mixin=c), Family("b", mixin=b), Family("a", mixin=a)) == ["a", "b", "c"]
    assert order(Family("a", mixin=a, requires=("c",)), Family("b", mixin=b), Family("c", mixin=c)) == ["c", "a", "b"]


def test_a_mixin_that_extends_another_comes_first_and_claims_only_its_own() -> None:
    class Extended(Base):
        def xmore(self) -> str:
            return self.fetch() + "!"

    registry = build(Family("base", mixin=Base), Family("z", mixin=Extended, requires=("base",)))
    assert dict(registry.methods) == {"fetch": "base", "noop": "base", "xmore": "z"}
    assert registry.mixins == (Extended, Base)
    assert client(registry).xmore() == "base!"


def test_families_that_replace_each_other_in_a_circle() -> None:
    class One(Commands):
        def x(self) -> None: ...
        def y(self) -> None: ...

    class Two(Commands):
        def x(self) -> None: ...
        def y(self) -> None: ...

    with pytest.raises(PluginConflictError, match="'one' and 'two' replace each other's methods in a circle"):
        build(Family("one", mixin=One, replaces=("method:x",)), Family("two", mixin=Two, replaces=("method:y",)))


def test_public_methods_are_the_mixins_own_and_its_helpers() -> None:
    class Helper:
        def shared(self) -> None: ...

    class Mixed(Helper, Base):
        attribute = 1

        @property
        def prop(self) -> int:
            return 1

        def _private(self) -> None: ...

    assert public_methods(Mixed) == ("attribute", "fetch", "noop", "prop", "shared")
    assert public_methods(Mixed, [Base, Mixed]) == ("attribute", "prop", "shared")
    assert public_methods(Commands) == ()
    assert public_methods(None) == ()


@pytest.mark.parametrize(
    ("absent", "remedy"),
    [
        ({}, "not installed: install a distribution that offers 'rev'"),
        ({"rev": "switched off by IMAPKIT_DISABLE"}, "switched off by IMAPKIT_DISABLE: enable 'rev'"),
    ],
)
def test_a_missing_requirement_says_what_to_do(absent: dict[str, str], remedy: str) -> None:
    with pytest.raises(PluginConflictError) as caught:
        build(Family("a", requires=("rev",)), absent=absent)
    assert (
        str(caught.value)
        == f"family 'a' (imapkit-a 1.0) requires the family 'rev', which is {remedy}, or IMAPKIT_DISABLE=a switches it off"
    )
    assert caught.value.families == ("a",)


def test_families_that_lack_the_same_family_are_reported_once() -> None:
    with pytest.raises(PluginConflictError) as caught:
        build(Family("b", requires=("rev",)), Family("a", requires=("rev",)), Family("c", requires=("other",)))
    assert str(caught.value).splitlines() == [
        "family 'c' (imapkit-c 1.0) requires the family 'other', which is not installed: install a distribution that offers"
        " 'other', or IMAPKIT_DISABLE=c switches it off",
        "families 'a' (imapkit-a 1.0) and 'b' (imapkit-b 1.0) require the family 'rev', which is not installed: install a"
        " distribution that offers 'rev', or IMAPKIT_DISABLE=a,b switches them off",
    ]


@pytest.mark.parametrize(
    ("requires", "told"),
    [
        ({"a": "a"}, ["family 'a' (imapkit-a 1.0) requires itself in a circle, 'a' -> 'a': one of them"]),
        (
            {"a": "b", "b": "a"},
            ["families 'a' (imapkit-a 1.0) and 'b' (imapkit-b 1.0) require each other in a circle, 'a' -> 'b' -> 'a': "],
        ),
        ({"b": "c", "c": "d", "d": "b", "a": "b"}, ["'b' -> 'c' -> 'd' -> 'b': "]),
        ({"a": "b", "b": "a", "c": "d", "d": "c"}, ["'a' -> 'b' -> 'a': ", "'c' -> 'd' -> 'c': "]),
    ],
)
def test_families_that_require_each_other(requires: dict[str, str], told: list[str]) -> None:
    families = [Family(name, requires=(other,)) for name, other in requires.items()]
    texts = set()
    for order in (families, families[::-1]):
        with pytest.raises(PluginConflictError) as caught:
            build(*order)
        texts.add(str(caught.value))
    [text] = texts
    lines = text.splitlines()
    assert len(lines) == len(told)
    assert all(part in line for part, line in zip(told, lines, strict=True))
    assert all("IMAPKIT_DISABLE=" in line for line in lines)


def test_the_advice_is_for_the_family_that_is_not_imapkits_own() -> None:
    own = Plugin("own", Family("own", commands=(command("X"),)), "imapkit", "0.1.0")
    with pytest.raises(PluginConflictError) as caught:
        Registry.build([own, plugin(Family("mine", commands=(command("X"),)))])
    assert str(caught.value) == (
        "command:X: claimed by the families 'mine' (imapkit-mine 1.0) and 'own' (imapkit 0.1.0); 'mine' must say"
        ' replaces=("command:X",), or IMAPKIT_DISABLE=mine or IMAPKIT_DISABLE=own switches one off'
    )


def test_a_method_of_the_clients_own() -> None:
    class Greedy(Commands):
        def shutdown(self) -> None: ...

    with pytest.raises(
        PluginConflictError, match=r"'a' \(imapkit-a 1.0\) has a method 'shutdown', which is the client's own.*DISABLE=a"
    ):
        build(Family("a", mixin=Greedy))


def test_a_mixin_that_is_no_base_class() -> None:
    class Meta(type): ...

    class First(metaclass=Meta): ...

    class Other(type): ...

    class Second(metaclass=Other): ...

    with pytest.raises(PluginConflictError, match="cannot be combined: metaclass conflict"):
        build(Family("a", mixin=First), Family("b", mixin=Second))
    with pytest.raises(PluginConflictError, match=r"the mixin of 'a' \(imapkit-a 1.0\) is no base class.*IMAPKIT_DISABLE=a"):
        build(Family("a", mixin=bool))


class TestWhyNoMethod:
    @pytest.fixture(autouse=True)
    def index(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ext, "INDEX", {"rev": ("fetch", "noop"), "quota": ("getquota",)})

    @staticmethod
    def why(name: str, absent: dict[str, str], families: Iterable[Family] = (Family("rev", mixin=Base),)) -> str | None:
        error = build(*families, absent=absent).why_no_method(name)
        assert error is None or isinstance(error, FamilyDisabledError)
        return None if error is None else str(error)

    def test_builtin_family(self) -> None:
        absent = {"quota": "not in IMAPKIT_PLUGINS"}
        assert self.why("getquota", absent) == "getquota() is in the family 'quota', which is not in IMAPKIT_PLUGINS"
        assert self.why("GETQUOTA", absent) == "GETQUOTA() is in the family 'quota', which is not in IMAPKIT_PLUGINS"

    def test_builtin_family_that_was_trimmed(self) -> None:
        assert self.why("getquota", {}) == "getquota() is in the family 'quota', which is not installed"

    def test_families_of_others_are_all_named(self) -> None:
        absent = {"quota": "x", "zoo": "switched off by IMAPKIT_DISABLE", "vendor": "not among families="}
        assert self.why("xfoo", absent) == (
            "no family that is there has xfoo(); these are absent:"
            " 'vendor' (not among families=), 'zoo' (switched off by IMAPKIT_DISABLE)"
        )

    def test_nothing_to_say(self) -> None:
        assert self.why("nosuch", {"quota": "x"}) is None
        assert self.why("noop", {"vendor": "x"}) is None
        assert self.why("_private", {"vendor": "x"}) is None

    def test_the_error_is_an_attribute_error(self) -> None:
        error = build(absent={"quota": "x"}).why_no_method("getquota")
        assert isinstance(error, AttributeError)


# names that are misspelt


KNOWN = Family(
    "known",
    commands=(Command("SEARCH", State.ANY, rest=lambda args, operands: (), words="SEARCH"), command("FETCH")),
    responses={"SEARCH": Response(), "FETCH": Response(), "ACL": Response(), "LIST": Response()},
    layers={"deflate": layer(50)},
)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"commands": (Command("X", State.ANY, result=("LIST", "SERCH")),)},
            "family 'a' (imapkit-a 1.0): X awaits the response 'SERCH', which no family that is there has: write 'SEARCH', or if"
            ' it is another response say so: responses={"SERCH": Response()}; IMAPKIT_DISABLE=a switches it off',
        ),
        (
            {"items": {("FETHC", "X-LABELS"): parser}},
            "family 'a' (imapkit-a 1.0): the item 'X-LABELS' is one of the response 'FETHC', which no family that is there has:"
            " write 'FETCH'; IMAPKIT_DISABLE=a switches it off",
        ),
        (
            {"operands": {("SEARCHH", "X-RAW"): (parser,)}},
            "family 'a' (imapkit-a 1.0): the word 'X-RAW' is one of the command 'SEARCHH', which no family that is there has:"
            " write 'SEARCH'; IMAPKIT_DISABLE=a switches it off",
        ),
        (
            {"commands": (Command("X", State.ANY, rest=lambda args, operands: (), words="SAERCH"),)},
            "family 'a' (imapkit-a 1.0): X takes the words of the command 'SAERCH', which no family that is there has: write"
            " 'SEARCH'; IMAPKIT_DISABLE=a switches it off",
        ),
        (
            {"commands": (Command("X", State.ANY, exclusive=True, layer="inflate"),)},
            "family 'a' (imapkit-a 1.0): X switches on the layer 'inflate', which no family that is there has; there are:"
            " deflate; IMAPKIT_DISABLE=a switches it off",
        ),
    ],
    ids=["result", "items", "operands", "words", "layer"],
)
def test_an_unknown_name_that_is_nearly_a_known_one_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(PluginError) as caught:
        build(KNOWN, Family("a", **fields))
    assert str(caught.value) == said


def test_other_names_may_be_those_of_families_that_are_absent() -> None:
    names = ("ESEARCH", "XLIST", "ACK", "QUOTA", "SEARCH")
    fields: dict[str, Any] = {
        "commands": (Command("X", State.ANY, result=names),),
        "items": {("STATUS", "X"): parser},
        "operands": {("SORT", "X"): (parser,)},
    }
    assert build(KNOWN, Family("a", **fields)).commands["X"].result == names
    own = Family("a", commands=(Command("X", State.ANY, result=("SERCH",)),), responses={"SERCH": Response()})
    assert build(KNOWN, own).commands["X"].result == ("SERCH",), "it says that it is another one"


@pytest.mark.parametrize("name", ["SERCH", "SEARH", "EARCH", "SEARCHH", "SEEARCH", "SAERCH", "ESARCH", "SEARCJ", "SEURCH"])
def test_names_that_are_slips(name: str) -> None:
    assert is_slip(name, "SEARCH")


@pytest.mark.parametrize("name", ["SEARCH", "ESEARCH", "XSEARCH", "SEARCHES", "SORT", "TEARCH", "HCRAES", "S", ""])
def test_names_that_are_no_slips(name: str) -> None:
    assert not is_slip(name, "SEARCH")


@pytest.mark.parametrize("name", ["ACK", "AC", "ACLS", "CAL"])
def test_of_short_names_too_many_are_alike(name: str) -> None:
    assert not is_slip(name, "ACL")


def test_families_that_describe_an_item_by_the_same_function_agree() -> None:
    content: dict[str, Any] = {"items": {("FETCH", "X"): Cursor.number64}, "operands": {("XSAY", "X"): (number,)}}
    registry = build(Family("a", **content), Family("b", **content))
    assert registry.items == {("FETCH", "X"): Cursor.number64}
    assert registry.operands == {("XSAY", "X"): (number,)}
    with pytest.raises(PluginConflictError, match=r"item:FETCH\.X: claimed by the families 'a' .*, 'b' .* and 'c'"):
        build(Family("a", **content), Family("b", **content), Family("c", items={("FETCH", "X"): Cursor.number}))
    other = Family("c", items={("FETCH", "X"): Cursor.number}, replaces=("item:FETCH.X",))
    assert build(Family("a", **content), Family("b", **content), other).items == {("FETCH", "X"): Cursor.number}
