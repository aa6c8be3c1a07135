"""What a server sent before NO, BAD, a time-out or the end of the connection survives; and NO as an error."""

from __future__ import annotations

import contextlib
import copy
import gc
import pickle
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import imapkit
from imapkit.core.wire.response import Untagged
from imapkit.errors import (
    BadResponse,
    CommandNo,
    CommandTimeout,
    ConnectionClosed,
    LimitExceeded,
    NoResponse,
    ServerBye,
    abort,
)
from imapkit.ext.rev1.fetch import FetchData
from imapkit.testing import (
    Conversation,
    Handler,
    ReceivedCommand,
    answering,
    at_once,
    refusing,
    rejecting,
)
from tests.core.rig import LIMIT, Answers, connect, selected, serving, within

ROWS = b"* 1 FETCH (UID 5 FLAGS (a))\r\n* 3 EXPUNGE\r\n* 2 FETCH (BODY[] {4}\r\nmail)\r\n"
DATA = [b"1 (UID 5 FLAGS (a))", (b"2 (BODY[] {4}", b"mail"), b")"]
GONE = b"[EXPUNGEISSUED] some messages no longer exist"


def then(end: Callable[[Conversation, ReceivedCommand], object], rows: bytes = ROWS) -> Handler:
    """A handler that sends these rows, and then ends the command, or the connection."""

    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(rows)
        end(conversation, command)

    return answer


def no(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.no(command, GONE)


def bad(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.bad(command, b"what?")


def silent(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.wait_closed()


def bye(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(b"* BYE for today\r\n")
    conversation.close()


def end_of_stream(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(b"* 4 FETCH (BODY[] {100}\r\nhalf")
    conversation.close()


def wrong_tag(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(b"nonsense OK done\r\n")
    conversation.wait_closed()


@contextlib.contextmanager
def fetching(end: Callable[[Conversation, ReceivedCommand], object], **options: Any) -> Iterator[imapkit.IMAP4]:
    with within(), selected({"FETCH": then(end)}, **options) as (client, _):
        yield client


def assert_kept_once(client: imapkit.IMAP4) -> None:
    """RFC 2180 section 4.1.2: message numbers have changed, and the program must be able to see that."""
    assert client.response("EXPUNGE") == ("EXPUNGE", [b"3"])
    assert client.response("FETCH") == ("FETCH", DATA)
    assert client.response("FETCH") == ("FETCH", [None])


def assert_whole(read: Any) -> None:
    assert [type(row) for row in read] == [FetchData, FetchData]
    assert [row.number for row in read] == [1, 2]
    assert read[1].body() == b"mail"
    assert read.defects == ()


# NO


def test_rows_before_no_are_in_the_data_and_in_response() -> None:
    with fetching(no) as client:
        typ, data = client.fetch("1:3", "(FLAGS BODY[])")
        assert (typ, list(data)) == ("NO", [GONE])
        assert [response.number for response in data.responses] == [1, 2]
        assert_whole(data.parsed())
        assert_whole(client.parse(typ, data))
        said = data.status()
        assert said is not None
        assert said.code == "EXPUNGEISSUED"
        assert_kept_once(client)
        assert client.noop()[0] == "OK"


def test_a_copy_of_them_has_them_too() -> None:
    with fetching(no) as client:
        data = client.fetch("1:3", "(FLAGS BODY[])")[1]
    for twin in (pickle.loads(pickle.dumps(data)), copy.copy(data), copy.deepcopy(data)):
        assert list(twin) == [GONE]
        assert_whole(twin.parsed())
        with pytest.raises(CommandNo):
            twin.check()


def test_no_without_rows_says_its_text() -> None:
    with selected({"FETCH": refusing(GONE)}) as (client, _):
        data = client.fetch("1", "FLAGS")[1]
        assert data.responses == ()
        [said] = data.parsed()
        assert said.code == "EXPUNGEISSUED"
        assert client.response("FETCH") == ("FETCH", [None])


def test_many_rows_before_no_are_kept_in_their_order() -> None:
    rows = b"".join(b"* %d FETCH (FLAGS (a))\r\n" % number for number in range(1, 200))
    with selected({"FETCH": then(no, rows)}) as (client, _):
        data = client.fetch("1:200", "FLAGS")[1]
        assert [row.number for row in data.parsed()] == list(range(1, 200))
        assert client.response("FETCH")[1] == [b"%d (FLAGS (a))" % number for number in range(1, 200)]


@pytest.mark.parametrize(("end", "typ"), [(no, "NO"), (bad, "BAD")])
def test_expunge_that_is_refused_halfway(end: Any, typ: str) -> None:
    with selected({"EXPUNGE": then(end, b"* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n")}) as (client, _):
        with contextlib.suppress(BadResponse):
            assert client.expunge()[0] == typ
        assert client.response("EXPUNGE") == ("EXPUNGE", [b"3", b"3"])


def test_a_callback_gets_them_with_its_no() -> None:
    with fetching(no) as client:
        answers = Answers()
        client.fetch("1:3", "(FLAGS BODY[])", callback=answers)
        (typ, data), _, error = answers.next()
        assert (typ, error) == ("NO", None)
        assert_whole(data.parsed())
        assert_kept_once(client)


# BAD, and what ends a connection


def test_rows_before_bad_are_on_the_exception_and_in_response() -> None:
    with fetching(bad) as client:
        with pytest.raises(BadResponse) as caught:
            client.fetch("1:3", "(FLAGS BODY[])")
        assert list(caught.value.data) == DATA
        assert_whole(caught.value.data.parsed())
        assert [response.number for response in caught.value.responses] == [1, 2]
        assert caught.value.code is None
        assert_kept_once(client)


ENDS: list[tuple[Any, type[abort]]] = [
    (silent, CommandTimeout),
    (bye, ServerBye),
    (end_of_stream, ConnectionClosed),
    (wrong_tag, imapkit.RemoteProtocolError),
]


@pytest.mark.parametrize(("end", "kind"), ENDS)
def test_rows_before_the_end_are_on_the_exception_and_in_response(end: Any, kind: type[abort]) -> None:
    with fetching(end) as client:
        with pytest.raises(kind) as caught:
            client.fetch("1:3", "(FLAGS BODY[])", timeout=LIMIT if end is silent else None)
        assert list(caught.value.data) == DATA
        assert_whole(caught.value.data.parsed())
        assert_kept_once(client)
        with pytest.raises(abort) as later:
            client.noop()
        assert later.value.data == []
        assert later.value.responses == ()


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_row_that_goes_on_as_the_connection_ends_is_kept_as_far_as_it_came(end: str) -> None:
    read = threading.Event()

    class Reading(imapkit.IMAP4):
        """Sets an event when it has read the BYE."""

        def read(self, size: int) -> bytes:
            data = super().read(size)
            if data.endswith(b"you\r\n"):
                read.set()
            return data

    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b'* 1 FETCH (UID 7 FLAGS (a "b))\r\n* BYE see you\r\n')
        assert read.wait(10), "a reset discards what the client has not read"
        getattr(conversation, end)()

    with selected({"FETCH": answer}, cls=Reading) as (client, _):
        with pytest.raises(ConnectionClosed) as caught:
            client.fetch("1", "(UID FLAGS)")
        assert caught.value.data == [b'1 (UID 7 FLAGS (a "b))\r\n* BYE see you']
        assert client.response("FETCH")[1] == caught.value.data
        assert "a response that does not end before the tagged response" in [defect.what for defect in client.defects]


@pytest.mark.parametrize(("end", "kind"), ENDS)
def test_a_callback_gets_the_reason_and_response_has_the_rows(end: Any, kind: type[abort]) -> None:
    with fetching(end) as client:
        answers = Answers()
        client.fetch("1:3", "(FLAGS BODY[])", callback=answers, timeout=LIMIT if end is silent else None)
        assert answers.next()[2][0] is kind
        assert_kept_once(client)


def test_a_limit_that_is_passed_leaves_what_was_below_it() -> None:
    with fetching(silent, limits=imapkit.Limits(answers=1)) as client:
        with pytest.raises(LimitExceeded) as caught:
            client.fetch("1:3", "(FLAGS BODY[])")
        assert [row.number for row in caught.value.data.parsed()] == [1, 2]


def test_each_caller_gets_its_own_rows_and_no_others() -> None:
    def answer(conversation: Conversation, first: ReceivedCommand) -> None:
        conversation.read_command()
        conversation.send(b"* 1 FETCH (FLAGS (a))\r\n* 2 FETCH (FLAGS (b))\r\n")
        conversation.close()

    def fetch(number: int) -> ConnectionClosed:
        with pytest.raises(ConnectionClosed) as caught:
            client.fetch(number, "FLAGS")
        return caught.value

    with within(), selected({"FETCH": answer}) as (client, _):
        one, other = at_once(lambda: fetch(1), lambda: fetch(2))
        assert (one.data, other.data) == ([b"1 (FLAGS (a))"], [b"2 (FLAGS (b))"])
        assert client.response("FETCH")[1] == [b"1 (FLAGS (a))", b"2 (FLAGS (b))"]


def test_an_exception_with_data_can_be_pickled_and_its_copy_has_none() -> None:
    with fetching(bye) as client, pytest.raises(ServerBye) as caught:
        client.fetch("1:3", "(FLAGS BODY[])")
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (type(twin), str(twin)) == (ServerBye, "for today")
    assert_whole(twin.data.parsed())
    fresh = caught.value.fresh()
    assert fresh.data == [], "a copy is for another command's caller"
    assert list(caught.value.data) == DATA


def test_a_refusal_can_be_pickled() -> None:
    with fetching(bad) as client, pytest.raises(BadResponse) as caught:
        client.fetch("1:3", "(FLAGS BODY[])")
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (twin.typ, twin.text, twin.command) == ("BAD", b"what?", "FETCH")
    assert_whole(twin.data.parsed())


def test_the_bytes_of_a_literal_are_held_once() -> None:
    big = b"x" * 100_000
    with selected({"FETCH": then(no, b"* 2 FETCH (BODY[] {%d}\r\n" % len(big) + big + b")\r\n")}) as (client, _):
        data = client.fetch("2", "BODY[]")[1]
        [response] = data.responses
        kept = client.response("FETCH")[1]
        assert kept[0][1] is response.parts[1]


def test_rows_kept_after_refusals_are_bounded() -> None:
    with fetching(no, limits=imapkit.Limits(stored=5)) as client:
        for _ in range(10):
            client.fetch("1:3", "(FLAGS BODY[])")
        assert sum(len(client.response(name)[1]) for name in ("FETCH", "EXPUNGE", "EXPUNGEISSUED")) <= 8
        assert "dropped" in client.defects[0].what


def test_nothing_that_was_sent_is_in_the_text_or_the_traceback_of_an_error() -> None:
    with fetching(bad) as client:
        with pytest.raises(BadResponse) as caught:
            client.fetch("1:3", "(FLAGS BODY[])")
        assert "mail" not in "".join(traceback.format_exception(caught.value)).replace("imapkit", "")


def test_a_password_that_a_no_or_bad_repeats_is_hidden() -> None:
    for end, kind in ((refusing(b"not hunter2"), CommandNo), (rejecting(b"not hunter2"), BadResponse)):
        with serving({"NOOP": end}) as server, connect(server, strict=True) as client:
            client.login("me", "hunter2")
            with pytest.raises(kind) as caught:
                client.noop()
            assert b"hunter2" not in caught.value.text
            assert "hunter2" not in repr(vars(caught.value)) + str(caught.value)


# NO as an error


def test_check_raises_for_no_and_returns_the_data_else() -> None:
    with selected({"COPY": refusing(b"[TRYCREATE] no such mailbox"), "NOOP": answering()}) as (client, _):
        typ, data = client.noop()
        assert data.check() is data
        typ, data = client.copy("1", "nowhere")
        with pytest.raises(CommandNo, match=r"\ACOPY: NO \[TRYCREATE\] no such mailbox\Z") as caught:
            data.check()
        error = caught.value
        assert (typ, error.typ, error.code, error.text, error.command) == (
            "NO",
            "NO",
            "TRYCREATE",
            b"[TRYCREATE] no such mailbox",
            "COPY",
        )
        assert (error.data, error.responses) == ([], ())
        assert client.response("TRYCREATE")[1][0] is not None
        assert client.response("NO")[1].check() == [None], "what belonged to no command is no refusal"


def test_check_has_the_rows_that_came_before() -> None:
    with fetching(no) as client:
        with pytest.raises(CommandNo) as caught:
            client.fetch("1:3", "(FLAGS BODY[])")[1].check()
        assert caught.value.code == "EXPUNGEISSUED"
        assert list(caught.value.data) == DATA
        assert_whole(caught.value.data.parsed())
        assert all(isinstance(response, Untagged) for response in caught.value.responses)


def test_a_strict_client_raises_for_no() -> None:
    with fetching(no, strict=True) as client:
        with pytest.raises(CommandNo, match="EXPUNGEISSUED") as caught:
            client.fetch("1:3", "(FLAGS BODY[])")
        assert_whole(caught.value.data.parsed())
        assert_kept_once(client)
        assert client.noop()[0] == "OK"


def test_a_strict_callback_gets_it_as_its_error() -> None:
    with selected({"COPY": refusing(b"[TRYCREATE] no")}, strict=True) as (client, _):
        answers = Answers()
        client.copy("1", "nowhere", callback=answers, cb_arg=7)
        assert answers.next() == (None, 7, (CommandNo, "COPY: NO [TRYCREATE] no"))


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda client: client.select("gone"), "SELECT"),
        (lambda client: client.status("gone", "(MESSAGES)"), "STATUS"),
        (lambda client: client.uid("COPY", "1", "gone"), "UID COPY"),
        (lambda client: client.xatom("XHELLO"), "XHELLO"),
        (lambda client: client.recent(), "NOOP"),
        (lambda client: client.getquotaroot("INBOX"), "GETQUOTAROOT"),
    ],
)
def test_a_strict_client_raises_for_every_method(ask: Callable[[imapkit.IMAP4], object], name: str) -> None:
    handlers = {"NOOP": refusing(), "SELECT": refusing(), name: refusing(b"[NOPERM] no")}
    with serving(handlers) as server, connect(server, families=["rev1", "quota"], strict=True) as client:
        client.login("me", "secret")
        client.state = "SELECTED"
        with pytest.raises(CommandNo, match=rf"\A{name}: NO \[NOPERM\] no\Z"):
            ask(client)
        if name == "SELECT":
            assert client.state == "AUTH", "what a NO changes is changed all the same"


def test_logging_in_and_out_are_as_they_were() -> None:
    handlers = {"LOGIN": refusing(b"[AUTHENTICATIONFAILED] no"), "LOGOUT": refusing(b"stay")}
    with serving(handlers) as server, connect(server, strict=True) as client:
        with pytest.raises(NoResponse, match="AUTHENTICATIONFAILED") as caught:
            client.login("me", "secret")
        assert isinstance(caught.value, CommandNo)
        assert caught.value.code == "AUTHENTICATIONFAILED"
        assert client.logout()[0] == "NO"


def test_a_strict_client_asks_a_server_that_announces_no_capabilities() -> None:
    with (
        serving({"CAPABILITY": refusing()}, greeting=b"* OK hi\r\n") as server,
        pytest.raises(imapkit.IMAP4.error, match="not IMAP4 compliant"),
    ):
        connect(server, strict=True)


@pytest.mark.parametrize("strict", [False, True])
def test_an_untagged_no_is_no_answer(strict: bool) -> None:
    with selected({"NOOP": answering(b"* NO disk nearly full\r\n")}, strict=strict) as (client, _):
        assert client.noop() == ("OK", [b"done"])


# the last words of a server


@pytest.mark.parametrize(
    "alert",
    [
        b"* NO [ALERT] quota is full\r\n",
        b"* OK [ALERT] quota is full\r\n",
        b"* NO [ALERT] first\r\n* NO [ALERT] quota is full\r\n",
    ],
)
def test_the_text_of_the_last_alert_is_in_the_error_that_ends_the_connection(alert: bytes) -> None:
    def close(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.close()

    with within(), selected({"FETCH": then(close, alert)}) as (client, _):
        for _ in range(2):
            with pytest.raises(ConnectionClosed, match=r"closed the connection \(the server's last ALERT: quota is full\)\Z"):
                client.fetch("1", "FLAGS")
        assert client.response("ALERT")[1][0] is not None


def test_an_alert_in_the_greeting_and_a_time_out() -> None:
    told = r"no answer in time \(the server's last ALERT: down at noon\)\Z"
    with serving({"NOOP": silent}, greeting=b"* OK [ALERT] down at noon\r\n") as server, connect(server) as client, within():
        with pytest.raises(CommandTimeout, match=told):
            client.noop(timeout=LIMIT)
        assert client.Terminate


def test_an_alert_that_repeats_a_password_is_hidden() -> None:
    with serving({"NOOP": then(bye, b"* NO [ALERT] bad hunter2\r\n")}) as server, connect(server) as client:
        client.login("me", "hunter2")
        with pytest.raises(ServerBye, match=r"\Afor today \(the server's last ALERT: bad \*\*\*\)\Z"):
            client.noop()


def test_an_alert_without_a_text_is_left_out() -> None:
    with selected({"NOOP": then(bye, b"* NO [ALERT]\r\n")}) as (client, _), pytest.raises(ServerBye, match=r"\Afor today\Z"):
        client.noop()


def test_no_alert_is_reported_when_the_program_hangs_up() -> None:
    with selected({"NOOP": answering(b"* NO [ALERT] quota is full\r\n")}) as (client, _):
        client.noop()
        client.logout()
        with pytest.raises(abort) as caught:
            client.noop()
        assert "ALERT" not in str(caught.value)


def test_data_on_an_exception_keeps_no_client_alive() -> None:
    with fetching(bye) as client, pytest.raises(ServerBye) as caught:
        client.fetch("1:3", "(FLAGS BODY[])")
    data = caught.value.data
    assert not any(isinstance(held, imapkit.IMAP4) for held in gc.get_referents(data))
