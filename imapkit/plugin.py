"""Everything that a plugin imports, besides ``imapkit.errors``: the parts of a command family, and helpers for it.

A family is one module (or package) that returns a ``Family`` from the hook ``imapkit_family``; imapkit finds it by an entry point
of the group ``imapkit``::

    @hookimpl
    def imapkit_family() -> Family:
        return Family(name="hello", mixin=HelloCommands, commands=(Command("XHELLO", State.LOGGED_IN),))

A family imports nothing else of imapkit. Its mixin derives from ``Commands`` and sends commands with ``self._call``; its
functions are called with a ``Session``, an ``Untagged`` response or a ``Cursor``. The kinds of arguments are here as well.
"""

from __future__ import annotations

from imapkit.core.contract.command import Command, Done
from imapkit.core.contract.commands import Callback, CallbackOptions, CallOptions, Commands, Result
from imapkit.core.contract.enable import Enable, Numbering
from imapkit.core.contract.events import Event, MailboxEvent, Overflow
from imapkit.core.contract.extension import TLS_ORDER, Code, Item, Layer, LayerSpec, Response
from imapkit.core.contract.family import CONTRACT, Family, Specs, hookimpl, hookspec
from imapkit.core.contract.needs import Needs, require
from imapkit.core.contract.option import Chosen, Option, Place
from imapkit.core.contract.points import Quirk, StateStep
from imapkit.core.contract.routes import Explained, Route, Routes, by_route
from imapkit.core.contract.selected import Appended, Copied, SelectedCommands, Which
from imapkit.core.contract.session import Session, State
from imapkit.core.contract.slot import Slot
from imapkit.core.contract.typed import Async, Blocking, Nowait, TypedCommands, command, stream
from imapkit.core.contract.wires import Arrivals, Begin, Flight, Listening, Offload, Reading, Reply, Wire
from imapkit.core.grammar.about import (
    about_mailbox,
    is_about_mailbox,
    mailbox_key,
    may_be_about_mailbox,
    or_another_name,
    same_name,
    string_value,
)
from imapkit.core.grammar.append import message, message_source
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.grammar.encode import as_it_is, no_arguments, parenthesized
from imapkit.core.grammar.exact import date, list_of, nstring, string
from imapkit.core.grammar.flagset import Flags
from imapkit.core.grammar.items import ItemName, Parser, any_value, item_list
from imapkit.core.grammar.keys import Day, Name, SearchKey, SortKey, Text, day, term
from imapkit.core.grammar.kinds import Kind, Operands, optional, verbatim
from imapkit.core.grammar.lists import fetch_items, flags, sequence_set, status_items, store_item
from imapkit.core.grammar.names import list_pattern, mailbox, mailbox_name
from imapkit.core.grammar.roles import Role
from imapkit.core.grammar.search import NO_OPERANDS, message_numbers, needs_charset, numbers_found, search_program, starts_program
from imapkit.core.grammar.strings import astring, atom, encode_text, general, number, program, quoted_string, raw, unquote
from imapkit.core.grammar.text import decode_bytes, decode_parameters, decode_words
from imapkit.core.grammar.tolerant import astring_or_nil, attempt, ended, members, no_data, pass_over, to_the_end
from imapkit.core.grammar.transfer import Decoder, decoder_for
from imapkit.core.grammar.uidsets import UidSet, about_uids, is_about_uids, uid_set
from imapkit.core.grammar.unquoted import is_astring, mailbox_before
from imapkit.core.support.lean import record
from imapkit.core.support.patterns import late_pattern
from imapkit.core.support.secrets import Secret, plain
from imapkit.core.support.shown import shown
from imapkit.core.wire.data import Data, Defect, StatusText
from imapkit.core.wire.dates import date_time, parse_date_time
from imapkit.core.wire.mutf7 import decode as decode_mailbox
from imapkit.core.wire.numbers import NumberSet, sequence_set_text
from imapkit.core.wire.pieces import Literal, MailboxName, OfMailbox, Piece, ServerString, Token
from imapkit.core.wire.quoting import unescape
from imapkit.core.wire.response import ResponseCode, Run, Untagged, response_code
from imapkit.core.wire.sinks import Conduit, Destination, StreamedLiteral, Streams, Writable
from imapkit.core.wire.source import Progress, Readable, Source
from imapkit.core.wire.uidset import UIDSet

__all__ = [
    "CONTRACT",
    "NO_OPERANDS",
    "TLS_ORDER",
    "Appended",
    "Arrivals",
    "Async",
    "Begin",
    "Blocking",
    "CallOptions",
    "Callback",
    "CallbackOptions",
    "Chosen",
    "Code",
    "Command",
    "Commands",
    "Conduit",
    "Copied",
    "Cursor",
    "Data",
    "Day",
    "Decoder",
    "Defect",
    "Destination",
    "Done",
    "Enable",
    "Event",
    "Explained",
    "Family",
    "Flags",
    "Flight",
    "Item",
    "ItemName",
    "Kind",
    "Layer",
    "LayerSpec",
    "Listening",
    "Literal",
    "MailboxEvent",
    "MailboxName",
    "Name",
    "Needs",
    "Nowait",
    "NumberSet",
    "Numbering",
    "OfMailbox",
    "Offload",
    "Operands",
    "Option",
    "Overflow",
    "Parser",
    "Piece",
    "Place",
    "Progress",
    "Quirk",
    "Readable",
    "Reading",
    "Reply",
    "Response",
    "ResponseCode",
    "Result",
    "Role",
    "Route",
    "Routes",
    "Run",
    "SearchKey",
    "Secret",
    "SelectedCommands",
    "ServerString",
    "Session",
    "Slot",
    "SortKey",
    "Source",
    "Specs",
    "State",
    "StateStep",
    "StatusText",
    "StreamedLiteral",
    "Streams",
    "Text",
    "Token",
    "TypedCommands",
    "UIDSet",
    "UidSet",
    "Untagged",
    "Which",
    "Wire",
    "Writable",
    "about_mailbox",
    "about_uids",
    "any_value",
    "as_it_is",
    "astring",
    "astring_or_nil",
    "atom",
    "attempt",
    "by_route",
    "command",
    "date",
    "date_time",
    "day",
    "decode_bytes",
    "decode_mailbox",
    "decode_parameters",
    "decode_words",
    "decoder_for",
    "encode_text",
    "ended",
    "fetch_items",
    "flags",
    "general",
    "hookimpl",
    "hookspec",
    "is_about_mailbox",
    "is_about_uids",
    "is_astring",
    "item_list",
    "late_pattern",
    "list_of",
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
    "nstring",
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
    "require",
    "response_code",
    "same_name",
    "search_program",
    "sequence_set",
    "sequence_set_text",
    "shown",
    "starts_program",
    "status_items",
    "store_item",
    "stream",
    "string",
    "string_value",
    "term",
    "to_the_end",
    "uid_set",
    "unescape",
    "unquote",
    "verbatim",
]
