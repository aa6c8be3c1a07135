"""One command, as a family declares it, and its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Any, Literal, Protocol

from imapkit.core.contract.needs import Needed
from imapkit.core.contract.option import Place
from imapkit.core.contract.session import Session, State
from imapkit.core.grammar.kinds import Kind
from imapkit.core.support.lean import lean_dataclass, warn_renamed
from imapkit.core.wire.pieces import Token
from imapkit.core.wire.response import ResponseCode, Run, Untagged
from imapkit.core.wire.sinks import Streams

__all__ = ["Command", "Done"]


class Done(Protocol):
    """The outcome of a command, as its ``done`` function gets it."""

    @property
    def typ(self) -> str:
        """ "OK", "NO" or "BAD"."""
        ...

    @property
    def text(self) -> bytes:
        """The text behind it, a response code included."""
        ...

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments, as the mixin gave them to ``_call``."""
        ...

    @property
    def untagged(self) -> list[Untagged]:
        """The untagged responses that answer it, as they came."""
        ...

    @property
    def received(self) -> Sequence[Untagged | Run]:
        """The same, as they came: those of one name that follow one another may be one ``Run``."""
        ...

    @property
    def codes(self) -> Sequence[ResponseCode]:
        """The response codes of untagged OK, NO and BAD that belong to its answer (``Command.codes``), as they came."""
        ...

    @property
    def interrupted_by(self) -> str:
        """Why it was ended early: "turn" (another command), "news" or "patience"; "" if it was not."""
        ...


@lean_dataclass(frozen=True, slots=True)
class Command:
    """One command. It does not change.

    ``name`` and ``states``
        as on the wire, in upper case; where it is valid (RFC 3501 section 3).
    ``args``, ``rest``
        the kind of each argument in turn (``imapkit.plugin`` has them: ``mailbox``, ``sequence_set`` ...); each call gives a
        value for every kind. One that is None raises ``ArgumentError``, unless the kind is ``optional(kind)``: then it is left
        out. ``rest`` writes all further arguments together; ``optional(rest)`` gets those that are None, too. Without either,
        every argument is written by the general rule (``imapkit.plugin.general``). Of text between single quotes a kind gets
        what stands between them, as bytes, unless it is ``@verbatim``: for passwords and messages.
    ``words``
        the command (most often itself) to whose arguments other families may add words that may stand here: ``rest`` is called
        as ``rest(args, operands)``, and ``operands["X-GM-RAW"]`` is what follows that word (``Family.operands``).
    ``exclusive``
        waits until no other command is in flight and holds back those after it; for commands that change the state.
    ``uid``
        may be sent as ``UID name`` (RFC 3501 section 6.4.8). If that form takes other arguments, or awaits other responses,
        declare it as a command of its own, named "UID EXPUNGE": ``self._call("EXPUNGE", uids, uid=True)`` then sends that one.
    ``result``
        the untagged responses that are returned to the caller. A call may await others (``Commands._call_with(results=...)``):
        LIST with RETURN (STATUS ...) awaits STATUS, too. In responses of a name that the call alone adds it has no subject:
        ``matches`` is not called, and two calls that await such a name follow one another.
    ``subject``, ``matches``
        two commands that share a name in ``result`` are in flight together only if their answers can be distinguished.
        ``subject(args, uid)`` returns what a command asks about: anything hashable, such as a mailbox name, or a ``NumberSet``.
        ``matches(subject, response)`` returns whether a response answers a command with that subject: True, False, None for
        "perhaps", or a text for "only if it cannot be another command's", which is then noted in ``imap.defects``. A response
        that is perhaps the answer of one command in flight becomes its answer; of several, it becomes no answer. If the subject
        is no ``NumberSet``, there is one answer, and a certain one is preferred to such a response. ``response.once(read)``
        calls a function of the family's once for each response, however many commands in flight ask.
        Without ``subject``, and where it returns None, such commands follow one another; so do two whose subjects are of
        different types, such as a name and a ``NumberSet``: neither family's ``matches`` can read the other's. What ``matches``
        raises reaches the caller of its own command. ``matches_all(subject, run)`` returns whether all responses of a run are
        answers (``run.texts`` ends where a literal begins); after False ``matches`` is called for each. It only saves time.
    ``codes``, ``matches_code``
        the response codes that belong to its answer when the server sends them in an untagged OK, NO or BAD while it is in
        flight, as MOVE's COPYUID (RFC 6851 section 4.3): ``request.codes`` has them. They are kept for ``response(name)``, too.
        Two commands that own one code follow one another, unless ``matches_code(subject, code)`` can tell their codes apart by
        what ``subject`` says: True, False, or None for "perhaps", for a ``ResponseCode``.
    ``reads``
        ``reads(args, uid)``: the resources of the server that a call depends on, by names of the family's choice, such as "$",
        the saved result of a search (RFC 5182). A command that reads a resource is sent after the one before it that changes it
        (``Commands._call_with(writes=("$",))``) has ended, and a command that changes it after those before it that read it.
        All others overlap.
    ``seqnums``, ``expunges``
        ``seqnums``: names message sequence numbers (unless sent with UID). ``expunges``: EXPUNGE responses may come
        while it is in flight, as they may for all but FETCH, STORE and SEARCH, and for every form with ``uid``; a form with UIDs
        that is a command of its own says so itself. VANISHED of RFC 7162 counts as EXPUNGE. A ``seqnums`` command is not sent
        while an ``expunges`` command is in flight (RFC 3501 section 5.5).
    ``secret``
        its arguments never reach a log or an error's text, not even when the server repeats them: those that the mixin wraps
        (``imapkit.plugin.Secret``; the kinds get what is in it), or if it wraps none, all but the first. It is refused
        while TLS was asked for (``starttls``) and is not there.
    ``guard``
        ``guard(session, args)``, on the caller's thread before anything is sent: may raise ``ArgumentError`` for what the program
        must not ask for without ``force=True``, where a method has that.
    ``before``
        ``before(session, args)``, just before it is sent: may raise to refuse. ``done(session, request)``, at the tagged
        response, on the thread that reads: for changes of state only. Neither may block.
    ``interrupt``, ``news``
        ``interrupt``: the line that ends it early (IDLE's ``DONE``): when another command waits, when the call's ``patience``
        is over, or when a response has come of which ``news(response)`` says True.
    ``layer``, ``tail``
        the transport layer that is switched on at its tagged OK, and what becomes of bytes already read by then: "feed"
        gives them to the layer, "reject" ends the connection (STARTTLS: response injection). With "reject" the capabilities and
        untagged responses from before are forgotten.
    ``ends_layers``
        the layers that end at its tagged OK, if they are on: UNAUTHENTICATE ends DEFLATE (RFC 8437 section 3). No byte is sent
        between its own CRLF and the OK, and the bytes behind the OK come without these layers.
    ``ends``
        the session ends with it: BYE is its answer, not a failure.
    ``streams``
        which literal of its answer can go to a file as it comes (``imapkit.plugin.Streams``). Without it ``to=`` raises
        ``ArgumentError``.
    ``needs``
        the capabilities without which it is not sent, a name or ``imapkit.plugin.Needs``: the call raises ``Missing``. A call
        with ``generic=True`` or ``force=True`` is sent all the same.
    ``rules``
        those of other families (``Family.guards``); the registry fills it.
    ``places``
        where other families may add options (``Family.extends``), by the name of the place: ``{"return": Place(word="RETURN")}``.
    """

    name: str
    states: State
    args: tuple[Kind, ...] = ()
    rest: Callable[..., Iterable[Token]] | None = None
    exclusive: bool = False
    uid: bool = False
    result: tuple[str, ...] = ()
    subject: Callable[[tuple[Any, ...], bool], Any] | None = None
    matches: Callable[[Any, Untagged], bool | str | None] | None = None
    matches_all: Callable[[Any, Run], bool] | None = None
    seqnums: bool = False
    expunges: bool = True
    secret: bool = False
    before: Callable[[Session, tuple[Any, ...]], None] | None = None
    done: Callable[[Session, Done], None] | None = None
    interrupt: bytes | None = None
    news: Callable[[Untagged], bool] | None = None
    layer: str | None = None
    tail: Literal["feed", "reject"] = "feed"
    ends: bool = False
    words: str | None = None
    guard: Callable[[Session, tuple[Any, ...]], None] | None = None
    streams: Streams | None = None
    needs: Needed | None = None
    rules: tuple[Callable[[Session, str, tuple[Any, ...], bool], None], ...] = ()
    places: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))
    codes: tuple[str, ...] = ()
    reads: Callable[[tuple[Any, ...], bool], tuple[str, ...]] | None = None
    ends_layers: tuple[str, ...] = ()
    matches_code: Callable[[Any, ResponseCode], bool | None] | None = None
    _RENAMED = (("about", "subject"),)

    @property
    def about(self) -> Callable[[tuple[Any, ...], bool], Any] | None:
        """The old name of ``subject``: deprecated."""
        warn_renamed("Command", "about", "subject")
        return self.subject
