"""The fixtures, which pytest finds through an entry point."""

from __future__ import annotations

import pytest

import imapkit
from imapkit.errors import StateError
from imapkit.testing import ClientFactory, Conversation, DelayProxy, ReceivedCommand, ServerCertificate, ServerFactory

pytest_plugins = ["pytester"]


def test_a_server_and_a_client(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(messages=3)
    client = imap_client(server, families=["rev1"], select="INBOX")
    assert client.state == "SELECTED"
    assert client.noop() == ("OK", [b"done"])
    assert server.names == ["LOGIN", "SELECT", "NOOP"]


def test_without_login(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    client = imap_client(imap_server(), families=["rev1"], login=False)
    with pytest.raises(StateError):
        client.select()


def test_a_preauth_greeting(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n")
    assert imap_client(server, families=["rev1"]).state == "AUTH"
    assert server.names == []


def test_scripts_handlers_and_more_than_one_server(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    def script(conversation: Conversation) -> None:
        conversation.serve({"NOOP": lambda conversation, command: conversation.no(command)})

    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.no(command)

    for server in imap_server(script), imap_server(handlers={"NOOP": refuse}):
        assert imap_client(server, families=["rev1"]).noop()[0] == "NO"


def test_a_client_behind_a_delay(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server()
    with DelayProxy(server.host, server.port, round_trip=0.0) as proxy:
        client = imap_client(proxy, families=["rev1"])
        assert client.noop()[0] == "OK"
        client.logout()
    assert server.names == ["LOGIN", "NOOP", "LOGOUT"]


class Named(imapkit.IMAP4):
    """A program's own class."""

    def greeting(self) -> bytes:
        return self.welcome


def test_a_class_of_the_program(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    assert imap_client(imap_server(), cls=Named, families=["rev1"]).greeting().endswith(b"ready")


def test_tls_from_the_start(imap_server: ServerFactory, imap_client: ClientFactory, imap_tls: ServerCertificate) -> None:
    client = imap_client(imap_server(tls=imap_tls), families=["rev1"])
    assert isinstance(client, imapkit.IMAP4_SSL)
    assert client.ssl().version() == "TLSv1.3"


def test_tls_by_command(imap_server: ServerFactory, imap_client: ClientFactory, imap_tls: ServerCertificate) -> None:
    def starttls(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        conversation.start_tls()

    server = imap_server(handlers={"STARTTLS": starttls}, capabilities=b"IMAP4rev1 STARTTLS", tls=imap_tls, implicit_tls=False)
    client = imap_client(server, families=["rev1", "starttls"], login=False)
    assert client.starttls()[0] == "OK"
    assert client.login("me", "secret")[0] == "OK"


def test_a_certificate_is_trusted_only_by_its_file(
    imap_server: ServerFactory, imap_client: ClientFactory, imap_tls: ServerCertificate
) -> None:
    server = imap_server(tls=imap_tls)
    assert imap_client(server, families=["rev1"], ca_certs=imap_tls.pem).noop()[0] == "OK"
    with pytest.raises(imapkit.TLSError):
        imap_client(server, families=["rev1"], ssl_context=None)


FAILING = """
def test_it(imap_server, imap_client):
    def script(conversation):
        assert conversation.read_command().name == "NOOP"

    imap_client(imap_server(script), families=["rev1"], login=False)
"""
PASSING = """
def test_it(imap_server, imap_client, imap_tls):
    assert imap_client(imap_server(tls=imap_tls), families=["rev1"]).noop()[0] == "OK"
"""
PLAIN = ("-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider", "-W", "error")


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """pytest as a process of its own, as a plugin author's project runs it."""
    return pytester.runpytest_subprocess(*PLAIN, *arguments)


@pytest.mark.heavy
def test_a_script_that_fails_fails_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)
    result = run(pytester)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_it*", "*LOGOUT*"])


@pytest.mark.heavy
def test_registered_twice_it_is_loaded_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING)
    pytester.makeconftest('pytest_plugins = ["imapkit.testing.plugin"]')
    run(pytester).assert_outcomes(passed=1)
    run(pytester, "-p", "imapkit.testing.plugin").assert_outcomes(passed=1)


@pytest.mark.heavy
def test_switched_off_it_has_no_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING)
    result = run(pytester, "-p", "no:imapkit")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'imap_server' not found*"])
    run(pytester, "-p", "no:imapkit", "-p", "imapkit.testing.plugin").assert_outcomes(passed=1)
