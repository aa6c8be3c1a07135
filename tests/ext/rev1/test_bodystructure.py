"""Body structures, beyond the vectors: numbers of parts, decoding, depth, types."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from imapkit.errors import ParseError
from imapkit.ext.rev1.body import DEEPEST, DEEPEST_EXTENSION, MOST, body
from imapkit.ext.rev1.bodystructure import BasicPart, BodyStructure, MessagePart, MultiPart, TextPart
from imapkit.ext.rev1.fetch import fetch
from imapkit.plugin import Cursor

TEXT = '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)'
IMAGE = '("IMAGE" "GIF" NIL NIL NIL "BASE64" 4)'
ENVELOPE = f"({' '.join(['NIL'] * 10)})"


def multi(*parts: str, subtype: str = "MIXED") -> str:
    return f'({"".join(parts)} "{subtype}")'


def message(inside: str) -> str:
    return f'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 99 {ENVELOPE} {inside} 9)'


def read(text: str) -> BodyStructure:
    cursor = Cursor((text.encode(),))
    found = body(cursor)
    assert cursor.defects == []
    assert cursor.at_end()
    return found


def numbered(structure: BodyStructure) -> list[tuple[str, str | None]]:
    return [(part.section, part.content_type) for part in structure.walk()]


def test_the_numbers_of_rfc_3501_section_6_4_5() -> None:
    inner = message(multi(TEXT, multi(TEXT, TEXT.replace("PLAIN", "RICHTEXT"), subtype="ALTERNATIVE")))
    found = read(multi(TEXT, IMAGE, message(multi(TEXT, IMAGE)), multi(IMAGE, inner)))
    assert numbered(found) == [
        ("TEXT", "multipart/mixed"),
        ("1", "text/plain"),
        ("2", "image/gif"),
        ("3", "message/rfc822"),
        ("3.TEXT", "multipart/mixed"),
        ("3.1", "text/plain"),
        ("3.2", "image/gif"),
        ("4", "multipart/mixed"),
        ("4.1", "image/gif"),
        ("4.2", "message/rfc822"),
        ("4.2.TEXT", "multipart/mixed"),
        ("4.2.1", "text/plain"),
        ("4.2.2", "multipart/alternative"),
        ("4.2.2.1", "text/plain"),
        ("4.2.2.2", "text/richtext"),
    ]


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        (TEXT, ["1"]),
        (message(TEXT), ["1", "1.1"]),
        (message(message(TEXT)), ["1", "1.1", "1.1.1"]),
        (message(multi(TEXT)), ["1", "1.TEXT", "1.1"]),
        (multi(message(TEXT)), ["TEXT", "1", "1.1"]),
        (multi(multi(TEXT)), ["TEXT", "1", "1.1"]),
        (multi(*[TEXT] * 11), ["TEXT", *map(str, range(1, 12))]),
    ],
)
def test_numbers(text: str, sections: list[str]) -> None:
    assert [part.section for part in read(text).walk()] == sections


def test_the_kinds_of_parts() -> None:
    found = read(multi(TEXT, IMAGE, message(TEXT)))
    assert isinstance(found, MultiPart)
    text, image, inner = found.parts
    assert isinstance(text, TextPart)
    assert (text.lines, text.size, text.charset) == (1, 1, None)
    assert type(image) is BasicPart
    assert (image.type, image.subtype, image.encoding, image.size) == ("image", "gif", "base64", 4)
    assert isinstance(inner, MessagePart)
    assert inner.lines == 9
    assert inner.envelope is not None
    assert inner.inside == (inner.body,)


def test_message_global_is_a_message_if_it_looks_like_one() -> None:
    assert isinstance(read(message(TEXT).replace("RFC822", "GLOBAL")), MessagePart)
    assert type(read('("MESSAGE" "GLOBAL" NIL NIL NIL "8BIT" 99 NIL NIL)')) is BasicPart
    assert type(read('("MESSAGE" "EXTERNAL-BODY" NIL NIL NIL "7BIT" 99)')) is BasicPart


def test_decoded_properties() -> None:
    found = read(
        '("TEXT" "Plain" ("Charset" "UTF-8" "NAME" "=?utf-8?Q?=C3=A9.txt?=") NIL "=?utf-8?Q?=C3=A9?=" "7BIT" 1 1'
        ' NIL ("Attachment" ("FileName*" "utf-8\'\'%C3%A9.txt")))'
    )
    assert isinstance(found, TextPart)
    assert found.content_type == "text/plain"
    assert found.parameters == {"charset": "UTF-8", "name": "\u00e9.txt"}
    assert found.raw_parameters == ((b"Charset", b"UTF-8"), (b"NAME", b"=?utf-8?Q?=C3=A9.txt?="))
    assert found.charset == "utf-8"
    assert found.description == "\u00e9"
    assert found.disposition is not None
    assert (found.disposition.raw_type, found.disposition.type) == (b"Attachment", "attachment")
    assert found.disposition.parameters == {"filename": "\u00e9.txt"}


@pytest.mark.parametrize(
    ("parameters", "disposition", "filename"),
    [
        ("NIL", "NIL", None),
        ('("NAME" "a")', "NIL", "a"),
        ('("NAME" "a")', '("inline" NIL)', "a"),
        ('("NAME" "a")', '("attachment" ("FILENAME" "b"))', "b"),
        ('("NAME" "a")', '("attachment" ("FILENAME" ""))', "a"),
        ('("NAME" "a")', '("attachment" ("FILENAME" " "))', "a"),
        ('("NAME*" "utf-8\'\'a%20b")', '("attachment" ("FILENAME" "=?utf-8?q??="))', "a b"),
        ('("NAME*0" "a." "NAME*1" "pdf")', '("attachment" ("FILENAME*" "utf-8\'\'"))', "a.pdf"),
        ('("NAME" "a")', '("attachment" ("FILENAME*" "utf-8\'\'" "FILENAME" "b"))', "b"),
        ('("NAME" "a")', '("attachment" ("FILENAME" "" "FILENAME" "b"))', "b"),
        ('("NAME" "")', '("attachment" ("FILENAME" ""))', ""),
        ('("NAME" "")', '("attachment" ("FILENAME" "b"))', "b"),
        ('("NAME" "")', "NIL", ""),
        ("NIL", '("attachment" ("FILENAME" ""))', ""),
        ("NIL", '("attachment" ("FILENAME*0" "../" "FILENAME*1" "c"))', "../c"),
    ],
)
def test_filename(parameters: str, disposition: str, filename: str | None) -> None:
    assert read(f'("IMAGE" "GIF" {parameters} NIL NIL "BASE64" 4 NIL {disposition})').filename == filename


def test_the_fields_of_a_part_are_text() -> None:
    found = read('("IMAGE" "GIF" NIL "<1@a>" NIL "BASE64" 4 "Q2hlY2s=" NIL ("en" "DE") "http://a/b")')
    assert isinstance(found, BasicPart)
    assert (found.type, found.subtype, found.encoding, found.id, found.md5) == ("image", "gif", "base64", "<1@a>", "Q2hlY2s=")
    assert (found.language, found.location) == (("en", "DE"), "http://a/b")
    assert (found.raw_type, found.raw_id, found.raw_language) == (b"IMAGE", b"<1@a>", (b"en", b"DE"))


def test_missing_fields_are_none() -> None:
    found = read(IMAGE)
    assert isinstance(found, BasicPart)
    assert (found.disposition, found.filename, found.description, found.md5) == (None, None, None, None)
    assert (found.id, found.location, found.language) == (None, None, ())
    nameless = body(Cursor((b'(NIL NIL NIL NIL NIL "7BIT" 1)',)))
    assert (nameless.content_type, nameless.type, nameless.subtype) == (None, None, None)


@pytest.mark.parametrize("text", ["NIL", '"x"', "5", "()", "", "(", "(()", '("TEXT" '])
def test_values_that_are_no_body_are_refused(text: str) -> None:
    with pytest.raises(ParseError):
        body(Cursor((text.encode(),)))


@pytest.mark.parametrize("nest", [multi, message])
@pytest.mark.parametrize("count", [DEEPEST - 1, DEEPEST, 300])
def test_the_depth_of_parts_is_limited(nest: Callable[[str], str], count: int) -> None:
    outer, inner = nest("\0").split("\0")
    text = (outer * count + TEXT + inner * count).encode()
    one, other = (fetch(Cursor((b"(BODY " + text + b" UID 1)",), 1)) for _ in range(2))
    assert one.structure is not None
    assert sum(1 for _ in one.structure.walk()) == DEEPEST
    # Each of these recurses, and stays within Python's limit.
    assert one.structure == other.structure
    assert hash(one.structure) == hash(other.structure)
    assert repr(one.structure) == repr(other.structure)
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert one.uid == 1
    assert len(one.defects) == (count >= DEEPEST)


@pytest.mark.parametrize("count", [DEEPEST_EXTENSION, DEEPEST_EXTENSION + 1, 900])
def test_extension_data_may_be_deep_but_not_without_end(count: int) -> None:
    deep = "(" * count + "1" + ")" * count
    text = multi("\0").replace("\0", f'("A" "B" NIL NIL NIL "7BIT" 1 NIL NIL NIL NIL {deep} 2)')
    one = fetch(Cursor((f"(BODY {text} UID 1)".encode(),), 1))
    assert one.structure is not None
    assert one.structure.inside[0].extensions[-1] == 2
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert len(one.defects) == (count > DEEPEST_EXTENSION)


def test_parts_may_be_many_but_not_without_end() -> None:
    for count, here in ((MOST - 1, True), (MOST, False)):
        data = fetch(Cursor((f"(BODY {multi(TEXT * count)} UID 1)".encode(),), 1))
        assert (data.structure is not None, data.uid, len(data.defects)) == (here, 1, not here)


def test_parentheses_without_end_are_one_defect() -> None:
    data = fetch(Cursor((b"(UID 1 BODYSTRUCTURE " + b"(" * 100_000 + b" FLAGS ())",), 1))
    assert data.items == {"UID": 1}
    assert data.defects[0].what.startswith("FETCH BODYSTRUCTURE: expected at most 1000 open parentheses")


def test_defects_do_not_repeat_what_is_inside_of_them() -> None:
    text = multi(*[multi(*["()"] * 50)] * 50).encode()
    cursor = Cursor((text,))
    assert sum(1 for _ in body(cursor).walk()) == 1 + 50 + 2500
    assert sum(len(defect.raw) for defect in cursor.defects) < 3 * len(text)


def test_structures_are_values() -> None:
    text = multi(message(TEXT), '("A" "B" ("c" "d") NIL NIL "7BIT" 1 NIL ("x" NIL) NIL NIL ("e" (5 NIL)))')
    one, other = read(text), read(text)
    assert one == other
    assert len({one, other}) == 1
    assert one != read(TEXT)
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert not hasattr(one, "__dict__")


# what to read, and what to offer as a file


def single(kind: str, subtype: str, ident: str = "NIL", shown: str = "NIL", name: str = "NIL") -> str:
    parameters = "NIL" if name == "NIL" else f'("NAME" "{name}")'
    lines = " 1" if kind == "TEXT" else ""
    return f'("{kind}" "{subtype}" {parameters} {ident} NIL "7BIT" 1{lines} NIL {shown} NIL NIL)'


PLAIN, HTML = single("TEXT", "PLAIN"), single("TEXT", "HTML")
ATTACHED, INLINE = '("ATTACHMENT" ("FILENAME" "a.txt"))', '("INLINE" NIL)'


def sections(*parts: BodyStructure | None) -> list[str]:
    return [part.section for part in parts if part is not None]


@pytest.mark.parametrize(
    ("structure", "text", "html", "attachments"),
    [
        (PLAIN, ["1"], [], []),
        (HTML, [], ["1"], []),
        (multi(PLAIN, HTML, subtype="ALTERNATIVE"), ["1"], ["2"], []),
        (multi(multi(PLAIN, HTML, subtype="ALTERNATIVE"), single("IMAGE", "PNG")), ["1.1"], ["1.2"], ["2"]),
        (multi(single("TEXT", "PLAIN", shown=ATTACHED), PLAIN), ["2"], [], ["1"]),
        (multi(PLAIN, single("TEXT", "PLAIN", name="notes.txt")), ["1"], [], ["2"]),
        (multi(HTML, single("IMAGE", "PNG", '"<1@x>"', INLINE, "logo.png"), subtype="RELATED"), [], ["1"], []),
        (multi(HTML, single("IMAGE", "PNG", '"<1@x>"', ATTACHED), subtype="RELATED"), [], ["1"], ["2"]),
        (multi(PLAIN, single("APPLICATION", "PDF", '"<1@x>"', INLINE, "a.pdf")), ["1"], [], ["2"]),
        (multi(PLAIN, single("IMAGE", "PNG", shown=INLINE)), ["1"], [], []),
        (multi(PLAIN, message(multi(HTML, IMAGE))), ["1"], [], ["2"]),
        (message(PLAIN), [], [], ["1"]),
    ],
)
def test_text_html_and_attachments(structure: str, text: list[str], html: list[str], attachments: list[str]) -> None:
    found = read(structure)
    assert sections(found.text) == text
    assert sections(found.html) == html
    assert sections(*found.attachments) == attachments
