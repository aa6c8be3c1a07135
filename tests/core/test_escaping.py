"""Server text is shown on one line, and no character of it controls a terminal or a log."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from imapkit.core.support.shown import shown


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"try again later", "try again later"),
        ("Grüße, 日本語", "Grüße, 日本語"),
        (r"\Seen and \\", r"\Seen and \\"),
        (b"bye\nINFO: forged", r"bye\nINFO: forged"),
        (b"bye\r\n", r"bye\r\n"),
        (b"\x1b[2J\x9b1m", r"\x1b[2J\x9b1m"),
        ("\x9b1m\x85next", r"\x9b1m\x85next"),
        ("one\u2028two\u2029three", r"one\u2028two\u2029three"),
        ("fdp.\u202eexe\u2066x\u2069", r"fdp.\u202eexe\u2066x\u2069"),
        ("hun\u200bter", r"hun\u200bter"),
        ("\ufefftag \U000e0041", r"\ufefftag \U000e0041"),
        ("a\tb\0c\x7f", r"a\tb\x00c\x7f"),
        ("no\xa0break", r"no\xa0break"),
        (b"caf\xe9", r"caf\xe9"),
        ("lone \udc80", r"lone \udc80"),
    ],
)
def test_unprintable_characters_are_escaped(data: bytes | str, text: str) -> None:
    assert shown(data) == text
    assert shown(text) == text, "escaping twice changes nothing"


def test_every_character_comes_out_printable_and_the_printable_ones_unchanged() -> None:
    for first in range(0, sys.maxunicode + 1, 0x1000):
        chars = [chr(code) for code in range(first, first + 0x1000)]
        assert shown("".join(chars)).isprintable()
        kept = "".join(char for char in chars if unicodedata.category(char)[0] not in "CZ")
        assert shown(kept) == kept
        assert shown(f"{kept}\n") == f"{kept}\\n"


@pytest.mark.parametrize(
    ("data", "most", "text"),
    [
        (b"abcdef", 6, "abcdef"),
        (b"abcdef", 5, "abcde..."),
        (b"abcdef", 1, "a..."),
        ("äöü".encode(), 3, "äöü"),
        ("äöü".encode(), 2, "äö..."),
        ("äöü", 2, "äö..."),
        (b"\n" * 9, 2, r"\n\n..."),
        (b"a" * 1_000_000, 3, "aaa..."),
    ],
)
def test_a_long_text_is_cut(data: bytes | str, most: int, text: str) -> None:
    assert shown(data, most) == text
