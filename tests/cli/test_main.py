"""The command line: its arguments, the listing of families, and its errors if something is missing."""

from __future__ import annotations

import getpass
import json
import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

import imapkit
from imapkit import ext
from imapkit.cli import demo, doctor, doctor_server, plugins
from imapkit.cli._ask import Findings
from imapkit.cli.main import INTERRUPTED, OUTPUT_CLOSED, main
from imapkit.cli.survey import Entry, Survey, survey
from imapkit.cli.target import PASSWORD, Target
from imapkit.core.contract.family import Family
from imapkit.core.plugins.loader import Loader
from imapkit.errors import PluginLoadError

CONTRADICTIONS = [
    ("--user ada", "--user needs --host"),
    ("--ssl", "--ssl needs --host"),
    ("--port 143", "--port needs --host"),
    ("--host localhost --user ada --port x", "argument --port: 'x' is not a port: a number from 1 to 65535"),
    ("--host localhost --user ada --port 0", "argument --port: '0' is not a port"),
    ("--host localhost --user ada --port 65536", "argument --port: '65536' is not a port"),
    ("--host imap.example.org", "--host needs --user"),
    ("--host imap.example.org --user ada", "the password would be sent in the clear"),
    ("--host localhost.example.org --user ada", "the password would be sent in the clear"),
    ("--host localhost --user ada --cafile x.pem", "--cafile goes with --ssl"),
    ("--host imap.example.org --user ada --ssl --insecure --cafile x.pem", "not with --insecure"),
]
TARGETS = [
    ("--host localhost --user ada", Target("localhost", "ada")),
    ("--host ::1 --user ada --port 1143", Target("::1", "ada", 1143)),
    ("--host [::1] --user ada", Target("[::1]", "ada")),
    ("--host imap.example.org --user ada --ssl", Target("imap.example.org", "ada", ssl=True)),
    ("--host imap.example.org --user ada --insecure", Target("imap.example.org", "ada", insecure=True)),
    ("--host h --user ada --ssl --cafile x.pem", Target("h", "ada", ssl=True, cafile="x.pem")),
]
METADATA = "Metadata-Version: 2.1\nName: imapkit-broken\nVersion: 4.5\n"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("IMAPKIT_PLUGINS", "IMAPKIT_DISABLE", PASSWORD):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def broken_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a distribution whose family cannot be imported; return the name of the family."""
    info = tmp_path / "imapkit_broken-4.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text("[imapkit]\nbroken = imapkit_broken_module\n")
    (tmp_path / "imapkit_broken_module.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "broken"


def test_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "imapkit", "--version"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"imapkit {imapkit.__version__}\n", "")


@pytest.mark.parametrize("argv", [[], ["demonstrate"], ["plugins", "x"]])
def test_invalid_arguments(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"\A2\Z"):
        main(argv)
    assert "usage: imapkit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("--user ada", "--user needs --host"),
        ("--starttls", "--starttls needs --host"),
        ("--host h --ssl --starttls", "--ssl and --starttls exclude each other"),
        ("--host h --user ada", "in the clear: add --ssl or --starttls"),
        ("--host h --cafile x.pem", "--cafile goes with --ssl or --starttls"),
        ("--host h --password x", "unrecognized arguments: --password x"),
    ],
)
def test_arguments_of_doctor_that_contradict_each_other(arguments: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"\A2\Z"):
        main(["doctor", *arguments.split()])
    assert word in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        ("--host imap.example.org", Target("imap.example.org")),
        ("--host h --user ada --starttls --cafile x.pem", Target("h", "ada", cafile="x.pem", starttls=True)),
        ("--host h --port 993 --ssl", Target("h", port=993, ssl=True)),
    ],
)
def test_doctor_examines_a_server(arguments: str, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Target, bool]] = []

    def look(target: Target, *, as_data: bool) -> int:
        asked.append((target, as_data))
        return 4

    monkeypatch.setattr(doctor_server, "main", look)
    assert main(["doctor", *arguments.split()]) == 4
    assert main(["doctor", "--json", *arguments.split()]) == 4
    assert asked == [(target, False), (target, True)]


@pytest.mark.parametrize(("arguments", "word"), CONTRADICTIONS)
def test_arguments_that_contradict_each_other(arguments: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"\A2\Z"):
        main(["demo", *arguments.split()])
    assert word in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "target"), TARGETS)
def test_a_server_of_the_user(arguments: str, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Target] = []

    def own_server(target: Target) -> int:
        asked.append(target)
        return 7

    monkeypatch.setattr(demo, "own_server", own_server)
    assert main(["demo", *arguments.split()]) == 7
    assert asked == [target]


def test_without_arguments_the_demo_is_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "embedded", lambda: 5)
    assert main(["demo"]) == 5


@pytest.mark.parametrize(("argv", "write"), [(["doctor"], False), (["doctor", "--write"], True)])
def test_doctor(argv: list[str], write: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[bool] = []

    def check(write: bool) -> list[str]:
        asked.append(write)
        return ["stale"]

    monkeypatch.setattr(doctor, "check", check)
    assert main(argv) == 1
    assert capsys.readouterr().out == "stale\n"
    assert main([*argv, "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"imapkit": imapkit.__version__, "problems": ["stale"], "server": None}
    assert asked == [write, write]


@pytest.mark.parametrize("subcommand", ["plugins", "doctor"])
def test_a_closed_output(subcommand: str) -> None:
    """The other end of the pipe is closed, as after ``imapkit plugins | head``."""
    ours, theirs = os.pipe()
    os.close(ours)
    with open(theirs, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "imapkit", subcommand], stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=30
        )
    assert (done.returncode, done.stderr) == (OUTPUT_CLOSED, "")


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "embedded", interrupted)
    assert main(["demo"]) == INTERRUPTED


def test_an_unreachable_server(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    monkeypatch.setenv(PASSWORD, "secret")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert main(["demo", "--host", "127.0.0.1", "--port", str(port), "--user", "ada"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("imapkit: ConnectError: ")
    assert "secret" not in error


@pytest.mark.parametrize("variable", ["from the environment", ""])
def test_the_password(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    used: list[str] = []

    def read_only(screen: object, target: Target, password: str) -> Findings:
        used.append(password)
        return Findings()

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(getpass, "getpass", lambda prompt: f"typed for {prompt}")
    monkeypatch.setattr(demo, "read_only", read_only)
    monkeypatch.setenv(PASSWORD, variable)
    assert demo.own_server(Target("localhost", "ada")) == 0
    assert used == [variable or "typed for password of ada at localhost: "]


@pytest.mark.parametrize(
    ("argv", "missing", "needed"),
    [
        (["demo"], {"rich", "pymap"}, "rich and pymap"),
        (["demo"], {"pymap"}, "pymap"),
        (["demo", "--host", "localhost", "--user", "ada"], {"rich", "pymap"}, "rich"),
    ],
)
def test_the_demo_without_its_packages(
    argv: list[str], missing: set[str], needed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name in missing else find_spec(name))
    assert main(argv) == 2
    assert capsys.readouterr() == ("", f"imapkit demo needs {needed}: pip install 'imapkit[demo]'\n")


def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if rich were not installed."""
    monkeypatch.setattr(plugins, "find_spec", lambda name: None if name == "rich" else find_spec(name))
    monkeypatch.setitem(sys.modules, "rich", None)


def test_the_families_in_plain_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plain(monkeypatch)
    assert main(["plugins"]) == 0
    head, _, rest = capsys.readouterr().out.partition("rev1\n")[2].partition("    commands:     ")
    assert head.splitlines() == [
        "    distribution: imapkit",
        f"    version:      {imapkit.__version__}",
        "    capabilities: IMAP4rev1 IMAP4 AUTH=CRAM-MD5 LOGINDISABLED CHILDREN SPECIAL-USE STATUS=SIZE",
    ]
    commands, _, rest = rest.partition("    state:        ")
    state = rest.splitlines()[0]
    assert {"APPEND", "FETCH", "LOGOUT", "UNSUBSCRIBE"} <= set(commands.split())
    assert state == "on"


def test_the_families_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    assert main(["plugins"]) == 0
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert output.split()[:6] == ["Family", "Distribution", "Version", "Capabilities", "Commands", "State"]
    (row,) = [line.split() for line in output.splitlines() if line.split()[:1] == ["rev1"]]
    assert row[:4] == ["rev1", "imapkit", imapkit.__version__, "IMAP4rev1"]
    assert row[-1] == "on"


def states() -> dict[str, plugins.Row]:
    return {row.family: row for row in plugins.rows(survey())}


def test_a_disabled_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPKIT_DISABLE", "quota")
    row = states()["quota"]
    assert (row.distribution, row.capabilities, row.commands) == ("imapkit", "", "")
    assert row.state == "off: switched off by IMAPKIT_DISABLE"


def test_a_family_that_replaces_another() -> None:
    family = Family("strict", replaces=("command:GETQUOTA", "method:getquota"))
    entry = Entry("strict", "imapkit-strict", "1.0", "strict", "on", family=family)
    (row,) = plugins.rows(Survey((entry,), None, ()))
    assert row.state == "on, replaces command:GETQUOTA method:getquota"


def test_a_required_family_that_is_disabled(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("IMAPKIT_DISABLE", "rev1")
    found = states()
    assert found["rev1"].state == "off: switched off by IMAPKIT_DISABLE"
    assert found["quota"].state == "conflict"
    assert main(["plugins"]) == 1
    assert "no client can be made: families 'acl' (imapkit" in capsys.readouterr().out


def test_a_missing_family_that_is_enabled(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("IMAPKIT_PLUGINS", "rev1,nosuch")
    found = states()
    assert (found["rev1"].state, found["nosuch"].state) == ("on", "not installed")
    assert found["quota"].state == "off: not in IMAPKIT_PLUGINS"
    assert main(["plugins"]) == 1
    assert "no client can be made: IMAPKIT_PLUGINS: there is no family 'nosuch'" in capsys.readouterr().out


@pytest.mark.parametrize("disabled", ["", "nosuch,other"])
def test_all_enabled_families_are_missing(disabled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPKIT_PLUGINS", "nosuch, other")
    monkeypatch.setenv("IMAPKIT_DISABLE", disabled)
    found = states()
    there = {name: row.state for name, row in found.items()}
    assert there == dict.fromkeys(ext.INDEX, "off: not in IMAPKIT_PLUGINS") | (
        {} if disabled else dict.fromkeys(("nosuch", "other"), "not installed")
    )


def test_a_broken_family_hides_no_other(
    broken_plugin: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = states()
    assert found["rev1"].state == "on"
    assert found[broken_plugin] == (broken_plugin, "imapkit-broken", "4.5", "", "", "broken")
    plain(monkeypatch)
    with pytest.raises(PluginLoadError, match="cannot be imported: ZeroDivisionError") as caught:
        Loader().registry()
    for argv in (["plugins"], ["doctor"]):
        assert main(argv) == 1
        assert f"no client can be made: {caught.value}\n" in capsys.readouterr().out


def test_a_broken_family_that_is_disabled_has_no_effect(broken_plugin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPKIT_DISABLE", broken_plugin)
    assert main(["plugins"]) == 0
    assert states()[broken_plugin] == (
        broken_plugin, "imapkit-broken", "4.5", "", "", "off: switched off by IMAPKIT_DISABLE",
    )  # fmt: skip


def test_the_families_as_data(broken_plugin: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("IMAPKIT_DISABLE", "quota")
    assert main(["plugins", "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["imapkit"], printed["contract"]) == (imapkit.__version__, 2)
    families = {family["name"]: family for family in printed["families"]}
    assert families["id"] == {
        "name": "id",
        "distribution": "imapkit",
        "version": imapkit.__version__,
        "entry_point": "imapkit.ext.id",
        "state": "on",
        "why": None,
        "contract": 2,
        "capabilities": ["ID"],
        "partly": {},
        "commands": ["ID"],
        "methods": ["id"],
        "requires": ["rev1"],
        "replaces": [],
    }
    assert families["quota"]["why"] == "switched off by IMAPKIT_DISABLE"
    assert (families["quota"]["commands"], families["quota"]["methods"][0]) == (None, "getquota")
    assert [families[broken_plugin]["state"], printed["problems"]] == ["broken", [families[broken_plugin]["why"]]]
