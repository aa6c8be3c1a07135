"""Families made for these tests, and an engine that is driven by hand, with no socket and no thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imapkit.core.contract.call import Call
from imapkit.core.contract.command import Command, Done
from imapkit.core.contract.commands import Commands
from imapkit.core.contract.extension import Code, Response
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.core.contract.tables import Tables
from imapkit.core.engine.engine import Engine
from imapkit.core.engine.request import Request
from imapkit.core.grammar import append, encode, lists, names, strings
from imapkit.core.plugins.registry import Registry
from imapkit.core.support.limits import Limits
from imapkit.core.wire.assembly import first_word
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.numbers import sequence_set_text
from imapkit.core.wire.response import classify
from imapkit.plugin import NumberSet, Session, Untagged
from imapkit.testing.families import load_only

__all__ = ["Driver", "call", "probe", "probe_registry"]

ANY, LOGGED_IN, SELECTED = State.ANY, State.LOGGED_IN, State.SELECTED


def _about_numbers(args: tuple[Any, ...], uid: bool) -> NumberSet:
    return NumberSet(sequence_set_text(args[0]), uid=uid)


def _matches_number(about: NumberSet, response: Untagged) -> bool | None:
    if about.uid:
        word = response.text.upper().rpartition(b"UID ")[2].strip(b"() ")
        return about.may_hold(int(word)) if word.isdigit() else False
    return about.may_hold(response.number or 0)


def _about_name(args: tuple[Any, ...], uid: bool) -> Any:
    return args[0]


def _matches_name(about: Any, response: Untagged) -> bool:
    return bool(response.text.split()[0] == about.encode())


def _verdict(about: Any, response: Untagged) -> bool | str | None:
    """As the response says itself: "* ABOUT a=else b=yes"; what it does not name is not its subject."""
    words = dict(word.split("=") for word in response.text.decode().split())
    verdicts: dict[str, bool | str | None] = {"yes": True, "perhaps": None, "else": f"{about} and nothing else", "no": False}
    return verdicts[words.get(about, "no")]


def _opened(session: Session, request: Done) -> None:
    if request.typ == "OK":
        session.select(request.args[0], readonly=False)


def _entered(session: Session, request: Done) -> None:
    if request.typ == "OK":
        session.enter(State.AUTH)


def _announced(session: Session, response: Untagged) -> None:
    session.set_capabilities(response.text.decode().split())


def _announced_in_code(session: Session, data: bytes | None) -> None:
    session.set_capabilities((data or b"").decode().split())


def _before_open(session: Session, args: tuple[Any, ...]) -> None:
    session.flush = True


def _raises(*_: Any) -> Any:
    raise LookupError("a plugin's own mistake")


def _tag(response: Untagged) -> bytes | None:
    """``search-correlator = SP "(" "TAG" SP tag-string ")"``, RFC 4466 section 2.6.2."""
    first, _, rest = response.text.partition(b'(TAG "')
    return rest.partition(b'"')[0] if rest and not first else None


COMMANDS = (
    Command(
        "XFETCH",
        SELECTED,
        args=(lists.sequence_set, lists.fetch_items),
        uid=True,
        result=("FETCH",),
        about=_about_numbers,
        matches=_matches_number,
        seqnums=True,
        expunges=False,
    ),
    Command("XSTATUS", LOGGED_IN, args=(names.mailbox,), result=("STATUS",), about=_about_name, matches=_matches_name),
    Command("XABOUT", LOGGED_IN, args=(names.mailbox,), result=("ABOUT",), about=_about_name, matches=_verdict),
    Command("XSEARCH", SELECTED, result=("SEARCH",), seqnums=True, expunges=False),
    Command("XLIST", LOGGED_IN, args=(names.mailbox, names.list_pattern), result=("LIST",)),
    Command("XESEARCH", SELECTED, result=("ESEARCH",), expunges=False),
    Command("XEXPUNGE", SELECTED, result=("EXPUNGE",)),
    Command("XPING", ANY),
    Command("XCAPA", ANY, result=("CAPABILITY",)),
    Command("XOPEN", LOGGED_IN, args=(names.mailbox,), exclusive=True, before=_before_open, done=_opened),
    Command("XENTER", State.NONAUTH, args=(strings.astring, strings.quoted_string), exclusive=True, secret=True, done=_entered),
    Command("XPUT", LOGGED_IN, args=(names.mailbox, append.message)),
    Command("XBYE", ANY, exclusive=True, ends=True),
    Command("XSTAY", LOGGED_IN, exclusive=True, interrupt=b"DONE"),
    Command("XBADDONE", ANY, done=_raises),
    Command("XBADBEFORE", ANY, before=_raises),
    Command("XBADMATCH", ANY, result=("XBAD",), about=lambda args, uid: "x", matches=_raises),
)


class ProbeCommands(Commands):
    """Methods are not what these tests are about: they use ``_call``."""


probe = Family(
    "probe",
    mixin=ProbeCommands,
    commands=COMMANDS,
    responses={
        "CAPABILITY": Response(apply=_announced),
        "XBROKEN": Response(apply=_raises),
        "SEARCH": Response(),
        "ESEARCH": Response(tag=_tag),
    },
    codes={"CAPABILITY": Code(apply=_announced_in_code), "XBROKEN": Code(apply=_raises), "XHERE": Code(boundary=True)},
    events={"EXISTS": lambda value, mailbox: None, "ABOUT": lambda value, mailbox: None, "[XNEWS]": lambda value, mailbox: None},
)
probe_registry: Registry = load_only(probe)


def call(name: str, *args: Any, uid: bool = False, tables: Tables = probe_registry) -> Call:
    """A call as the client makes it."""
    command = tables.commands[name]
    if command.args and not args:
        args = ('""', "*")[: len(command.args)]
    return Call(command, args, encode.encode(command.args, command.rest, args, name), uid=uid)


class Driver:
    """An engine in the state SELECTED (or ``state``), fed by hand; ``now`` is its clock."""

    def __init__(
        self,
        state: State = State.SELECTED,
        *,
        limits: Limits | None = None,
        greet: bool = True,
        capabilities: Iterable[str] = (),
        window: float = 300.0,
        high: int = 1000,
        low: int = 128,
        tables: Tables = probe_registry,
    ) -> None:
        self.now = 0.0
        self.engine = Engine(tables, limits, window=window, high=high, low=low)
        self._framer = Framer(is_tagged=lambda line: self.engine.is_in_flight(first_word(line)))
        if greet:
            self.feed(b"* OK hello\r\n")
            self.engine.store.clear()
            self.engine.delivered()
            self.engine.session.enter(state)
            self.engine.session.set_capabilities(capabilities)

    def submit(self, wanted: Call | str, *args: Any, uid: bool = False, **fields: Any) -> Request:
        """Queue a command; ``fields`` are set on its request before that."""
        request = Request(call(wanted, *args, uid=uid, tables=self.engine.tables) if isinstance(wanted, str) else wanted)
        for name, value in fields.items():
            setattr(request, name, value)
        self.engine.submit(request, self.now)
        return request

    def send(self, wanted: Call | str, *args: Any, uid: bool = False, **fields: Any) -> Request:
        """Submit a command, and send as much of it as the engine gives. Raises what refuses it."""
        request = self.submit(wanted, *args, uid=uid, **fields)
        self.pump()
        if request.defect is not None:
            raise request.defect
        return request

    def take(self) -> bytes | None:
        """The bytes that leave next."""
        while (out := self.engine.outgoing(self.now)) is not None and not out.data:
            # It says which command begins.
            pass
        return None if out is None else out.data

    def pump(self) -> bytes:
        """Send all that the engine gives."""
        return b"".join(iter(self.take, None))

    def feed(self, data: bytes) -> list[Request | None]:
        """Hand responses in, one by one; for each the command whose layer is to be switched on with it."""
        switches: list[Request | None] = []
        self._framer.push(data)
        while (parts := self._framer.pop()) is not None:
            self.engine.receive([classify(parts)], self.now)
            switches.append(self.engine.effects.switch)
        return switches

    def end(self, request: Request, typ: str = "OK", text: str = "done") -> None:
        """The tagged response of ``request``."""
        self.feed(b"%b %b %b\r\n" % (request.tag, typ.encode(), text.encode()))

    def tick(self, now: float) -> None:
        """Let the time be ``now``."""
        self.now = now
        self.engine.tick(now)

    def told(self) -> list[Request]:
        """The commands whose waiters are to be notified, since the last look."""
        done = list(self.engine.effects.done)
        self.engine.delivered()
        return done

    @staticmethod
    def data(request: Request) -> list[Any]:
        """What a request has been given, in imaplib's shape."""
        return [item for response in request.untagged for item in response.data()]
