"""What is read from responses: what type checkers say of its values, and what an editor completes, in a ``with`` block too."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import imapkit.client
from imapkit.core.contract.result import parse_shape
from imapkit.core.raw.families import registry
from tests.typing.checking import mypy, pyright, wanted
from tests.typing.editing import edit

pytestmark = pytest.mark.timeout(120)
pytest.importorskip("mypy", reason="mypy is in the extra dev")

PROGRAM = """\
from __future__ import annotations

from typing import Any, assert_type

from imapkit import IMAP4, IMAP4_SSL
from imapkit.plugin import Data
from imapkit import Parsed
from imapkit.ext.acl import Acl, ListRights, MyRights
from imapkit.ext.annotation import Annotation
from imapkit.ext.id import Identity
from imapkit.ext.namespace import Namespaces
from imapkit.ext.quota import Quota, QuotaRoot
from imapkit.ext.rev1 import AppendUid, CopyUid, Envelope, FetchData, MailboxListing, MailboxStatus
from imapkit.ext.sort_thread import Thread
from imapkit_xlist import XlistMailbox

with IMAP4_SSL("localhost") as imap:
    assert_type(imap, IMAP4_SSL)
    typ, data = imap.select("INBOX")
    typ, data = imap.fetch("1:*", "(UID ENVELOPE)")
    assert_type(data, Data)
    for message in data.parsed(FetchData):
        assert_type(message, FetchData)
        assert_type(message.uid, int | None)
        assert_type(message.envelope, Envelope | None)
        message.uidd  # error: attr-defined, reportAttributeAccessIssue
    assert_type(data.parsed(FetchData), Parsed[FetchData])
    assert_type(data.parsed(XlistMailbox), Parsed[XlistMailbox])
    assert_type(imap.list()[1].parsed(MailboxListing)[0].mailbox, str)
    data.parsed("FETCH")  # error: call-overload, reportArgumentType


def by_name(imap: IMAP4, name: str, data: Any) -> None:
    assert_type(imap.parse("FETCH", data), Parsed[FetchData])
    assert_type(imap.parse("LIST", data), Parsed[MailboxListing])
    assert_type(imap.parse("LSUB", data), Parsed[MailboxListing])
    assert_type(imap.parse("STATUS", data), Parsed[MailboxStatus])
    assert_type(imap.parse("SEARCH", data), Parsed[tuple[int, ...]])
    assert_type(imap.parse("SORT", data), Parsed[tuple[int, ...]])
    assert_type(imap.parse("THREAD", data), Parsed[tuple[Thread, ...]])
    assert_type(imap.parse("EXISTS", data), Parsed[int])
    assert_type(imap.parse("UIDVALIDITY", data), Parsed[int])
    assert_type(imap.parse("CAPABILITY", data), Parsed[tuple[str, ...]])
    assert_type(imap.parse("FLAGS", data), Parsed[tuple[bytes, ...]])
    assert_type(imap.parse("APPENDUID", data), Parsed[AppendUid])
    assert_type(imap.parse("COPYUID", data), Parsed[CopyUid])
    assert_type(imap.parse("QUOTA", data), Parsed[Quota])
    assert_type(imap.parse("QUOTAROOT", data), Parsed[QuotaRoot])
    assert_type(imap.parse("ACL", data), Parsed[Acl])
    assert_type(imap.parse("LISTRIGHTS", data), Parsed[ListRights])
    assert_type(imap.parse("MYRIGHTS", data), Parsed[MyRights])
    assert_type(imap.parse("NAMESPACE", data), Parsed[Namespaces])
    assert_type(imap.parse("ANNOTATION", data), Parsed[tuple[Annotation, ...]])
    assert_type(imap.parse("ID", data), Parsed[Identity | None])
    assert_type(imap.parse(name, data), Parsed[Any])
    assert_type(imap.parse(*imap.list()), Parsed[Any])
    [quota] = imap.parse("QUOTA", data)
    quota.limits  # error: attr-defined, reportAttributeAccessIssue
"""
KNOWN = {
    "ACL": b"a b c", "ANNOTATION": b'"INBOX" "/comment" ("value.priv" "x")', "APPENDUID": b"1 2", "CAPABILITY": b"IMAP4rev1",
    "COPYUID": b"1 2 3", "ENABLED": b"X", "EXISTS": b"3", "EXPUNGE": b"3", "ESEARCH": b'(TAG "A1") UID COUNT 3',
    "FETCH": b"1 (UID 2)", "FLAGS": b"(\\Seen)",
    "ID": b'("name" "x")', "LIST": b'() "/" x', "LISTRIGHTS": b"a b c", "LSUB": b'() "/" x', "MYRIGHTS": b"a lrs",
    "NAMESPACE": b"NIL NIL NIL", "PERMANENTFLAGS": b"(\\*)", "QUOTA": b'"" (STORAGE 1 2)', "QUOTAROOT": b"a b", "RECENT": b"3",
    "SEARCH": b"1 2", "SORT": b"1 2", "STATUS": b"x (MESSAGES 1)", "THREAD": b"(2)", "UIDNEXT": b"4", "UIDVALIDITY": b"3",
    "UNSEEN": b"3",
}  # fmt: skip


def test_mypy_strict(tmp_path: Path) -> None:
    assert mypy(PROGRAM, tmp_path)[0] == wanted(PROGRAM, 0)


def test_pyright(tmp_path: Path) -> None:
    assert pyright(PROGRAM, tmp_path)[0] == wanted(PROGRAM, 1)


def overloads() -> dict[str, str]:
    """What type checkers are told that ``parse`` returns, by the name of the response."""
    tree = ast.parse(Path(imapkit.client.__file__).read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "parse" and node.decorator_list and node.returns is not None:
            kind = node.args.args[1].annotation
            if isinstance(kind, ast.Subscript):
                names = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
                found |= {str(ast.literal_eval(name)): ast.unparse(node.returns) for name in names}
    return found


def test_every_response_is_typed() -> None:
    assert set(registry().responses) <= set(overloads())
    assert set(overloads()) == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_a_response_is_what_type_checkers_are_told(name: str) -> None:
    (value,) = parse_shape(name, [KNOWN[name]], registry())
    said = overloads()[name].removeprefix("Parsed[").removesuffix("]")
    if isinstance(value, tuple) and not hasattr(value, "__dataclass_fields__"):
        (member,) = {type(each).__name__ for each in value}
        assert f"tuple[{member}, ...]" == said
    else:
        assert type(value).__name__ in said.split(" | ")


@pytest.mark.parametrize("client", ["IMAP4", "IMAP4_SSL", "IMAP4_stream"])
def test_an_editor_completes_in_a_with_block(client: str) -> None:
    pytest.importorskip("jedi", reason="jedi is in the extra dev")
    block = f'with {client}("h") as imap:\n'
    methods, call, data, message, listing, status, named, envelope = edit(
        f"{block}    imap.",
        f"{block}    imap.append(",
        f'{block}    typ, data = imap.fetch("1", "UID")\n    data.',
        f'{block}    for message in imap.fetch("1", "UID")[1].parsed(FetchData):\n        message.',
        f"{block}    for listing in imap.list()[1].parsed(MailboxListing):\n        listing.",
        f'{block}    for status in imap.status("x", "(UNSEEN)")[1].parsed(MailboxStatus):\n        status.',
        f'{block}    for quota in imap.parse("QUOTA", []):\n        quota.',
        f'{block}    for message in imap.fetch("1", "UID")[1].parsed(FetchData):\n        message.envelope.',
    )
    assert methods.names >= {"login", "select", "fetch", "getquota", "idle", "parse", "capabilities", "state"}
    [(parameters, docstring)] = call.signatures
    assert {"mailbox", "flags", "date_time", "message"} <= parameters
    assert "APPEND" in docstring or "Append" in docstring or "Put" in docstring, docstring
    assert data.names >= {"parsed", "status", "responses"}
    assert message.names >= {"uid", "flags", "envelope", "structure", "number", "body"}
    assert listing.names >= {"name", "mailbox", "attributes", "delimiter"}
    assert status.names >= {"messages", "unseen", "uidnext"}
    assert named.names >= {"root", "resource", "resources"}
    assert envelope.names >= {"raw_subject", "subject", "date", "sender"}
