"""The narrow interface: all that a family may use of the core.

A family's mixin derives from ``Commands`` and sends with ``self._call``; its functions get a ``Session``, an ``Untagged``
response or a ``Cursor``. The kinds of arguments come from here as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypedDict, Unpack

from imapkit.core.about import (
    about_mailbox,
    is_about_mailbox,
    mailbox_key,
    may_be_about_mailbox,
    or_another_name,
    same_name,
    string_value,
)
from imapkit.core.append import message, message_source
from imapkit.core.channel import Channel
from imapkit.core.cursor import Cursor, Defect
from imapkit.core.dates import date_time, parse_date_time
from imapkit.core.kinds import optional, verbatim
from imapkit.core.lists import fetch_items, flags, sequence_set, status_items, store_item
from imapkit.core.mutf7 import decode as decode_mailbox
from imapkit.core.names import list_pattern, mailbox, mailbox_name
from imapkit.core.numbers import NumberSet, sequence_set_text
from imapkit.core.patterns import late_pattern
from imapkit.core.pieces import Literal, MailboxName, Piece, ServerString, Token
from imapkit.core.quoting import unescape
from imapkit.core.record import OfMailbox, record
from imapkit.core.response import ResponseCode, Run, Untagged, response_code
from imapkit.core.result import Data, StatusText
from imapkit.core.search import (
    NO_OPERANDS,
    message_numbers,
    needs_charset,
    numbers_found,
    search_program,
    starts_program,
)
from imapkit.core.secrets import Secret, plain
from imapkit.core.session import Session
from imapkit.core.shown import shown
from imapkit.core.sinks import StreamedLiteral, Streams, Writable
from imapkit.core.source import Progress, Readable, Source
from imapkit.core.strings import astring, atom, encode_text, general, number, program, quoted_string, raw, unquote
from imapkit.core.tolerant import astring_or_nil, attempt, ended, members, no_data, pass_over, to_the_end
from imapkit.core.unquoted import is_astring, mailbox_before
from imapkit.core.wire import as_it_is, no_arguments, parenthesized
from imapkit.family import Done

__all__ = [
    "NO_OPERANDS",
    "CallOptions",
    "Callback",
    "CallbackOptions",
    "Channel",
    "Commands",
    "Cursor",
    "Data",
    "Defect",
    "Done",
    "Literal",
    "MailboxName",
    "NumberSet",
    "OfMailbox",
    "Piece",
    "Progress",
    "Readable",
    "ResponseCode",
    "Result",
    "Run",
    "Secret",
    "ServerString",
    "Session",
    "Source",
    "StatusText",
    "StreamedLiteral",
    "Streams",
    "Token",
    "Untagged",
    "Writable",
    "about_mailbox",
    "as_it_is",
    "astring",
    "astring_or_nil",
    "atom",
    "attempt",
    "date_time",
    "decode_mailbox",
    "encode_text",
    "ended",
    "fetch_items",
    "flags",
    "general",
    "is_about_mailbox",
    "is_astring",
    "late_pattern",
    "list_pattern",
    "mailbox",
    "mailbox_before",
    "mailbox_key",
    "mailbox_name",
    "may_be_about_mailbox",
    "members",
    "message",
    "message_numbers",
    "message_source",
    "needs_charset",
    "no_arguments",
    "no_data",
    "number",
    "numbers_found",
    "optional",
    "or_another_name",
    "parenthesized",
    "parse_date_time",
    "pass_over",
    "plain",
    "program",
    "quoted_string",
    "raw",
    "record",
    "response_code",
    "same_name",
    "search_program",
    "sequence_set",
    "sequence_set_text",
    "shown",
    "starts_program",
    "status_items",
    "store_item",
    "string_value",
    "to_the_end",
    "unescape",
    "unquote",
    "verbatim",
]

Result = tuple[str, Data]
"""``(type, [data, ...])``: "OK", "NO" or another name, and octets or ``(header, literal)`` tuples,
or ``[None]``; ``data.parsed()`` reads them.

With a callback a command returns ``(None, None)`` as soon as it is sent.
"""

Callback = Callable[[tuple[Any, Any, Any]], object]
"""What is called with ``((type, data), cb_arg, None)``, or with ``(None, cb_arg, (exception class, reason))``."""


class CallbackOptions(TypedDict, total=False):
    """How a result is wanted.

    ``callback``
        called on the callback thread with ``((type, data), cb_arg, None)``, or ``(None, cb_arg, (exception class, reason))``.
    ``cb_arg``
        handed to the callback as it is.
    """

    callback: Callback | None
    cb_arg: Any


class CallOptions(CallbackOptions, total=False):
    """What every command takes beside its arguments.

    ``timeout``
        seconds until the command must have been answered, its waiting for a turn included; else the connection is
        closed and ``abort`` raised.
    """

    timeout: float | None


class Commands:
    """What a family's methods have of the client that they are mixed into."""

    @property
    def _session(self) -> Session:
        """What is known of the session."""
        raise NotImplementedError

    def _call(self, command: str, /, *args: Any, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Send a command and return its result; ``options`` are those that the method's caller gave.

        ``uid``: send it as ``UID NAME``; a command without ``Command.uid`` raises ``TypeError`` for it, as for any other keyword.
        Raises ``ArgumentError``, ``StateError`` (nothing was sent), ``BadResponse`` or ``abort``.
        """
        raise NotImplementedError

    def _call_with(
        self,
        options: CallOptions,
        name: str,
        /,
        *args: Any,
        uid: bool = False,
        finish: Callable[[Done], Result] | None = None,
        reply: Callable[[bytes], bytes | None] | None = None,
        layer: Any = None,
        patience: float | None = None,
        renew: float | None = None,
        generic: bool = False,
        force: bool = False,
        to: Writable | Channel | None = None,
    ) -> Result:
        """Send a command in a special way: ``self._call_with(options, "GETQUOTA", root, finish=self._checked)``.

        The keywords are the family's own. ``options``, what the method's caller gave, cannot hold one of them: another name than
        ``CallOptions`` has raises ``TypeError``. ``finish(request)`` makes the result of what came back (default: ``_result``),
        on the thread of the caller or of the callback, and may raise. ``reply(challenge)`` answers each continuation request;
        None cancels the exchange with "*". ``layer``: options for the layer that the command switches on. ``patience``: seconds
        after which the command is interrupted (``Command.interrupt``); ``renew``: seconds after which it is interrupted and sent
        anew.
        ``generic``: the caller chose the command by its name, and may give arguments of an extension that its kinds do not know:
        these are sent as given. ``force``: whatever ``Command.guard`` says. ``to``: the file, or the channel, that takes the
        literal that ``Command.streams`` names; a ``StreamedLiteral`` stands in its place in the responses.
        """
        raise NotImplementedError

    def _result(self, request: Done, *, names: tuple[str, ...] | None = None) -> Result:
        """The usual result: the data of the command's untagged responses (of ``names`` only), else its text.

        Raises ``BadResponse`` for BAD.
        """
        raise NotImplementedError

    def _deliver(self, result: tuple[str, list[Any]], **options: Unpack[CallOptions]) -> Result:
        """Return a result that needed no command; with a callback, hand it to that."""
        raise NotImplementedError

    def _keep(self, name: str, data: bytes) -> None:
        """Add to the untagged responses that belong to no command: news of the client's own, for ``response(name)``."""
        raise NotImplementedError

    def _take(self, name: str) -> list[Any]:
        """Take the data of the untagged responses and response codes called ``name`` that belong to no command."""
        raise NotImplementedError

    def _take_all(self) -> Iterator[tuple[str, list[Any]]]:
        """Take every untagged response that belongs to no command, in order."""
        raise NotImplementedError

    def _known_capabilities(self) -> tuple[str, ...]:
        """The server's capabilities, asked for if they are not known."""
        raise NotImplementedError

    def _tls_is_on(self) -> bool:
        """Whether TLS protects the connection."""
        raise NotImplementedError

    def _use_tls(self, **settings: Any) -> Callable[[], None]:
        """Check how TLS is to be (``IMAP4_SSL`` has the settings' names), and return what puts it on the connection.

        That is for a layer's factory to call, once the server has agreed: then the settings become the client's own. Raises
        ``ArgumentError``, which for files that cannot be used is an ``OSError``, too.
        """
        raise NotImplementedError

    def _hang_up(self, reason: str) -> None:
        """Close the connection, wake whoever waits, and wait until its threads have ended."""
        raise NotImplementedError
