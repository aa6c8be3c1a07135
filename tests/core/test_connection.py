"""How a connection ends, whatever the server does at whatever step; and callbacks. No call hangs, and no thread stays."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import imapkit
from imapkit.core.threads.deadlines import Deadlines
from imapkit.errors import (
    BadResponse,
    CommandTimeout,
    ConnectError,
    ConnectionClosed,
    ServerBye,
    StateError,
)
from imapkit.testing import ClientSilent, Conversation, ReceivedCommand, ScriptedServer
from imapkit.testing.proxy import DelayProxy
from tests.core.rig import LIMIT, MARGIN, PLAIN, Answers, answer_all, connect, selected, serving, until, within
from tests.ends import bye, half_a_line, half_a_literal

# what the server does: silent, or away in one way or another


def silent(conversation: Conversation) -> None:
    conversation.wait_closed()


def half_a_line_and_silent(conversation: Conversation) -> None:
    conversation.send(b"* OK half a li")
    conversation.wait_closed()


def trickle(conversation: Conversation) -> None:
    """``* OK Still here`` every 50 ms, until the client goes."""
    while True:
        try:
            conversation.wait_closed(0.05)
        except ClientSilent:
            conversation.send(b"* OK Still here\r\n")
        else:
            return


def fin(conversation: Conversation) -> None:
    conversation.close()


def rst(conversation: Conversation) -> None:
    conversation.reset()


def bye_and_silent(conversation: Conversation) -> None:
    conversation.send(b"* BYE going down\r\n")
    conversation.wait_closed()


def stray(conversation: Conversation) -> None:
    conversation.send(b"Server Unavailable. 15\r\n")
    conversation.close()


STALLS = [silent, half_a_line_and_silent]
ENDS = [fin, rst, half_a_line, half_a_literal, bye, bye_and_silent, stray]
STEPS = ["greeting", "capability", "login", "continuation", "literal", "tagged"]
Act = Callable[[Conversation], None]


def misbehaving(step: str, act: Act) -> Callable[[Conversation], None]:
    """A script that goes on properly until ``step``, where it acts."""

    def script(conversation: Conversation) -> None:
        if step == "greeting":
            return act(conversation)
        conversation.send(b"* OK hi\r\n")
        command = conversation.read_command()
        assert command.name == "CAPABILITY"
        if step == "capability":
            return act(conversation)
        conversation.ok(command, untagged=b"* CAPABILITY IMAP4rev1\r\n")
        command = conversation.read_command()
        assert command.name == "LOGIN"
        if step == "login":
            return act(conversation)
        conversation.ok(command, b"[CAPABILITY IMAP4rev1] in")
        conversation.ok(conversation.read_command())  # SELECT
        command = conversation.read_command(auto_continue=False)
        if step == "literal":
            conversation.send(b"* 1 FETCH (BODY[] {100000}\r\nthe beginning")
        return act(conversation)

    return script


def drive(server: Any, step: str, limit: float = LIMIT) -> None:
    """Go to that step, and in it; ``limit``: the time-out there. The way to a later step may take a moment."""
    client = connect(server, timeout=limit if step in ("greeting", "capability", "login") else MARGIN)
    try:
        client.login("me", "secret")
        client.select()
        if step == "continuation":
            client.append("box", None, None, b"message", timeout=limit)
        elif step == "logout":
            typ, data = client.logout(timeout=limit)
            assert typ in ("NO", "BYE", "OK"), data
        else:
            client.fetch("1", "BODY[]", timeout=limit)
    finally:
        with within(LIMIT + MARGIN):
            for _ in range(2):
                assert client.logout()[0] == "NO"
        assert client.state == "LOGOUT"
        with pytest.raises(imapkit.IMAP4.error):
            client.noop()


QUIET = [(step, act) for step in STEPS for act in [*STALLS, trickle] if (step, act) != ("greeting", trickle)]


@pytest.mark.parametrize(("step", "act"), QUIET, ids=[f"{step}-{act.__name__}" for step, act in QUIET])
def test_a_server_that_says_nothing_more(step: str, act: Act) -> None:
    with ScriptedServer(misbehaving(step, act), greeting=b"") as server, within(LIMIT + MARGIN):
        with pytest.raises(CommandTimeout) as caught:
            drive(server, step, LIMIT if act is trickle else LIMIT / 2)
        assert isinstance(caught.value, TimeoutError)
        assert isinstance(caught.value, imapkit.IMAP4.abort)


@pytest.mark.parametrize("act", ENDS, ids=lambda act: act.__name__)
@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_goes(step: str, act: Act) -> None:
    with ScriptedServer(misbehaving(step, act), greeting=b"") as server, within(LIMIT + MARGIN):
        with pytest.raises(imapkit.IMAP4.abort) as caught:
            drive(server, step)
        inside_literal = step == "literal"
        if act in (bye, bye_and_silent) and not inside_literal:
            assert isinstance(caught.value, ServerBye)
            assert "going down" in str(caught.value)
        if act is stray and step not in ("greeting", "literal"):
            assert isinstance(caught.value, ServerBye)
            assert "Server Unavailable. 15" in str(caught.value)
        if act in (fin, rst) or (inside_literal and act in (half_a_line, half_a_literal, bye)):
            assert isinstance(caught.value, ConnectionError)


@pytest.mark.parametrize("act", [*STALLS, trickle, *ENDS], ids=lambda act: act.__name__)
def test_logout_never_fails(act: Act) -> None:
    with ScriptedServer(misbehaving("logout", act), greeting=b"") as server, within(LIMIT + MARGIN):
        drive(server, "logout")


def test_a_proxy_that_goes_dark() -> None:
    with selected() as (_, server), DelayProxy(server.host, server.port, round_trip=0) as proxy:
        client = connect(proxy, timeout=LIMIT)
        client.noop()
        proxy.freeze()
        with within(LIMIT + MARGIN), pytest.raises(CommandTimeout):
            client.noop()
        with within(MARGIN):
            client.logout()
        with within(LIMIT + MARGIN), pytest.raises(imapkit.IMAP4.abort, match="greeting"):
            connect(proxy, timeout=LIMIT)


@pytest.mark.parametrize("reset", [True, False])
def test_a_connection_that_is_cut_is_noticed_with_nothing_going_on(reset: bool) -> None:
    with serving() as server, DelayProxy(server.host, server.port, round_trip=0) as proxy:
        client = connect(proxy)
        proxy.cut(reset=reset)
        client._live._reader.thread.join(20)
        with pytest.raises(ConnectionClosed):
            client.noop()
        client.logout()


def test_no_server_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectError) as caught:
        imapkit.IMAP4("127.0.0.1", port, families=["rev1"])
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value, imapkit.IMAP4.abort)
    assert caught.value.errno


# time-outs


def test_chatter_does_not_extend_a_commands_own_timeout() -> None:
    with selected({"NOOP": lambda conversation, command: trickle(conversation)}) as (client, _):
        began = time.monotonic()
        with pytest.raises(CommandTimeout):
            client.noop(timeout=LIMIT)
        assert LIMIT <= time.monotonic() - began < LIMIT + MARGIN


def test_an_answer_that_comes_as_it_is_found_late_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    tick = Deadlines.tick

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        assert go.wait(10)
        conversation.ok(command)

    def just_then(deadlines: Deadlines) -> None:
        monkeypatch.undo()
        go.set()
        until(lambda: client._live.engine.idle, "no answer")
        tick(deadlines)

    with serving({"X-SLOW": slow}) as server, connect(server) as client, within(LIMIT + MARGIN):
        client.capability()
        monkeypatch.setattr(Deadlines, "tick", just_then)
        # So the reader reads, and not the waiting caller.
        monkeypatch.setattr(client._live.layers.transport, "ready", None)
        assert client.xatom("X-SLOW", timeout=LIMIT)[0] == "OK"
        assert client.noop()[0] == "OK"


def test_a_late_command_with_a_callback_gets_the_timeout() -> None:
    with selected({"NOOP": lambda conversation, command: trickle(conversation)}) as (client, _):
        answers = Answers()
        with within(LIMIT + MARGIN):
            client.noop(callback=answers, cb_arg="x", timeout=LIMIT)
            response, cb_arg, (kind, reason) = answers.next()
        assert (response, cb_arg) == (None, "x")
        assert issubclass(kind, imapkit.IMAP4.abort)
        assert "NOOP" in reason


@contextlib.contextmanager
def behind_a_slow_callback(client: imapkit.IMAP4) -> Iterator[None]:
    """The callback thread is busy with a callback of another command."""
    busy, go = threading.Event(), threading.Event()

    def slow(answer: Any) -> None:
        busy.set()
        go.wait(20)

    client.capability(callback=slow)
    assert busy.wait(10)
    try:
        yield
    finally:
        go.set()


def test_a_command_behind_a_slow_callback_is_noticed_in_time_to_be_late() -> None:
    answers = Answers()
    with selected({"NOOP": lambda conversation, command: conversation.wait_closed()}) as (client, _):
        with behind_a_slow_callback(client), within(LIMIT + MARGIN):
            client.noop(callback=answers, timeout=LIMIT)
            until(lambda: client.Terminate, "the connection goes on")
        assert issubclass(answers.next()[2][0], CommandTimeout)


def test_a_future_behind_a_slow_callback_is_given_up_in_time() -> None:
    """Its own result waits for the callback thread, but the command behind it in the queue does not wait for it."""

    def late(conversation: Conversation, command: ReceivedCommand) -> None:
        assert go.wait(10)
        conversation.ok(command)

    go = threading.Event()
    with selected({"NOOP": late, "SELECT": answer_all}) as (client, server):
        with behind_a_slow_callback(client), within(LIMIT + MARGIN):
            first = client.submit("NOOP")
            queued = client.submit("SELECT", "box", timeout=LIMIT)
            until(lambda: not client._live.engine.queued, "it waits for its turn")
            go.set()
            assert client.noop()[0] == "OK"
        assert isinstance(queued.exception(10), imapkit.DeadlineExceeded)
        assert first.result(10)[0] == "OK"
        assert "SELECT" not in server.names[2:]


def test_a_command_that_gets_on_is_not_late() -> None:
    window = 4 * LIMIT  # a busy machine takes its time between two steps, too

    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        for piece in range(8):
            with contextlib.suppress(ClientSilent):
                conversation.wait_closed(window / 5)
            conversation.send(b"* 1 FETCH (BODY[] {80}\r\n" if not piece else b"x" * 10)
        conversation.ok(command, untagged=b"x" * 10 + b")\r\n")

    with selected({"FETCH": fetch}, timeout=window) as (client, _):
        assert client.fetch("1", "BODY[]") == ("OK", [(b"1 (BODY[] {80}", b"x" * 80), b")"])


def test_time_in_the_queue_counts() -> None:
    with selected({"NOOP": lambda conversation, command: conversation.wait_closed()}) as (client, server):
        answers = Answers()
        client.noop(callback=answers)
        with within(LIMIT + MARGIN), pytest.raises(CommandTimeout, match="waited too long"):
            client.select(timeout=LIMIT)
        assert client.state == "SELECTED", "nothing was sent, so the connection lives on"
        assert server.names.count("SELECT") == 1
        client.shutdown()
        assert answers.next()[2][0] is ConnectionClosed


@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_timeout_must_be_positive(value: float) -> None:
    with serving() as server, pytest.raises(ValueError, match="positive"):
        connect(server, timeout=value)


# every caller is woken


@pytest.mark.parametrize("act", [fin, rst, bye, half_a_line], ids=lambda act: act.__name__)
def test_all_pending_commands_end_with_the_same_reason(act: Act) -> None:
    def script(conversation: Conversation) -> None:
        for _ in range(108):
            conversation.read_command()
        act(conversation)

    raised: list[imapkit.abort] = []
    with ScriptedServer(script, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server:
        client = connect(server)
        answers = Answers()
        for number in range(100):
            client.noop(callback=answers, cb_arg=number)

        def work() -> None:
            with pytest.raises(imapkit.IMAP4.abort) as caught:
                client.noop()
            raised.append(caught.value)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        got = answers.take(100)
        assert sorted(number for _, number, _ in got) == list(range(100))
        assert {answer for answer, _, _ in got} == {None}
        assert len({reason for _, _, (_, reason) in got} | {str(exc) for exc in raised}) == 1
        assert len(set(map(id, raised))) == 8
        client.logout()


def test_commands_that_wait_for_their_turn_are_woken_too() -> None:
    def script(conversation: Conversation) -> None:
        conversation.read_command()
        go.wait(20)
        conversation.close()

    go, results = threading.Event(), []
    with ScriptedServer(script, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server:
        client = connect(server)
        answers = Answers()
        client.noop(callback=answers)

        def work() -> None:
            with pytest.raises(ConnectionClosed):
                client.select()
            results.append(1)

        threads = [threading.Thread(target=work) for _ in range(5)]
        for thread in threads:
            thread.start()
        while client._live.engine.queued < 5:
            assert all(thread.is_alive() for thread in threads)
        go.set()
        for thread in threads:
            thread.join()
        assert len(results) == 5
        assert issubclass(answers.next()[2][0], ConnectionClosed)
        client.logout()


# the way out


def test_logout_twice() -> None:
    with serving() as server:
        client = connect(server)
        assert client.logout() == ("BYE", [b"good day"])
        assert client.logout()[0] == "NO"
        assert server.names == ["LOGOUT"]


def test_logout_from_several_threads() -> None:
    with serving() as server:
        client = connect(server)
        results: list[tuple[str, list[Any]]] = []
        threads = [threading.Thread(target=lambda: results.append(client.logout())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(typ for typ, _ in results) == ["BYE", "NO", "NO", "NO"]
        assert server.names == ["LOGOUT"]


def test_with_logs_out_once() -> None:
    with serving() as server:
        with connect(server) as client:
            client.noop()
        client.__exit__(None, None, None)
        assert server.names == ["NOOP", "LOGOUT"]


def test_exit_does_not_hide_what_happened_in_the_body() -> None:
    def body(client: imapkit.IMAP4) -> None:
        with client:
            with pytest.raises(imapkit.IMAP4.abort):
                client.noop()
            raise ZeroDivisionError

    with serving({"NOOP": lambda conversation, command: conversation.reset()}) as server:
        client = connect(server)
        with pytest.raises(ZeroDivisionError):
            body(client)


def test_shutdown_from_another_thread_wakes_every_caller() -> None:
    received = threading.Event()

    def noop(conversation: Conversation, command: ReceivedCommand) -> None:
        received.set()
        conversation.wait_closed()

    with serving({"NOOP": noop}) as server:
        client = connect(server)

        def close() -> None:
            received.wait(20)
            client.shutdown()

        closer = threading.Thread(target=close)
        closer.start()
        with pytest.raises(ConnectionClosed, match="shut down"):
            client.noop()
        closer.join()
        client.shutdown()
        client.logout()


def test_shutdown_as_the_connection_ends_does_not_close_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that waits for a socket which another thread closes waits for ever."""
    with serving() as server:
        client = connect(server)
        live = client._live
        interrupt = live.layers.transport.interrupt

        def shut_down_first() -> None:
            client.shutdown()
            interrupt()

        monkeypatch.setattr(live.layers.transport, "interrupt", shut_down_first)
        until(lambda: not live._inline._resting, "the reader does not read")
        live.fail(ConnectionClosed("another thread hangs up"))
        live._reader.thread.join(MARGIN)
        assert not live._reader.thread.is_alive()
        assert client.sock.fileno() < 0, "and the reader has closed it"


def test_logout_with_commands_in_flight_waits_for_them() -> None:
    with serving() as server:
        client = connect(server)
        answers = Answers()
        for number in range(20):
            client.noop(callback=answers, cb_arg=number)
        assert client.logout()[0] == "BYE"
        assert [number for _, number, error in answers.take(20) if error is None] == list(range(20))


def test_a_client_that_is_dropped_goes_with_its_threads() -> None:
    with serving() as server:
        client = connect(server)
        answers = Answers()
        client.noop(callback=answers)
        answers.next()
        connection = client._live
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del client
            gc.collect()
        assert [(warning.category, "dropped without logout" in str(warning.message)) for warning in caught] == [
            (ResourceWarning, True)
        ]
        connection._reader.thread.join(20)
        assert not connection._reader.thread.is_alive()
        assert connection.layers.transport.sock.fileno() == -1  # type: ignore[attr-defined]


def test_a_client_that_is_dropped_goes_even_if_that_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """``python -W error``: what ``__del__`` raises is shown, and that is all."""
    raised: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", lambda unraisable: raised.append(unraisable.exc_type))
    with serving() as server:
        client = connect(server)
        reader = client._live._reader.thread
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            del client
            gc.collect()
        reader.join(MARGIN)
        assert not reader.is_alive()
        assert raised == [ResourceWarning]


def test_a_client_that_was_logged_out_is_dropped_in_silence() -> None:
    with serving() as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        client = connect(server)
        client.logout()
        del client
        gc.collect()


# callbacks


def test_callbacks_have_a_thread_of_their_own_and_may_do_anything() -> None:
    with selected() as (client, _):
        done = Answers()
        threads: list[threading.Thread] = []

        def first(answer: tuple[Any, Any, Any]) -> None:
            threads.append(threading.current_thread())
            client.status("box", "(MESSAGES)", callback=done, cb_arg="status")
            done((client.noop(), client.capability()[0], client.response("X")))

        client.noop(callback=first)
        assert done.next() == (("OK", [b"done"]), "OK", ("X", [None]))
        response, cb_arg, error = done.next()
        assert (response, cb_arg) == (None, "status")
        assert issubclass(error[0], BadResponse)
        assert threads[0] is not threading.current_thread()
        assert threads[0] is not client._live._reader.thread


def test_a_callback_that_blocks_delays_no_caller() -> None:
    with selected() as (client, _):
        release, blocked, answers = threading.Event(), threading.Event(), Answers()

        def block(answer: tuple[Any, Any, Any]) -> None:
            blocked.set()
            release.wait(20)
            answers(answer)

        client.noop(callback=block, cb_arg=1)
        blocked.wait(20)
        assert client.noop() == ("OK", [b"done"])
        client.noop(callback=answers, cb_arg=2)
        release.set()
        assert [number for _, number, _ in answers.take(2)] == [1, 2]


@pytest.mark.parametrize("wrong", [ZeroDivisionError, SystemExit, GeneratorExit])
def test_a_callback_that_raises_is_logged_and_the_next_one_runs(
    wrong: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """``sys.exit()`` too, which would end the thread silently: no later callback would be called."""
    with selected() as (client, _):
        answers = Answers()

        def broken(answer: tuple[Any, Any, Any]) -> None:
            raise wrong("my own mistake")

        client.noop(callback=broken)
        client.noop(callback=answers)
        assert answers.next()[0] == ("OK", [b"done"])
        assert client.noop()[0] == "OK"
    assert "my own mistake" in caplog.text


@pytest.mark.parametrize("way", ["logout", "shutdown", "__exit__"])
def test_a_callback_may_end_the_connection(way: str) -> None:
    with serving() as server:
        client = connect(server)
        ended = threading.Event()

        def end(answer: tuple[Any, Any, Any]) -> None:
            getattr(client, way)(*((None, None, None) if way == "__exit__" else ()))
            ended.set()

        client.noop(callback=end)
        assert ended.wait(20)
        client.logout()
        assert client.state == "LOGOUT"


def test_a_callback_that_gets_the_end_may_call_any_method() -> None:
    with serving({"NOOP": lambda conversation, command: conversation.reset()}) as server:
        client = connect(server)
        done = Answers()

        def told(answer: tuple[Any, Any, Any]) -> None:
            with pytest.raises(imapkit.IMAP4.error):
                client.noop()
            done((answer[2][0], client.response("OK"), client.logout()[0]))

        client.noop(callback=told)
        kind, response, typ = done.next()
        assert issubclass(kind, imapkit.IMAP4.abort)
        assert response[0] == "OK"
        assert typ == "NO"
        client.logout()


def test_a_logout_with_a_callback() -> None:
    with serving() as server:
        client = connect(server)
        answers = Answers()
        client.logout(callback=answers, cb_arg=1)
        assert answers.next() == (("BYE", [b"good day"]), 1, None)
        client.logout(callback=answers, cb_arg=2)
        response, cb_arg, error = answers.next()
        assert (response[0], cb_arg, error) == ("NO", 2, None)


def test_bad_arguments_are_raised_at_once_even_with_a_callback() -> None:
    with selected() as (client, _):
        answers = Answers()
        with pytest.raises(imapkit.ArgumentError):
            client.create("a\r\nb", callback=answers)
        with pytest.raises(StateError):
            client.login("me", "again", callback=answers)
        client.noop()
        answers.take(0)


# an interrupted writer


@pytest.fixture
def broken_send() -> Iterator[tuple[imapkit.IMAP4, ScriptedServer]]:
    with selected() as (client, server):
        yield client, server


def test_a_writer_that_is_interrupted_ends_the_connection(
    broken_send: tuple[imapkit.IMAP4, ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = broken_send

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(client._live.layers.transport, "try_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        client.noop()
    monkeypatch.undo()
    with pytest.raises(ConnectionClosed, match="interrupted"):
        client.noop()


@pytest.mark.parametrize("kind", [BrokenPipeError, ConnectionResetError, OSError])
def test_an_oserror_while_sending_is_an_abort(
    broken_send: tuple[imapkit.IMAP4, ScriptedServer], monkeypatch: pytest.MonkeyPatch, kind: type[OSError]
) -> None:
    client, _ = broken_send

    def broken(*_: Any) -> None:
        raise kind(32, "broken")

    # Nothing more comes here, so that it is waited for as long as it may be.
    monkeypatch.setattr("imapkit.core.engine.engine.LAST_WORDS", 0.01)
    monkeypatch.setattr(client._live.layers.transport, "try_write", broken)
    with pytest.raises(imapkit.IMAP4.abort) as caught:
        client.noop()
    assert isinstance(caught.value, OSError)
    assert caught.value.errno == 32
    assert caught.value.args == ("sending: broken",)
    assert str(caught.value) == "sending: broken"
    monkeypatch.undo()
    with pytest.raises(imapkit.IMAP4.abort):
        client.noop()


def test_several_servers_do_not_mix() -> None:
    with serving({"NOOP": answer_all}) as one, serving(capabilities=PLAIN) as other, connect(one) as a, connect(other) as b:
        assert a._live.engine.flight.tag_prefix != b._live.engine.flight.tag_prefix
        assert (a.capabilities, b.capabilities) == (("IMAP4REV1", "LITERAL+"), ("IMAP4REV1",))
