"""No frame of imapkit holds a password while an error passes through, nor anything that can be reached from it.

Each way to log in is ended in each way; then all that hangs on the frames of the traceback is looked through.
"""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import pytest

import imapkit
from imapkit.core.contract.call import Call
from imapkit.core.contract.command import Command
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.core.engine.request import Request
from imapkit.core.support.secrets import Secret, plain
from imapkit.core.threads.callers import Callers
from imapkit.plugin import astring
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer
from tests.core.rig import connect
from tests.impatient import shorten
from tests.security.test_secrets import OURS, TESTING, forms, said

CANARY = "hunter2-Canary-7"
FORMS = [form.encode() for form in forms(CANARY)]
_MOST = 200_000


def reachable(roots: list[Any]) -> Iterator[Any]:
    """All that can be reached from objects, but for what every program has: modules, classes and a function's globals."""
    seen: dict[int, Any] = {}
    waiting = list(roots)
    while waiting:
        found = waiting.pop()
        if id(found) in seen or isinstance(found, (ModuleType, type, CodeType, FrameType, Secret, int, float)):
            continue
        assert len(seen) < _MOST, "too much can be reached to look at all of it"
        seen[id(found)] = found
        yield found
        if isinstance(found, FunctionType):
            waiting += [cell.cell_contents for cell in found.__closure__ or () if cell_is_full(cell)]
            waiting += [found.__defaults__, found.__kwdefaults__]
        elif isinstance(found, BaseException):
            # (Whose frames are looked at on their own.)
            waiting += [found.args, vars(found)]
        else:
            waiting += gc.get_referents(found)


def cell_is_full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def frames(exc: BaseException) -> Iterator[FrameType]:
    """The frames of imapkit in all tracebacks of ``exc`` and of what it comes from."""
    chain = [exc]
    for one in chain:
        for frame, _ in traceback.walk_tb(one.__traceback__):
            name = frame.f_code.co_filename
            if name.startswith(str(OURS)) and not name.startswith(TESTING[0]):
                yield frame
        chain += [other for other in (one.__cause__, one.__context__) if other is not None and other not in chain]


def leaks(exc: BaseException) -> list[str]:
    """Where the password is: in a frame of imapkit, by ``repr`` or by reach."""
    found = []
    for frame in frames(exc):
        variables = dict(frame.f_locals)
        for name, value in variables.items():
            if any(form in repr(value).encode() for form in FORMS):
                found.append(f"repr of {name} in {frame.f_code.co_qualname}")
            for thing in reachable([value]):
                text = thing.encode("utf-8", "surrogatepass") if isinstance(thing, str) else thing
                if isinstance(text, (bytes, bytearray, memoryview)) and any(form in bytes(text) for form in FORMS):
                    found.append(f"{thing!r:.60} from {name} in {frame.f_code.co_qualname}")
    return found


class Answering:
    """An authobject whose ``repr`` shows its attributes, as a dataclass does."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.at = 0

    def __call__(self, challenge: bytes) -> Any:
        answer = self.answers[min(self.at, len(self.answers) - 1)]
        self.at += 1
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def __repr__(self) -> str:
        return f"Answering({self.answers!r})"

    def method(self, challenge: bytes) -> Any:
        return self(challenge)


Way = Callable[[Any], Any]
WAYS: dict[str, Way] = {
    "login": lambda client: client.login("me", CANARY),
    "login, bytes": lambda client: client.login(b"me", CANARY.encode()),
    "login, a literal": lambda client: client.login("me", "\u00fc" + CANARY),
    "PLAIN": lambda client: client.authenticate("PLAIN", Answering(f"\0me\0{CANARY}")),
    "PLAIN, a method": lambda client: client.authenticate("PLAIN", Answering(f"\0me\0{CANARY}").method),
    "LOGIN": lambda client: client.authenticate("LOGIN", Answering("me", CANARY)),
    "CRAM-MD5": lambda client: client.login_cram_md5("me", CANARY),
    "a plugin's": lambda client: client._call("XENTER", "me", Secret(CANARY)),
    "an old program's": lambda client: client._simple_command("LOGIN", "me", CANARY),
}
GENERIC: dict[str, Way] = {
    "xatom": lambda client: client.xatom("LOGIN", "me", CANARY),
    "xatom, no user": lambda client: client.xatom("login", None, CANARY),
    "xatom, two lines": lambda client: client.xatom("LOGIN", "me", CANARY + "\r\n"),
    "xatom, too many": lambda client: client.xatom("LOGIN", "me", CANARY, "more"),
    "xatom, AUTHENTICATE": lambda client: client.xatom("AUTHENTICATE", "PLAIN", CANARY),
    "uid": lambda client: client.uid("LOGIN", "me", CANARY),
    "submit": lambda client: client.submit("LOGIN", "me", CANARY).result(),
    "submit, two lines": lambda client: client.submit("LOGIN", "me", CANARY + "\r\n"),
    "submit, too many": lambda client: client.submit("login", "me", CANARY, "more").result(),
}
WRONG: dict[str, Way] = {
    "login, no user": lambda client: client.login(None, CANARY),
    "login, a mapping as user": lambda client: client.login({}, CANARY),
    "login, a user beyond reach": lambda client: client.login("me\r\n", CANARY),
    "login, a user that is no text": lambda client: client.login("\udc80", CANARY),
    "login, a list": lambda client: client.login("me", [CANARY]),
    "login, a mapping": lambda client: client.login("me", {"password": CANARY}),
    "login, two lines": lambda client: client.login("me", CANARY + "\r\n"),
    "login, no text": lambda client: client.login("me", CANARY + "\udc80"),
    "login, an option that is none": lambda client: client.login("me", CANARY, finish=print),
    "login, a time-out that is none": lambda client: client.login("me", CANARY, timeout="soon"),
    "authenticate, no mechanism": lambda client: client.authenticate(None, Answering(CANARY)),
    "authenticate, two mechanisms": lambda client: client.authenticate("A B\r\n", Answering(CANARY)),
    "authenticate, no function": lambda client: client.authenticate("PLAIN", [CANARY]),
    "authenticate, raises": lambda client: client.authenticate("PLAIN", Answering(KeyError("no password at hand"))),
    "authenticate, raises later": lambda client: client.authenticate("LOGIN", Answering(CANARY, KeyError("gone"))),
    "authenticate, answers with a list": lambda client: client.authenticate("PLAIN", Answering([CANARY])),
    "authenticate, answers with no text": lambda client: client.authenticate("PLAIN", Answering(CANARY + "\udc80")),
    "CRAM-MD5, no user": lambda client: client.login_cram_md5(None, CANARY),
    "CRAM-MD5, a list": lambda client: client.login_cram_md5("me", [CANARY]),
    "CRAM-MD5, no text": lambda client: client.login_cram_md5("me", CANARY + "\udc80"),
    "proxyauth, a list": lambda client: client.proxyauth([CANARY]),
    "proxyauth, two lines": lambda client: client.proxyauth(CANARY + "\n"),
}
FAMILY = Family("enter", commands=(Command("XENTER", State.ANY, args=(astring, astring), secret=True),))
FAMILIES: list[Any] = ["rev1", "proxyauth", "starttls", FAMILY]

End = Callable[[Conversation, ReceivedCommand], None]


def heard(end: End) -> End:
    """Read the whole command, then run ``end``."""

    def script(conversation: Conversation, command: ReceivedCommand) -> None:
        said(conversation, command)
        end(conversation, command)

    return script


ENDS: dict[str, End] = {
    "NO": heard(lambda c, command: c.no(command)),
    "BAD": heard(lambda c, command: c.bad(command)),
    "BYE": heard(lambda c, command: c.send(b"* BYE no\r\n")),
    "closed": heard(lambda c, command: c.close()),
    "reset": heard(lambda c, command: c.reset()),
    "silence": heard(lambda c, command: c.wait_closed()),
    "NO at once": lambda c, command: c.no(command),
    "closed at once": lambda c, command: c.close(),
    "reset at once": lambda c, command: c.reset(),
    "silence at once": lambda c, command: c.wait_closed(),
    "garbage": heard(lambda c, command: c.send(b"* X {-1}\r\n")),
}


def caught(way: Way, client: Any) -> BaseException | None:
    try:
        way(client)
    except BaseException as exc:
        return exc
    return None


@pytest.mark.parametrize("capabilities", [b"IMAP4rev1", b"IMAP4rev1 LOGINDISABLED"])
@pytest.mark.parametrize("way", GENERIC)
def test_a_command_that_is_chosen_by_its_name(way: str, capabilities: bytes) -> None:
    handlers = {name: lambda c, command: c.bad(command) for name in ("LOGIN", "UID LOGIN", "AUTHENTICATE")}
    with ScriptedServer(handlers=handlers, capabilities=capabilities) as server:
        client = connect(server)
        exc = caught(GENERIC[way], client)
        client.logout()
    assert exc is not None
    assert {leak.rpartition(" in ")[2] for leak in leaks(exc)} <= {"SessionCommands.xatom", "MessageCommands.uid"}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_a_server_ends_a_login(way: str, end: str) -> None:
    handlers = dict.fromkeys(("LOGIN", "AUTHENTICATE", "XENTER"), ENDS[end])
    with ScriptedServer(handlers=handlers) as server:
        client = connect(server, families=FAMILIES)
        if end.startswith("silence"):
            shorten(client, 0.1)
        exc = caught(WAYS[way], client)
        client.logout()
    assert exc is not None or end.startswith(("NO", "BAD")), "a plugin's command may be refused without an error"
    if exc is not None:
        assert list(frames(exc)), "some frames are ours"
        assert leaks(exc) == []


@pytest.mark.parametrize("way", WRONG)
@pytest.mark.parametrize("capabilities", [b"IMAP4rev1", b"IMAP4rev1 LITERAL+ SASL-IR"])
def test_every_wrong_argument_of_a_login(way: str, capabilities: bytes) -> None:
    greeting = b"* PREAUTH hi\r\n" if way.startswith("proxyauth") else b"* OK hi\r\n"
    handlers = {"AUTHENTICATE": ENDS["NO"]}
    with ScriptedServer(handlers=handlers, greeting=greeting, capabilities=capabilities) as server:
        client = connect(server, families=FAMILIES)
        exc = caught(WRONG[way], client)
        client.logout()
    assert exc is not None
    assert leaks(exc) == []
    assert not any(form in f"{exc} {exc!r}".encode() for form in FORMS)


def before(name: str, client: Any) -> None:
    """Bring the connection into a state in which a login fails before anything is sent."""
    if name == "closed":
        client.logout()
    elif name == "shut down":
        client.shutdown()
    elif name == "STARTTLS failed":
        with pytest.raises(imapkit.IMAP4.error):
            client.starttls()
    elif name == "logged in":
        client.state = "SELECTED"


STATES = ["LOGINDISABLED", "CAPABILITY fails", "CAPABILITY is refused", "closed", "shut down", "STARTTLS failed", "logged in"]


@pytest.mark.parametrize("way", [way for way in WAYS if way != "a plugin's"])
@pytest.mark.parametrize("state", STATES)
def test_every_state_in_which_a_login_fails(way: str, state: str) -> None:
    greeting = b"* OK [CAPABILITY IMAP4rev1%b] hi\r\n" % (b" LOGINDISABLED" if state == "LOGINDISABLED" else b"")
    fails: End = (lambda c, command: c.close()) if state == "CAPABILITY fails" else (lambda c, command: c.bad(command))
    with ScriptedServer(handlers={"AUTHENTICATE": ENDS["NO"], "CAPABILITY": fails}, greeting=greeting) as server:
        client = connect(server, families=FAMILIES)
        before(state, client)
        if state.startswith("CAPABILITY"):
            client._session.forget_capabilities()
        exc = caught(WAYS[way], client)
        client.logout()
    refused = state in ("closed", "shut down", "STARTTLS failed", "logged in") or (
        state in STATES[:3] and way.startswith("login,")
    )
    assert exc is not None or not refused
    assert exc is None or leaks(exc) == []


class Interrupted(imapkit.IMAP4):
    """One whose ``send`` or ``read`` is interrupted, or breaks, while a password is on its way."""

    wrong: BaseException | None = None

    def send(self, data: bytes) -> None:
        if self.wrong is not None and any(form in bytes(data) for form in FORMS):
            try:
                raise BlockingIOError(11, "as in the middle of a write")
            except OSError:
                raise self.wrong  # noqa: B904 (it has the frames of the other as its context)
        super().send(data)

    def read(self, size: int) -> bytes:
        return super().read(size)


@pytest.mark.parametrize("wrong", [KeyboardInterrupt, SystemExit, LookupError, OSError, TimeoutError, imapkit.CommandTimeout])
@pytest.mark.parametrize("way", [way for way in WAYS if way != "CRAM-MD5"])
def test_every_exception_that_interrupts_a_login(way: str, wrong: type[BaseException]) -> None:
    with ScriptedServer() as server:
        client: Any = connect(server, Interrupted, families=FAMILIES)
        client.wrong = wrong("stop")
        exc = caught(WAYS[way], client)
        client.logout()
    assert exc is not None
    assert leaks(exc) == []


@pytest.mark.parametrize(
    "where",
    [
        "core.contract.calls.encode",
        "core.threads.callers.Callers.perform",
        "core.threads.callers.Callers._wait",
        "core.threads.courier.Courier._try",
        "core.engine.engine.Engine.submit",
        "core.engine.outbound.Outbound.next",
    ],
)
@pytest.mark.parametrize("way", ["login", "PLAIN", "a plugin's"])
def test_every_point_at_which_a_login_is_interrupted(where: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    handlers = dict.fromkeys(("LOGIN", "AUTHENTICATE", "XENTER"), ENDS["silence"])
    with ScriptedServer(handlers=handlers) as server:
        client: Any = connect(server, families=FAMILIES)
        with monkeypatch.context() as patch:
            patch.setattr(f"imapkit.{where}", interrupted)
            exc = caught(WAYS[way], client)
        client._hang_up("enough")
    assert isinstance(exc, KeyboardInterrupt)
    assert leaks(exc) == []


def test_the_pieces_of_a_secret_command_are_gone_once_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Call] = []
    perform = Callers.perform

    def note(self: Callers, call: Call, *times: Any) -> Request:
        calls.append(call)
        return perform(self, call, *times)

    monkeypatch.setattr(Callers, "perform", note)
    with ScriptedServer() as server, connect(server, families=FAMILIES) as client:
        calls.clear()
        assert client.login("me", CANARY)[0] == "OK"
        assert repr(calls[0].pieces) == "***"
        assert plain(calls[0].pieces) == []


def test_a_held_password_is_found() -> None:
    """The net has no holes: a password that no secret command sends is found in frames, by name and by reach."""
    with ScriptedServer(handlers={"XSHOW": lambda c, command: c.bad(command)}) as server, connect(server) as client:
        exc = caught(lambda client: client.xatom("XSHOW", CANARY), client)
    assert exc is not None
    found = leaks(exc)
    assert any(where.startswith("repr of args") for where in found)
    assert any("from call" in where for where in found)
    assert Path(OURS).name == "imapkit"
