"""No password and no token is ever shown: not by logs, nor errors, nor their tracebacks, whatever a server does with it."""

from __future__ import annotations

import base64
import io
import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import imapkit
from imapkit.core.contract.command import Command
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.core.support.secrets import Hidden, Secret
from imapkit.core.threads.connection import Connection
from imapkit.plugin import astring
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer
from tests.core.rig import Answers, connect
from tests.impatient import shorten

pytestmark = pytest.mark.heavy

CANARY = 'hunter2-"Canary\\7'
TOKEN = "ya29.a0AfB_byC-CanaryToken-7Jk3"
OURS = Path(imapkit.__file__).parent
TESTING = (str(OURS / "testing"), str(Path(__file__).parents[1]))

Way = Callable[[imapkit.IMAP4, Answers], Any]


def in_base64(data: bytes, shift: int) -> bytes:
    """The part that every base64 text with ``data`` behind ``shift`` other bytes has in common."""
    return base64.b64encode(b"x" * shift + data + b"xxx")[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]


def forms(secret: str) -> Iterator[str]:
    data = secret.encode()
    yield from (secret, repr(secret)[1:-1], data.hex(), data.hex().upper(), secret[:8], secret[-8:])
    yield secret.replace("\\", "\\\\").replace('"', '\\"')
    yield from (in_base64(data, shift).decode() for shift in range(3))


FORMS = [*forms(CANARY), *forms(TOKEN), *forms("\u00fc" + CANARY)]


def failing(challenge: bytes) -> bytes:
    raise LookupError("no password at hand")


def login_mechanism() -> Callable[[bytes], str]:
    answers = iter(("me", CANARY))
    return lambda challenge: next(answers)


def oauthbearer(challenge: bytes) -> str:
    return f"n,a=me@example.org,\x01host=imap.example.org\x01port=993\x01auth=Bearer {TOKEN}\x01\x01"


WAYS: dict[str, Way] = {
    "login": lambda client, answers: client.login("me", CANARY),
    "login, bytes": lambda client, answers: client.login(b"me", CANARY.encode()),
    "login, a literal": lambda client, answers: client.login("me", "\u00fc" + CANARY),
    "login, called back": lambda client, answers: client.login("me", CANARY, callback=answers),
    "login, refused": lambda client, answers: client.login("me", CANARY + "\r\n"),
    "login, no text": lambda client, answers: client.login("me", CANARY + "\udc80"),
    "xatom": lambda client, answers: client.xatom("LOGIN", "me", CANARY),
    "uid": lambda client, answers: client.uid("LOGIN", "me", CANARY),
    "PLAIN": lambda client, answers: client.authenticate("PLAIN", lambda challenge: f"\0me\0{CANARY}"),
    "LOGIN": lambda client, answers: client.authenticate("LOGIN", login_mechanism()),
    "XOAUTH2": lambda client, answers: client.authenticate("XOAUTH2", lambda c: f"user=me\x01auth=Bearer {TOKEN}\x01\x01"),
    "OAUTHBEARER": lambda client, answers: client.authenticate("OAUTHBEARER", oauthbearer),
    "CRAM-MD5": lambda client, answers: client.login_cram_md5("me", CANARY),
    "CRAM-MD5, no text": lambda client, answers: client.login_cram_md5("me", CANARY + "\udc80"),
    "PLAIN, no text": lambda client, answers: client.authenticate("PLAIN", lambda challenge: f"\0me\0{CANARY}\udc80"),
    "PLAIN, no bytes": lambda client, answers: client.authenticate("PLAIN", lambda challenge: [CANARY]),  # type: ignore[arg-type, return-value]
    "an authobject that fails": lambda client, answers: client.authenticate("PLAIN", failing),
}


SLOWLY = {"login", "login, a literal", "login, called back", "PLAIN", "XOAUTH2"}
"""Those of them for which there is time to wait for nothing."""


def said(conversation: Conversation, command: ReceivedCommand) -> list[bytes]:
    """All that the client says until it has said its password; in the clear and as it came."""
    lines = [command.raw.strip(), *command.literals]
    if command.name == "AUTHENTICATE":
        for _ in range(2 if b"LOGIN" in command.args else 1):
            conversation.send(b"+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+\r\n" if b"CRAM" in command.args else b"+ \r\n")
            answer = conversation.read_line()
            lines += [answer, base64.b64decode(answer)] if answer != b"*" else []
    return [line.replace(b"\r\n", b" ").replace(b"\0", b" ").replace(b"\x01", b" ") for line in lines]


def echoes(conversation: Conversation, command: ReceivedCommand) -> bytes:
    """What it said, in many forms on one line, so that messages cut it at many places."""
    lines = said(conversation, command)
    data = b" ".join(lines)
    shifted = b" ".join(base64.b64encode(b"x" * shift + data) for shift in range(3))
    return b"%b %b %b %b" % (data, shifted, data.hex().encode(), data)


End = Callable[[Conversation, ReceivedCommand], None]


def ends(end: Callable[[Conversation, ReceivedCommand], Any]) -> End:
    """Read the whole command, then run ``end``, then wait until the client goes."""

    def script(conversation: Conversation, command: ReceivedCommand) -> None:
        said(conversation, command)
        end(conversation, command)

    return script


def tells(form: bytes) -> End:
    """Send back what the client said."""

    def script(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(form.replace(b"TAG", command.tag).replace(b"ECHO", echoes(conversation, command)))

    return script


def drops_in_the_middle(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(b"* 1 FETCH (BODY[] {10}\r\nabc")
    conversation.close()


def tells_half_a_line(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(b"* X " + echoes(conversation, command))
    conversation.close()


def tells_a_stray_line(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(echoes(conversation, command) + b"\r\n")
    conversation.close()


def challenges_with_it(conversation: Conversation, command: ReceivedCommand) -> None:
    told = echoes(conversation, command)
    conversation.send(b"+ %b\r\n" % told)
    if command.name == "AUTHENTICATE":
        assert conversation.read_line() == b"*"
    conversation.no(command, told)


ENDS: dict[str, End] = {
    "OK": ends(lambda conversation, command: conversation.ok(command)),
    "NO": ends(lambda conversation, command: conversation.no(command)),
    "BAD": ends(lambda conversation, command: conversation.bad(command)),
    "BAD at once": lambda conversation, command: conversation.bad(command),
    "BYE": ends(lambda conversation, command: conversation.send(b"* BYE no\r\n")),
    "drop": ends(lambda conversation, command: conversation.close()),
    "drop at once": drops_in_the_middle,
    "reset": ends(lambda conversation, command: conversation.reset()),
    "silence": ends(lambda conversation, command: conversation.wait_closed()),
    "silence at once": lambda conversation, command: conversation.wait_closed(),
    "OK, told": tells(b"* OK ECHO\r\nTAG OK ECHO\r\n"),
    "NO, told": tells(b"* NO ECHO\r\nTAG NO [ALERT] ECHO\r\n"),
    "BAD, told": tells(b"TAG BAD ECHO\r\n"),
    "BYE, told": tells(b"* BYE ECHO\r\n"),
    "a stray line, told": tells_a_stray_line,
    "a tag, told": tells(b"neversent OK ECHO\r\n"),
    "a bad literal, told": tells(b"* X ECHO {-1}\r\n"),
    "half a line, told": tells_half_a_line,
    "a challenge, told": challenges_with_it,
}


def frames(exc: BaseException) -> Iterator[FrameType]:
    """The frames of its traceback, but for those of tests."""
    for frame, _ in traceback.walk_tb(exc.__traceback__):
        if not frame.f_code.co_filename.startswith(TESTING):
            yield frame


def chain(exc: BaseException) -> Iterator[BaseException]:
    """The error, and all that it hangs on, shown in a traceback or not."""
    found = [exc]
    for error in found:
        yield error
        found += [other for other in (error.__cause__, error.__context__) if other is not None and other not in found]


def parts(live: Connection) -> tuple[object, ...]:
    """What one connection is made of."""
    engine = live.engine
    threads = live._steps, live._courier, live._intake, live._reader, live._inline
    return live, *threads, engine, engine.flight, engine.outbound, engine._inbound


def shown(log: str, client: imapkit.IMAP4, errors: Sequence[BaseException]) -> Iterator[str]:
    """Every text that a program or a log may show."""
    yield log
    for part in (client, *parts(client._live)):
        yield f"{part!r} {vars(part)!r}"
    for error in errors:
        yield "".join(traceback.format_exception(error))
        for exc in chain(error):
            yield f"{exc} {exc!r} {exc.args!r} {vars(exc)!r}"
            yield from (f"{frame.f_code.co_qualname}: {frame.f_locals!r}" for frame in frames(exc))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("capabilities", [b"IMAP4rev1 LITERAL+", b"IMAP4rev1"], ids=["LITERAL+", "plain"])
def test_no_secret_is_ever_shown(end: str, capabilities: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    handlers = dict.fromkeys(("LOGIN", "AUTHENTICATE"), ENDS[end])
    late = end.startswith("silence")
    sent = 0
    with ScriptedServer(handlers=handlers, capabilities=capabilities) as server:
        for name, way in WAYS.items():
            if late and name not in SLOWLY:
                continue
            log, errors, answers = io.StringIO(), [], Answers()
            client = connect(server, debug=5, debug_file=log)
            if late:
                shorten(client, 0.05)
            try:
                if way(client, answers) == (None, None):
                    log.write(repr(answers.next()[2]))
            except Exception as exc:
                errors.append(exc)
            client._print_log()
            client.logout()
            for text in shown(log.getvalue() + caplog.text, client, errors):
                found = [form for form in FORMS if form in text]
                # A program that sends a password by another method holds it in the clear.
                assert not found or (name in ("xatom", "uid") and ": {" in text), (name, end, found, text)
            sent += bool(errors)
            caplog.clear()
    assert sent >= 3, "some of them fail always"


def test_a_shown_secret_is_found(caplog: pytest.LogCaptureFixture) -> None:
    """The net has no holes: a password that goes where no secret belongs is found."""
    caplog.set_level(logging.DEBUG)
    with ScriptedServer() as server, connect(server, debug=5, debug_file=io.StringIO()) as client:
        with pytest.raises(imapkit.IMAP4.error) as caught:
            client.xatom("XSHOW", CANARY)
        texts = list(shown(caplog.text, client, [caught.value]))
    assert sum(any(form in text for form in FORMS) for text in texts) >= 5


def test_literals_are_shown_by_their_size(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = io.StringIO()
    accept = {"APPEND": lambda conversation, command: conversation.ok(command)}
    with ScriptedServer(handlers=accept) as server, connect(server, debug=5, debug_file=log) as client:
        client.login("me", "secret")
        assert client.append("INBOX", None, None, f"Subject: x\r\n\r\n{CANARY}".encode())[0] == "OK"
    assert "Canary" not in log.getvalue() + caplog.text
    assert "<Literal of 31 bytes>" in caplog.text


def test_whom_an_administrator_becomes_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = io.StringIO()
    refuse = {"PROXYAUTH": lambda conversation, command: conversation.bad(command, b"not %b" % command.args)}
    with (
        ScriptedServer(handlers=refuse, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server,
        connect(server, debug=5, debug_file=log, families=["rev1", "proxyauth"]) as client,
    ):
        with pytest.raises(imapkit.IMAP4.error) as caught:
            client.proxyauth(CANARY)
        for text in shown(log.getvalue() + caplog.text, client, [caught.value]):
            assert not any(form in text for form in FORMS), text
    assert "PROXYAUTH '***'" in caplog.text


def test_a_secret_cannot_be_looked_at_by_accident() -> None:
    secret = Secret(CANARY)
    assert "Canary" not in f"{secret} {secret!r} {[secret]!r} {(secret,)}"
    with pytest.raises(TypeError, match="pickled"):
        secret.__reduce__()
    assert "Canary" not in repr(Hidden(secret))


def test_a_bad_that_comes_later_is_hidden_too(caplog: pytest.LogCaptureFixture) -> None:
    """It becomes an error, which is shown."""
    caplog.set_level(logging.DEBUG)
    refuse = {"NOOP": lambda conversation, command: conversation.bad(command, f"what is {TOKEN}?".encode())}
    with ScriptedServer(handlers=refuse) as server, connect(server, debug=5, debug_file=io.StringIO()) as client:
        client.login("me", TOKEN)
        with pytest.raises(imapkit.IMAP4.error, match=r"what is \*\*\*\?") as caught:
            client.noop()
        texts = list(shown(caplog.text, client, [caught.value]))
    assert not [form for form in forms(TOKEN) for text in texts if form in text]


def test_names_are_no_secrets() -> None:
    """A refused user wants to read which name was refused."""

    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ \r\n")
        conversation.read_line()
        digest = b"0123456789abcdef" * 2 if command.args == b"CRAM-MD5" else b"hunter2x"
        conversation.no(command, b"user tester: no such password as " + digest)

    ways = {
        "PLAIN": "\0tester\0hunter2x",
        "XOAUTH2": "user=tester\x01auth=Bearer hunter2x\x01\x01",
        "CRAM-MD5": f"tester {'0123456789abcdef' * 2}",
    }
    with ScriptedServer(handlers={"AUTHENTICATE": refuse}) as server:
        for mechanism, response in ways.items():
            with connect(server) as client, pytest.raises(imapkit.errors.NoResponse) as caught:
                client.authenticate(mechanism, lambda challenge, response=response: response)  # type: ignore[misc]
            assert str(caught.value) == "user tester: no such password as ***"


class Interrupting(imapkit.IMAP4):
    """One whose ``send`` is interrupted, or breaks, as a password is on its way."""

    wrong: type[BaseException] | None = None

    def send(self, data: bytes) -> None:
        if self.wrong is not None and b"LOGIN" in bytes(data):
            raise self.wrong("stop")
        super().send(data)

    def read(self, size: int) -> bytes:
        return super().read(size)


@pytest.mark.parametrize("wrong", [KeyboardInterrupt, LookupError, OSError, SystemExit])
def test_no_frame_holds_it_when_sending_is_interrupted(wrong: type[BaseException]) -> None:
    with ScriptedServer() as server:
        client = connect(server, Interrupting)
        assert isinstance(client, Interrupting)
        client.wrong = wrong
        with pytest.raises((wrong, imapkit.IMAP4.abort)) as caught:
            client.login("me", CANARY)
        for text in shown("", client, [caught.value]):
            assert not any(form in text for form in FORMS), text
        client.logout()


@pytest.mark.parametrize("answer", ["ok", "no", "bad"])
def test_a_family_that_wraps_nothing_is_covered_too(answer: str, caplog: pytest.LogCaptureFixture) -> None:
    """All arguments but the first of a secret command are taken for secret."""
    caplog.set_level(logging.DEBUG)
    family = Family("careless", commands=(Command("XENTER", State.ANY, args=(astring, astring), secret=True),))

    def tell(conversation: Conversation, command: ReceivedCommand) -> None:
        getattr(conversation, answer)(command, command.args)

    with ScriptedServer(handlers={"XENTER": tell}) as server, connect(server, families=["rev1", family]) as client:
        try:
            told = repr(client._call("XENTER", "me", CANARY))
        except imapkit.errors.BadResponse as error:
            told = f"{error} {error!r}"
        assert not any(form in told for form in FORMS)
        with pytest.raises(imapkit.ArgumentError) as caught:
            client._call("XENTER", "me", CANARY + "\n")
        assert not any(form in f"{caught.value} {caught.value!r}" for form in FORMS)
    assert not any(form in caplog.text for form in FORMS)
    assert "XENTER '***'" in caplog.text
