"""The capabilities of real servers, with the families that serve them."""

from __future__ import annotations

import pytest

from imapkit.cli import doctor_server
from imapkit.cli.main import main
from imapkit.cli.target import PASSWORD, Target
from imapkit.core.raw.families import registry
from tests.servers.base import Server

pytestmark = pytest.mark.live

SERVED = {
    "IMAP4REV1": "rev1", "LITERAL+": "core", "CHILDREN": "rev1", "SPECIAL-USE": "rev1", "IDLE": "idle",
    "ID": "id", "NAMESPACE": "namespace", "QUOTA": "quota", "ENABLE": "enable", "SORT": "sort_thread",
    "SORT=DISPLAY": "sort_thread",
    "THREAD=ORDEREDSUBJECT": "sort_thread", "THREAD=REFERENCES": "sort_thread", "ACL": "acl", "RIGHTS=KXTEN": "acl",
    "COMPRESS=DEFLATE": "compress", "ANNOTATEMORE": "annotation", "STARTTLS": "starttls",
}  # fmt: skip


def examined(target: Target, password: str) -> tuple[doctor_server.Stages, dict[str, str]]:
    """The capabilities announced at each stage, and the families that serve them."""
    stages: doctor_server.Stages = {}
    doctor_server.examine(target, password, stages)
    return stages, {row.capability: row.service for row in doctor_server.rows(stages, registry())}


def test_every_capability_is_there_with_who_serves_it(server: Server) -> None:
    stages, served = examined(Target(server.host, "tester", server.port), server.users["tester"])
    assert list(stages) == ["before login", "after login"]
    assert set(served) == {name for names in stages.values() for name in names}
    known = {name: family for name, family in SERVED.items() if name in served}
    assert {name: served[name] for name in known} == known
    assert {"IMAP4REV1", "IDLE"} <= known.keys()
    assert {"", None}.isdisjoint(served.values())


def test_the_command(server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(PASSWORD, server.users["tester"])
    argv = ["doctor", "--host", server.host, "--port", str(server.port), "--user", "tester", "--insecure"]
    assert main(argv) == 0
    printed = capsys.readouterr().out
    (row,) = [line.split() for line in printed.splitlines() if line.split()[:1] == ["IMAP4REV1"]]
    assert row == ["IMAP4REV1", "yes", "yes", "rev1"]
    assert "capabilities are served" in printed


@pytest.mark.parametrize("starttls", [True, False])
def test_over_tls(secured: Server, starttls: bool) -> None:
    server = secured
    assert server.tls_port is not None
    port = server.port if starttls else server.tls_port
    target = Target("localhost", "tester", port, ssl=not starttls, starttls=starttls, cafile=server.cafile)
    stages, served = examined(target, server.users["tester"])
    assert ("STARTTLS" in served) is starttls
    assert "STARTTLS" not in stages["before login"]
    assert served.get("STARTTLS", "starttls") == "starttls"
    assert served["IMAP4REV1"] == "rev1"
