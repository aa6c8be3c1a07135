"""Connecting and logging in by an ``Account``: what is refused, what is asked, and what is left behind."""

from __future__ import annotations

import asyncio
import base64
import inspect
import threading
from collections.abc import Callable
from typing import Any

import pytest

import imapkit
from imapkit import IMAP4, Account, BadResponse, ConnectionClosed, NoResponse, OAuth2, Password
from imapkit.testing import LOCALHOST, Conversation, ReceivedCommand, ScriptedServer, refusing
from tests.core.rig import until

SECRET = "s3cret-pass"
PLAIN = {"tls": "none"}
IN_THE_CLEAR: Any = {"tls": LOCALHOST, "implicit_tls": False}


def account(server: ScriptedServer, auth: Any = None, **options: Any) -> Account:
    options = {"timeout": 10, **(PLAIN if "tls" not in options else {}), **options}
    return Account(server.host, auth or Password("ada", SECRET), port=server.port, **options)


def by_thread(account: Account) -> None:
    account.connect().close()


def by_task(account: Account) -> None:
    async def work() -> None:
        async with await account.connect_async():
            pass

    asyncio.run(work())


@pytest.fixture(params=[by_thread, by_task], ids=["blocking", "asynchronous"])
def use(request: pytest.FixtureRequest) -> Callable[[Account], None]:
    use: Callable[[Account], None] = request.param
    return use


def test_it_logs_in_and_knows_the_capabilities(use: Callable[[Account], None]) -> None:
    with ScriptedServer() as server:
        use(account(server))
        assert server.names == ["LOGIN", "CAPABILITY", "LOGOUT"]


def test_a_wrong_password(use: Callable[[Account], None]) -> None:
    """The error has the server's code, and no password; the connection is closed."""
    with ScriptedServer(handlers={"LOGIN": refusing(b"[AUTHENTICATIONFAILED] wrong")}) as server:
        with pytest.raises(NoResponse) as refused:
            use(account(server))
        assert refused.value.code == "AUTHENTICATIONFAILED"
        assert SECRET not in f"{refused.value!r} {refused.value.args} {refused.value.data!r}"
        assert server.names == ["LOGIN"]


def test_a_server_that_closes_the_connection_during_the_login(use: Callable[[Account], None]) -> None:
    def close(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.close()

    with ScriptedServer(handlers={"LOGIN": close}) as server, pytest.raises(ConnectionClosed) as ended:
        use(account(server))
    assert SECRET not in repr(ended.value)


@pytest.mark.parametrize("answer", ["no", "bad"])
def test_starttls_that_is_refused_is_never_lowered(use: Callable[[Account], None], answer: str) -> None:
    def starttls(conversation: Conversation, command: ReceivedCommand) -> None:
        getattr(conversation, answer)(command)

    with ScriptedServer(
        handlers={"STARTTLS": starttls}, capabilities=b"IMAP4rev1 STARTTLS", tls=LOCALHOST, implicit_tls=False
    ) as server:
        with pytest.raises(NoResponse if answer == "no" else BadResponse) as refused:
            use(account(server, tls="starttls", ssl_context=LOCALHOST.client_context()))
        assert "TLS" in str(refused.value)
        assert server.names == ["STARTTLS"]


def test_starttls() -> None:
    def starttls(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        conversation.start_tls()

    with ScriptedServer(
        handlers={"STARTTLS": starttls}, capabilities=b"IMAP4rev1 STARTTLS", tls=LOCALHOST, implicit_tls=False
    ) as server:
        with account(server, tls="starttls", ssl_context=LOCALHOST.client_context()).connect() as client:
            client.noop()
        assert server.names[0] == "STARTTLS"
        assert "LOGIN" in server.names


class Tokens:
    """A function that returns tokens; it notes what it was asked with."""

    def __init__(self, *tokens: str) -> None:
        self._tokens, self.asked = iter(tokens), []

    asked: list[str | None]

    def __call__(self, rejected: str | None) -> str:
        self.asked.append(rejected)
        return next(self._tokens)


class Bearer:
    """AUTHENTICATE that takes one token; it refuses others as RFC 7628 section 3.2.3 says."""

    def __init__(self, good: str) -> None:
        self._good, self.seen = good, []

    seen: list[bytes]

    def __call__(self, conversation: Conversation, command: ReceivedCommand) -> None:
        mechanism, _, initial = command.args.partition(b" ")
        if not initial:
            conversation.send(b"+ \r\n")
            initial = conversation.read_line()
        said = base64.b64decode(initial)
        self.seen.append(mechanism)
        if b"Bearer " + self._good.encode() in said:
            conversation.ok(command)
            return
        conversation.send(b"+ %b\r\n" % base64.b64encode(b'{"status":"invalid_token"}'))
        assert base64.b64decode(conversation.read_line()) == (b"\x01" if mechanism == b"OAUTHBEARER" else b"")
        conversation.no(command, b"[AUTHENTICATIONFAILED] bad token")


@pytest.mark.parametrize("mechanism", [b"OAUTHBEARER", b"XOAUTH2"])
def test_oauth2_asks_once_more_with_the_token_that_was_refused(use: Callable[[Account], None], mechanism: bytes) -> None:
    bearer, tokens = Bearer("new"), Tokens("old", "new")
    with ScriptedServer(handlers={"AUTHENTICATE": bearer}, capabilities=b"IMAP4rev1 AUTH=%b" % mechanism) as server:
        use(account(server, OAuth2("ada", tokens)))
    assert tokens.asked == [None, "old"]
    assert bearer.seen == [mechanism] * 2


def test_oauth2_that_has_no_better_token_is_refused(use: Callable[[Account], None]) -> None:
    for tokens, tries in ((Tokens("old", "old"), 1), (Tokens("old", "older"), 2)):
        bearer = Bearer("new")
        with ScriptedServer(handlers={"AUTHENTICATE": bearer}, capabilities=b"IMAP4rev1 AUTH=OAUTHBEARER") as server:
            with pytest.raises(NoResponse) as refused:
                use(account(server, OAuth2("ada", tokens)))
            assert refused.value.code == "AUTHENTICATIONFAILED"
            assert "old" not in str(refused.value)
        assert tokens.asked == [None, "old"]
        assert len(bearer.seen) == tries


def test_a_function_for_tokens_that_raises_closes_the_connection(use: Callable[[Account], None]) -> None:
    def token(rejected: str | None) -> str:
        raise ZeroDivisionError

    with ScriptedServer(capabilities=b"IMAP4rev1 AUTH=OAUTHBEARER") as server, pytest.raises(ZeroDivisionError):
        use(account(server, OAuth2("ada", token)))


def test_preauth(use: Callable[[Account], None]) -> None:
    """No login is sent, and no token asked for."""
    tokens = Tokens()
    with ScriptedServer(greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server:
        use(account(server, OAuth2("ada", tokens)))
        assert server.names == ["LOGOUT"]
    assert tokens.asked == []


def test_preauth_where_starttls_was_asked_for_is_refused(use: Callable[[Account], None]) -> None:
    """It would leave the connection without TLS; RFC 3501 section 11.1."""
    with ScriptedServer(
        greeting=b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", tls=LOCALHOST, implicit_tls=False
    ) as server:
        with pytest.raises(IMAP4.error, match="STARTTLS"):
            use(account(server, tls="starttls", ssl_context=LOCALHOST.client_context()))
        assert "LOGIN" not in server.names


@pytest.mark.parametrize("closed", ["while-it-runs", "as-it-ends"])
def test_a_connect_that_is_cancelled_leaves_no_connection(closed: str) -> None:
    """It is in the middle of LOGIN, and then succeeds: nothing of it is left, whether the loop goes on or has ended."""
    come, go, gone = threading.Event(), threading.Event(), threading.Event()

    def script(conversation: Conversation) -> None:
        command = conversation.expect("LOGIN")
        come.set()
        assert go.wait(10)
        conversation.ok(command, b"[CAPABILITY IMAP4rev1] hi")
        conversation.wait_closed()
        gone.set()

    with ScriptedServer(script) as server:
        loop = asyncio.new_event_loop()
        task = loop.create_task(account(server).connect_async())

        async def cancel() -> None:
            await asyncio.to_thread(come.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        loop.run_until_complete(cancel())
        if closed == "as-it-ends":
            loop.close()
            go.set()
        else:
            go.set()
            loop.run_until_complete(asyncio.to_thread(gone.wait, 10))
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
        until(gone.is_set, "the connection is not closed")


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(Account("localhost", Password("ada", SECRET)))


@pytest.mark.parametrize("function", [imapkit.connect, imapkit.connect_async])
def test_connect_takes_the_options_of_an_account(function: Callable[..., Any]) -> None:
    def options(of: Callable[..., Any]) -> list[inspect.Parameter]:
        return [each for each in inspect.signature(of).parameters.values() if each.kind is each.KEYWORD_ONLY]

    assert options(function) == options(Account)
    assert len(options(function)) == 6
