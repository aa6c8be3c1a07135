"""Conflicts of installed plugins, with packages that pip installed: ``docs/plugins.md`` shows the messages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import imapkit
from tests.plugins.wheels import Wheel, install_apart

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "plugins.md"
SHOWN = re.compile(r"^<!-- printed: (\S+) -->\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)

FAMILY = """
from imapkit.plugin import Code, Command, Commands, Family, LayerSpec, Response, State, astring, hookimpl

class Mixin(Commands):
    def {method}(self): ...

def nothing(*_): ...

@hookimpl
def imapkit_family():
    return Family({fields})
"""


def family(name: str, fields: str = "", method: str = "_none") -> str:
    return FAMILY.format(fields=f"{name!r}, mixin=Mixin, {fields}", method=method)


def wheel(name: str, source: str, *, version: str = "1.0", point: str = "", requires: str = "") -> Wheel:
    return Wheel(f"imapkit-{name}", version, (point or name,), source, requires)


THINGS = (
    'items={("FETCH", "X-THING"): nothing}, operands={("SEARCH", "X-THING"): (nothing,)}, codes={"XTHING": Code()},'
    ' responses={"XTHING": Response()}, layers={"thing": LayerSpec(nothing)}, commands=(Command("XTHING", State.ANY),)'
)
HOOK = "from imapkit.plugin import Family, hookimpl\n\n@hookimpl\n"

SCENARIOS: dict[str, list[Wheel]] = {
    "two-of-one-name": [
        wheel("blue-mail", family("mail"), version="1.1", point="mail"),
        wheel("red-mail", family("mail"), version="2.2", point="mail"),
    ],
    "two-claimants": [
        wheel("left", family("left", THINGS, "thing"), version="1.5"),
        wheel("right", family("right", THINGS, "thing"), version="2.7"),
    ],
    "one-of-imapkits-own": [
        wheel("strict", family("strict", 'commands=(Command("GETQUOTA", State.LOGGED_IN),)', "getquota")),
    ],
    "circle": [
        wheel("chicken", family("chicken", 'requires=("egg",)')),
        wheel("egg", family("egg", 'requires=("chicken",)')),
    ],
    "missing": [wheel("needy", family("needy", 'requires=("rev1", "elsewhere")'))],
    "import": [wheel("careless", "import a_module_that_is_nowhere\n")],
    "exit": [wheel("quitter", "import sys\nsys.exit('this plugin needs a licence')\n")],
    "hook": [wheel("hasty", f"{HOOK}def imapkit_family():\n    raise KeyError('settings')\n")],
    "signature": [wheel("greedy", f"{HOOK}def imapkit_family(config):\n    return Family('greedy')\n")],
    "wrong-hook": [wheel("typo", f"{HOOK}def imapkit_famly():\n    return Family('typo')\n")],
    "no-family": [wheel("empty", f"{HOOK}def imapkit_family():\n    Family('empty')\n")],
    "declaration": [wheel("comma", family("comma", 'commands=(Command("XCOMMA", State.ANY)), requires=("rev1")'))],
    "function": [
        wheel(
            "eager",
            family("eager", 'commands=(Command("XEAGER", State.ANY, args=(astring("x"),), done=lambda request: None),)'),
        )
    ],
    "misspelt": [wheel("slip", family("slip", 'commands=(Command("XSLIP", State.ANY, result=("SERCH",)),)'))],
    "contract": [wheel("future", family("future", "contract=3"), version="3.0", requires="imapkit>=9.1")],
    "clients-own": [wheel("closer", family("closer", method="shutdown"))],
    "several": [wheel("broken-one", "1 / 0\n"), wheel("broken-two", "1 / 0\n")],
}

PROBE = """
import contextlib, io, json, sys

def run(*argv):
    from imapkit.cli.main import main
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(argv)
    return [code, out.getvalue()]

import imapkit
early = [name for name in sys.modules if name.startswith(("imapkit.ext.", "imapkit_"))]
try:
    with_client = imapkit.IMAP4("127.0.0.1", 1)
except BaseException as exc:
    with_client = [type(exc).__name__, str(exc)]
print(json.dumps({
    "early": early, "client": with_client,
    "plugins": run("plugins"), "json": run("plugins", "--json"), "doctor": run("doctor"),
}))
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The directory of each installed distribution."""
    wheels = [wheel for scenario in SCENARIOS.values() for wheel in scenario]
    return install_apart(wheels, tmp_path_factory.mktemp("installed"))


def probe(paths: list[Path], **environ: str) -> dict[str, Any]:
    """The messages of a client, of ``imapkit plugins`` and of ``imapkit doctor`` in a new process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMAPKIT_", "PYTEST_", "PYTHON"))}
    path = {"PYTHONPATH": os.pathsep.join(map(str, [*paths, ROOT])), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "250"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=kept | path | environ, capture_output=True, text=True, timeout=60, cwd=paths[0]
    )
    assert (done.returncode, done.stderr) == (0, "")
    output: dict[str, Any] = json.loads(done.stdout)
    return output


def shown() -> dict[str, str]:
    """The messages in the guide, with this imapkit's version."""
    return {key: text.replace("0.1.0", imapkit.__version__) for key, text in SHOWN.findall(GUIDE.read_text(encoding="utf-8"))}


def test_the_guide_shows_every_scenario() -> None:
    assert set(shown()) == set(SCENARIOS)


@pytest.mark.heavy
@pytest.mark.timeout(120)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_message_names_the_remedy(scenario: str, places: Mapping[str, Path]) -> None:
    paths = [places[wheel.distribution] for wheel in SCENARIOS[scenario]]
    output = probe(paths)
    kind, text = output["client"]
    assert f"imapkit.{kind}: {text}\n" == shown()[scenario]
    assert output["early"] == []
    for surface in ("plugins", "doctor"):
        code, printed = output[surface]
        assert code == 1
        assert f"no client can be made: {text}\n" in printed
    check_listing(scenario, text, json.loads(output["json"][1]))
    if len(paths) > 1:
        assert probe(paths[::-1]) == output


def check_listing(scenario: str, text: str, listed: dict[str, Any]) -> None:
    """The listing has every other family, and identifies those in conflict."""
    assert "\n".join(listed["problems"]) == text
    states = {(family["name"], family["distribution"], family["version"]): family["state"] for family in listed["families"]}
    for wheel in SCENARIOS[scenario]:
        assert states[(wheel.points[0], wheel.distribution, wheel.version)] in ("broken", "conflict")
    assert states[("idle", "imapkit", imapkit.__version__)] == "on"
    assert all(wheel.distribution in text and wheel.version in text for wheel in SCENARIOS[scenario])


@pytest.mark.heavy
@pytest.mark.timeout(120)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_remedy_works(scenario: str, places: Mapping[str, Path]) -> None:
    """With the environment variable that the message names, a client can be made."""
    text = shown()[scenario]
    paths = [places[wheel.distribution] for wheel in SCENARIOS[scenario]]
    names = {name for found in re.findall(r"IMAPKIT_DISABLE=(\S+)", text) for name in found.strip(";,.").split(",")}
    assert names
    check_usable(probe(paths, IMAPKIT_DISABLE=",".join(names)))


def check_usable(output: dict[str, Any]) -> None:
    """A client can be made: it fails only at a port without a server."""
    assert output["client"][0] == "ConnectError"
    assert [output[surface][0] for surface in ("plugins", "json", "doctor")] == [0, 0, 0]


def mended(scenario: str, changed: int) -> Wheel:
    """One of a scenario's wheels, with the ``replaces=`` of the message pasted in."""
    found = re.search(r"replaces=\([^)]*\)", shown()[scenario])
    assert found is not None
    old = SCENARIOS[scenario][changed]
    new = replace(old, source=old.source.replace("mixin=Mixin, ", f"mixin=Mixin, {found[0]}, "))
    assert new.source != old.source
    return new


MENDED = [("two-claimants", 0), ("two-claimants", 1), ("one-of-imapkits-own", 0)]


@pytest.fixture(scope="module")
def mended_places(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The directory of each corrected distribution."""
    return install_apart([mended(*which) for which in MENDED], tmp_path_factory.mktemp("mended"))


@pytest.mark.heavy
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("scenario", "changed"), MENDED)
def test_the_suggested_declaration_works(
    scenario: str, changed: int, places: Mapping[str, Path], mended_places: Mapping[str, Path]
) -> None:
    """With the suggested line in one of the plugins, they can be used together."""
    one, *others = [SCENARIOS[scenario][changed], *(wheel for wheel in SCENARIOS[scenario])]
    paths = [places[wheel.distribution] for wheel in others if wheel is not one]
    check_usable(probe([mended_places[one.distribution], *paths]))
