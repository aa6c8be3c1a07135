"""``FetchData.body()`` finds a section in every spelling that servers use."""

from __future__ import annotations

import pytest

from imapkit.ext.rev1.fetch import FetchData, fetch
from imapkit.plugin import Cursor

ASKED = "HEADER.FIELDS (SUBJECT FROM)"


def fetched(item: bytes) -> FetchData:
    cursor = Cursor((b'(UID 1 %b "x")' % item,), 1)
    found = fetch(cursor)
    assert not cursor.defects
    return found


@pytest.mark.parametrize(
    "item",
    [
        b"BODY[HEADER.FIELDS (SUBJECT FROM)]",
        b"BODY[HEADER.FIELDS (FROM SUBJECT)]",
        b"body[header.fields (from subject)]",
        b"BODY[HEADER.FIELDS (From  Subject)]",
        b"BODY[HEADER.FIELDS ( From Subject )]",
        b"BODY[HEADER.FIELDS  (From Subject)]",
        b"BODY[HEADER.FIELDS(From Subject)]",
        b"BODY[HEADER.FIELDS (From Subject) ]",
        b"BODY[ HEADER.FIELDS (From Subject)]",
        b'BODY[HEADER.FIELDS ("From" "Subject")]',
        b'BODY[HEADER.FIELDS ("From" Subject) ]',
        b"BODY[HEADER.FIELDS (From Subject From)]",
        b"BODY[HEADER.FIELDS (From Subject)]<0>",
    ],
)
def test_names_of_header_fields_are_a_set(item: bytes) -> None:
    found = fetched(item)
    for asked in (ASKED, "header.fields (from subject)", 'HEADER.FIELDS ("Subject" FROM)', "HEADER.FIELDS (FROM SUBJECT FROM)"):
        assert found.body(asked) == b"x"
    for other in (
        "HEADER.FIELDS (SUBJECT)",
        "HEADER.FIELDS (SUBJECT FROM TO)",
        "HEADER.FIELDS.NOT (SUBJECT FROM)",
        f"1.{ASKED}",
        "HEADER",
        "",
    ):
        assert found.body(other) is None


@pytest.mark.parametrize(
    ("item", "section"),
    [
        (b"BODY[HEADER.FIELDS.NOT (b a)]", "HEADER.FIELDS.NOT (A B)"),
        (b"BODY[1.2.HEADER.FIELDS (b a)]", "1.2.header.fields (A B)"),
        (b"BODY[1.2.HEADER.FIELDS.NOT (b a)]<12>", "1.2.HEADER.FIELDS.NOT (A B)"),
        (b'BODY[HEADER.FIELDS ("x y" a)]', 'HEADER.FIELDS (A "X Y")'),
        (b'BODY[HEADER.FIELDS ("a\\"b" c)]', 'HEADER.FIELDS (C "A\\"B")'),
        (b"BODY[HEADER.FIELDS ()]", "HEADER.FIELDS ()"),
        (b"BODY[HEADER ]", "HEADER"),
        (b"BODY[1.MIME]", "1.mime"),
    ],
)
def test_parts_and_exceptions(item: bytes, section: str) -> None:
    assert fetched(item).body(section) == b"x"


def test_the_whole_section_is_preferred_to_a_partial_one() -> None:
    text = b'(BODY[HEADER.FIELDS (A B)]<0> "part" BODY[HEADER.FIELDS (B A)] "whole")'
    assert fetch(Cursor((text,), 1)).body("HEADER.FIELDS (A B)") == b"whole"


def test_a_nil_section_is_none() -> None:
    assert fetch(Cursor((b"(BODY[HEADER.FIELDS (A B)] NIL)",), 1)).body("HEADER.FIELDS (B A)") is None


def test_an_old_name_is_preferred_to_a_partial_section() -> None:
    found = fetch(Cursor((b'(BODY[HEADER]<0> "part" RFC822.HEADER "whole")',), 1))
    assert (found.body("HEADER"), found.body("TEXT")) == (b"whole", None)
