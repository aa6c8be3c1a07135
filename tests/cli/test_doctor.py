from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import imapkit
from imapkit import ext
from imapkit.cli import doctor, doctor_server, tables
from imapkit.cli.main import main
from imapkit.cli.target import PASSWORD, Target
from imapkit.core.contract.family import Family
from imapkit.core.plugins import loader as plugins
from imapkit.core.plugins.loader import builtin
from imapkit.ext.rev1 import PARTLY
from imapkit.testing import Conversation, ReceivedCommand, ServerCertificate, ServerFactory, load_only

FAMILY = """
from imapkit.plugin import Commands, Family, hookimpl

class AlphaCommands(Commands):
    def zeta(self) -> None: ...
    def eta(self) -> None: ...
    def _hidden(self) -> None: ...

@hookimpl
def imapkit_family() -> Family:
    return Family("alpha", mixin=AlphaCommands)
"""


@pytest.fixture
def families(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory in place of imapkit/ext, with one family and a stale index."""
    (tmp_path / "alpha.py").write_text(FAMILY)
    (tmp_path / "_helper.py").write_text("raise RuntimeError('imported')")
    (tmp_path / "__init__.py").write_text("")
    monkeypatch.setattr(ext, "__path__", [str(tmp_path)])
    monkeypatch.setattr(ext, "INDEX", {"alpha": ()})
    monkeypatch.setattr(plugins, "OWN", "imapkit-without-metadata")
    monkeypatch.setenv("IMAPKIT_PLUGINS", "alpha")
    monkeypatch.delenv("IMAPKIT_DISABLE", raising=False)
    yield tmp_path
    sys.modules.pop("imapkit.ext.alpha", None)
    vars(ext).pop("alpha", None)


def test_the_index_of_imapkit_is_up_to_date() -> None:
    assert doctor.index() == ext.INDEX
    assert Path(ext.__path__[0], "__init__.py").read_text(encoding="utf-8") == doctor.render(ext.INDEX)


def written(families: Path) -> dict[str, tuple[str, ...]]:
    """The index in the file."""
    namespace: dict[str, Any] = {}
    exec((families / "__init__.py").read_text(), namespace)
    found: dict[str, tuple[str, ...]] = namespace["INDEX"]
    return found


def test_a_stale_index_is_reported_and_can_be_written(
    families: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.main(write=False) == 1
    assert capsys.readouterr().out == "the index of the builtin families is stale for alpha: run imapkit doctor --write\n"
    assert doctor.main(write=True) == 0
    monkeypatch.setattr(ext, "INDEX", written(families))
    assert doctor.main(write=False) == 0
    assert capsys.readouterr().out == 2 * f"{doctor.GOOD}\n"


def test_a_trimmed_build_may_have_a_larger_index(
    families: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ext, "INDEX", {"alpha": ("eta", "zeta"), "trimmed": ("gone",)})
    assert doctor.main(write=False) == 0
    assert capsys.readouterr().out == f"{doctor.GOOD}\n"


def test_the_written_file_has_the_index(families: Path) -> None:
    assert doctor.index() == {"alpha": ("eta", "zeta")}
    doctor.main(write=True)
    assert written(families) == {"alpha": ("eta", "zeta")}


def test_a_family_without_methods() -> None:
    namespace: dict[str, object] = {}
    exec(doctor.render({"bare": (), "one": ("x",)}), namespace)
    assert namespace["INDEX"] == {"bare": (), "one": ("x",)}


def test_a_broken_family_is_reported(families: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (families / "alpha.py").write_text("1 / 0")
    assert doctor.main(write=True) == 1
    assert "cannot be imported: ZeroDivisionError" in capsys.readouterr().out
    assert (families / "__init__.py").read_text() == ""


# Examining a server

ANNOUNCED = (
    b"IMAP4rev1 literal+ IDLE AUTH=PLAIN AUTH=X-OWN AUTH=CRAM-MD5 QUOTA QUOTA=RES-STORAGE RIGHTS=kxte STATUS=SIZE CHILDREN"
    b" APPENDLIMIT=35 UIDPLUS"
)


def test_capabilities_and_their_families(imap_server: ServerFactory) -> None:
    def admit(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.server.capabilities = b"IMAP4rev1 THREAD=REFS LITERAL- X-NEW"
        conversation.ok(command)

    server = imap_server(handlers={"LOGIN": admit}, capabilities=ANNOUNCED)
    stages: doctor_server.Stages = {}
    doctor_server.examine(Target(server.host, "ada", server.port), "secret", stages)
    both, before, after = ("before login", "after login"), ("before login",), ("after login",)
    table = doctor_server.rows(stages, load_only(*ext.INDEX))
    assert [(row.capability, row.stages, row.service) for row in table] == [
        ("APPENDLIMIT=35", before, "no plugin"),
        ("AUTH=CRAM-MD5", before, "rev1"),
        ("AUTH=PLAIN", before, f"rev1, partly: {PARTLY['AUTH=*']}"),
        ("AUTH=X-OWN", before, f"rev1, partly: {PARTLY['AUTH=*']}"),
        ("CHILDREN", before, "rev1"),
        ("IDLE", before, "idle"),
        ("IMAP4REV1", both, "rev1"),
        ("LITERAL+", before, "core"),
        ("LITERAL-", after, "core"),
        ("QUOTA", before, "quota"),
        ("QUOTA=RES-STORAGE", before, "quota"),
        ("RIGHTS=KXTE", before, "acl"),
        ("STATUS=SIZE", before, "rev1"),
        ("THREAD=REFS", after, "sort_thread"),
        ("UIDPLUS", before, "uidplus"),
        ("X-NEW", after, "no plugin"),
    ]


def test_a_disabled_family_is_named() -> None:
    known = load_only("rev1")
    (row,) = doctor_server.rows({"before login": ("IDLE",)}, known)
    assert row.service == "no plugin: idle is not among families="
    assert (row.served_by, row.partly_by, row.why) == ((), (), "idle is not among families=")


def test_a_family_that_serves_all_replaces_a_partial_one() -> None:
    one = Family("one", partly={"X-*": "one reads it"})
    other = Family("other", partly={"X-MOVE": "other sends it"}, capabilities=("X-WHOLE",))
    table = doctor_server.rows({"before login": ("X-MOVE", "X-NEW", "X-WHOLE")}, load_only("rev1", one, other))
    assert [row.service for row in table] == [
        "one, other, partly: one reads it; other sends it",
        "one, partly: one reads it",
        "other",
    ]


def test_every_served_mechanism_has_a_method() -> None:
    """``login_cram_md5`` and the like; for other mechanisms the program answers the challenges."""
    mechanisms = [name for name in builtin("rev1").family.capabilities if name.startswith("AUTH=")]
    assert mechanisms == ["AUTH=CRAM-MD5"]
    for name in mechanisms:
        method = f"login_{name.removeprefix('AUTH=').lower().replace('-', '_')}"
        assert method in ext.INDEX["rev1"]


def test_families_of_other_distributions_count() -> None:
    other = Family("gmail", capabilities=("x-gm-ext-*",))
    (row,) = doctor_server.rows({"before login": ("X-GM-EXT-1",)}, load_only("rev1", other))
    assert row.served_by == ("gmail",)


@pytest.mark.parametrize("rich", [True, False])
def test_the_table(
    rich: bool, imap_server: ServerFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if rich:
        pytest.importorskip("rich")
    monkeypatch.setattr(tables, "find_spec", lambda name: find_spec(name) if rich or name != "rich" else None)
    server = imap_server(capabilities=b"IMAP4rev1 X-NEW")
    assert doctor_server.main(Target(server.host, None, server.port)) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["Capability", "Before", "login", "Served", "by"] in lines
    assert ["IMAP4REV1", "yes", "rev1"] in lines
    assert ["X-NEW", "yes", "no", "plugin"] in lines
    assert lines[-1] == ["1", "of", "2", "capabilities", "are", "served."]
    assert server.names == ["LOGOUT"]


@pytest.mark.parametrize("starttls", [True, False])
def test_over_tls(starttls: bool, imap_server: ServerFactory, imap_tls: ServerCertificate) -> None:
    def secure(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        conversation.start_tls()

    capabilities = b"IMAP4rev1 STARTTLS"
    server = imap_server(handlers={"STARTTLS": secure}, tls=imap_tls, implicit_tls=not starttls, capabilities=capabilities)
    target = Target("localhost", "ada", server.port, cafile=imap_tls.pem, ssl=not starttls, starttls=starttls)
    stages: doctor_server.Stages = {}
    doctor_server.examine(target, "secret", stages)
    assert list(stages) == [*(["without TLS"] if starttls else []), "before login", "after login"]


def test_a_refused_login_still_shows_the_capabilities(
    imap_server: ServerFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSWORD, "very secret")
    server = imap_server(handlers={"LOGIN": lambda conversation, command: conversation.no(command, b"who are you?")})
    argv = ["doctor", "--host", server.host, "--port", str(server.port), "--user", "ada"]
    assert main(argv) == 1
    out, err = capsys.readouterr()
    assert "IMAP4REV1" in out
    assert err == "imapkit: NoResponse: who are you?\n"
    assert "very secret" not in out + err


def test_as_data(imap_server: ServerFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(PASSWORD, "very secret")
    monkeypatch.setenv("IMAPKIT_DISABLE", "idle")
    monkeypatch.setattr(doctor_server, "registry", plugins.Loader().registry)
    server = imap_server(capabilities=b"IMAP4rev1 IDLE X-NEW")
    where = ["--host", server.host, "--port", str(server.port)]
    assert main(["doctor", "--json", *where, "--user", "ada"]) == 0
    both = ["before login", "after login"]
    assert json.loads(capsys.readouterr().out) == {
        "imapkit": imapkit.__version__,
        "problems": [],
        "server": {
            "host": server.host,
            "stages": both,
            "capabilities": [
                {
                    "capability": "IDLE",
                    "stages": both,
                    "served_by": [],
                    "partly_by": [],
                    "why": "idle is switched off by IMAPKIT_DISABLE",
                },
                {"capability": "IMAP4REV1", "stages": both, "served_by": ["rev1"], "partly_by": [], "why": None},
                {"capability": "X-NEW", "stages": both, "served_by": [], "partly_by": [], "why": None},
            ],
        },
    }


def test_an_unreachable_server_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert main(["doctor", "--json", "--host", "127.0.0.1", "--port", str(port)]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["server"] == {"host": "127.0.0.1", "stages": [], "capabilities": []}
    assert err.startswith("imapkit: ConnectError: ")


@pytest.mark.parametrize("rich", [True, False])
def test_control_sequences_do_not_reach_the_terminal(
    rich: bool, imap_server: ServerFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if rich:
        pytest.importorskip("rich")
    monkeypatch.setattr(tables, "find_spec", lambda name: find_spec(name) if rich or name != "rich" else None)
    monkeypatch.setenv(PASSWORD, "very secret")
    handlers = {"LOGIN": lambda conversation, command: conversation.no(command, b"\x1b[31mno")}
    server = imap_server(handlers=handlers, capabilities=b"IMAP4rev1 X\x1b[31m-RED")
    assert main(["doctor", "--host", server.host, "--port", str(server.port), "--user", "ada"]) == 1
    out, err = capsys.readouterr()
    assert "-RED" in out
    assert err.endswith("[31mno\n")
    assert "\x1b" not in out + err
