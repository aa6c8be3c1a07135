"""What type checkers are told of what is read from responses."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import imapkit.client
from imapkit.core.contract.result import parse_shape
from imapkit.core.raw.families import registry

KNOWN = {
    "ACL": b"a b c", "ANNOTATION": b'"INBOX" "/comment" ("value.priv" "x")', "APPENDUID": b"1 2", "CAPABILITY": b"IMAP4rev1",
    "COPYUID": b"1 2 3", "ENABLED": b"X", "EXISTS": b"3", "EXPUNGE": b"3", "ESEARCH": b'(TAG "A1") UID COUNT 3',
    "FETCH": b"1 (UID 2)", "FLAGS": b"(\\Seen)",
    "ID": b'("name" "x")', "LIST": b'() "/" x', "LISTRIGHTS": b"a b c", "LSUB": b'() "/" x', "MYRIGHTS": b"a lrs",
    "NAMESPACE": b"NIL NIL NIL", "PERMANENTFLAGS": b"(\\*)", "QUOTA": b'"" (STORAGE 1 2)', "QUOTAROOT": b"a b", "RECENT": b"3",
    "SEARCH": b"1 2", "SORT": b"1 2", "STATUS": b"x (MESSAGES 1)", "THREAD": b"(2)", "UIDNEXT": b"4", "UIDVALIDITY": b"3",
    "UNSEEN": b"3",
}  # fmt: skip


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
