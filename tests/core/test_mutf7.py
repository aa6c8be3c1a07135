"""Modified UTF-7 mailbox names, RFC 3501 section 5.1.3."""

from __future__ import annotations

import random
import re
import time

import pytest

from imapkit.core.wire.mutf7 import decode, encode, is_canonical, is_valid

CANONICAL = [
    ("", b""),
    ("INBOX", b"INBOX"),
    ("Sent Items", b"Sent Items"),
    ('quo"te\\back(paren)*%{', b'quo"te\\back(paren)*%{'),
    ("".join(map(chr, range(0x20, 0x26))), b' !"#$%'),
    ("~", b"~"),
    ("&", b"&-"),
    ("&&", b"&-&-"),
    ("R&D", b"R&-D"),
    ("&-", b"&--"),
    ("&AOk-", b"&-AOk-"),
    ("caf\xe9", b"caf&AOk-"),
    ("\xe9&\xe9", b"&AOk-&-&AOk-"),
    ("\xe9-\xe9", b"&AOk--&AOk-"),
    ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  # RFC 3501's example
    ("\u263a!", b"&Jjo-!"),  # RFC 3501's example
    ("台北日本語", b"&U,BTF2XlZyyKng-"),  # RFC 3501's example
    ("Entw\xfcrfe", b"Entw&APw-rfe"),
    ("Отправленные", b"&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
    ("a\tb", b"a&AAk-b"),
    ("\x00", b"&AAA-"),
    ("\r\n", b"&AA0ACg-"),
    ("\x7f", b"&AH8-"),
    ("\x80", b"&AIA-"),
    ("\ufeff", b"&,v8-"),
    ("\uffff", b"&,,8-"),
    ("\U0001f600", b"&2D3eAA-"),
    ("\U00010000\U0010ffff", b"&2ADcANv,3,8-"),
]

# bytes, decoded text, valid
NOT_CANONICAL = [
    (b"&AEE-", "&AEE-", True),  # "A" in BASE64
    (b"&ACY-", "&ACY-", True),  # "&" in BASE64
    (b"&AGEA6Q-", "&AGEA6Q-", True),  # "a" beside "\xe9" in BASE64
    (b"&AEkATgBCAE8AWA-", "&AEkATgBCAE8AWA-", True),  # passes for INBOX
    (b"&AOk-&AOk-", "&AOk-&AOk-", True),  # a superfluous shift
    (b"&U,BTFw-&ZeVnLIqe-", "&U,BTFw-&ZeVnLIqe-", True),  # RFC 3501's example of one
    (b"&AEE-/&AOk-", "&AEE-/\xe9", True),
    (b"R&D", "R&D", False),
    (b"A&B", "A&B", False),
    (b"&", "&", False),
    (b"a&", "a&", False),
    (b"&Jjo!", "&Jjo!", False),  # RFC 3501: no shift back
    (b"&AOk", "&AOk", False),
    (b"broken &xx name", "broken &xx name", False),
    (b"&&AOk-", "&\xe9", False),
    (b"R&D/&AOk-", "R&D/\xe9", False),
    (b"&A-", "&A-", False),  # 6 bits
    (b"&AA-", "&AA-", False),  # half a UTF-16 unit
    (b"&AOkA-", "&AOkA-", False),  # a unit and a half
    (b"&AOl-", "&AOl-", False),  # padding bits not zero
    (b"&2D0-", "&2D0-", False),  # a high surrogate alone
    (b"&3gA-", "&3gA-", False),  # a low surrogate alone
    (b"&3gDYPQ-", "&3gDYPQ-", False),  # the pair the wrong way round
    (b"&AOk=-", "&AOk=-", False),
    (b"&U/BTFw-", "&U/BTFw-", False),  # "/" is not in this BASE64
    (b"&AOk-&xx", "\xe9&xx", False),
    (b"a\tb", "a\tb", False),
    (b"a\r\nb", "a\r\nb", False),
    (b"a\x00b", "a\x00b", False),
    (b"a\x7fb", "a\x7fb", False),
    (b"caf\xc3\xa9", "caf\xe9", False),
    (b"caf\xe9", "caf\udce9", False),
    (b"\xf0\x9f\x98\x80 &AOk-", "\U0001f600 \xe9", False),
    (b"\xed\xa0\x80", "\udced\udca0\udc80", False),  # CESU-8
    (b"\xc3&-\xa9", "\udcc3&\udca9", False),
]

INTERESTING = [
    *'&-,+/=AaZz09 "\\%*\t\r\n\x00\x1f\x7f\x80\xe9\xff\u0100\u2028\u4e2d\ud7ff\ue000\ufeff\uffff',
    "\U00010000",
    "\U0001f600",
    "\U0010ffff",
    "&-",
    "&AOk-",
    "&AEE-",
]


def random_name(rng: random.Random) -> str:
    """Half from the characters that matter to the encoding, half from all of Unicode."""
    if rng.random() < 0.5:
        return "".join(rng.choices(INTERESTING, k=rng.randrange(12)))
    codes = (rng.choice((rng.randrange(0xD800), rng.randrange(0xE000, 0x110000))) for _ in range(rng.randrange(12)))
    return "".join(map(chr, codes))


def random_bytes(rng: random.Random) -> bytes:
    """A third each: any bytes, the bytes of the syntax, whole shift sequences good and bad."""
    syntax = [bytes([byte]) for byte in b"&-A2Dg= ,+/\x00\r\n\xc3\xa9\xe9~"]
    pieces = [b"&AOk-", b"&AEE-", b"&-", b"&", b"-", b"A", b"&2D3eAA-", b"&2D0-", b"&AOl-", b"&AAk-", b"\xc3\xa9"]
    alphabet = rng.choice(([bytes([byte]) for byte in range(256)], syntax, pieces))
    return b"".join(rng.choices(alphabet, k=rng.randrange(rng.choice((3, 16)))))


@pytest.mark.parametrize(("name", "raw"), CANONICAL)
def test_canonical_names_go_both_ways(name: str, raw: bytes) -> None:
    assert encode(name) == raw
    assert decode(raw) == name
    assert is_canonical(raw)
    assert is_valid(raw)


@pytest.mark.parametrize(("raw", "text", "valid"), NOT_CANONICAL)
def test_forms_that_encode_never_writes_are_kept(raw: bytes, text: str, valid: bool) -> None:
    assert decode(raw) == text
    assert is_valid(raw) is valid
    assert not is_canonical(raw)


def test_a_control_character_is_always_shifted() -> None:
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029):
        raw = encode(f"a{chr(code)}b")
        assert re.fullmatch(rb"a&[A-Za-z0-9+,]+-b", raw), code
        assert decode(raw) == f"a{chr(code)}b"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("\ud800", "U+D800 at position 0"),
        ("\xe9ab\udfff", "U+DFFF at position 3"),
        ("a\ud83d\ude00", "U+D83D at position 1"),  # a pair spelt as two code points is not the astral character
        ("\U0001f600\udce9", "U+DCE9 at position 1"),
    ],
)
def test_encode_refuses_surrogates_and_says_where(name: str, where: str) -> None:
    with pytest.raises(ValueError, match=re.escape(where)):
        encode(name)


@pytest.mark.heavy
def test_every_character_of_the_bmp_and_samples_beyond_round_trip() -> None:
    codes = [*range(0xD800), *range(0xE000, 0x10000), *range(0x10000, 0x110000, 257)]
    wrong = [
        code for code in codes if decode(encode(chr(code))) != chr(code) or decode(encode(f"A{chr(code)}&"))[1:2] != chr(code)
    ]
    assert wrong == []


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(8))
def test_decode_undoes_encode(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(1500):
        name = random_name(rng)
        raw = encode(name)
        assert decode(raw) == name
        assert re.fullmatch(rb"[ -~]*", raw)
        assert is_canonical(raw)
        assert is_valid(raw)


@pytest.mark.parametrize("seed", range(4))
def test_the_shifts_are_utf_7_as_the_standard_library_reads_it(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(1000):
        name = random_name(rng).translate(dict.fromkeys(map(ord, "&+,/")))  # where the two encodings differ
        assert encode(name).replace(b"&", b"+").replace(b",", b"/").decode("utf-7") == name


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(8))
def test_decode_takes_any_bytes_and_agrees_with_the_predicates(seed: int) -> None:
    rng = random.Random(seed)
    seen = {(False, False): 0, (False, True): 0, (True, True): 0}
    for _ in range(1500):
        raw = random_bytes(rng)
        text = decode(raw)
        seen[is_canonical(raw), is_valid(raw)] += 1
        if is_canonical(raw):
            assert encode(text) == raw
        elif not re.search("[\ud800-\udfff]", text):
            assert encode(text) != raw
    assert min(seen.values()) > 0


@pytest.mark.parametrize("seed", range(4))
def test_mutated_names_never_raise_and_lose_no_literal_byte(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(1000):
        raw = bytearray(encode(random_name(rng)) or b"x")
        raw[rng.randrange(len(raw))] = rng.randrange(256)
        text = decode(bytes(raw))
        if b"&" not in raw:
            assert text.encode("utf-8", "surrogateescape") == raw


def test_names_that_differ_never_look_the_same_unless_one_is_broken() -> None:
    forms = [raw for _, raw in CANONICAL] + [raw for raw, _, valid in NOT_CANONICAL if valid]
    forms.remove(b"&-AOk-")  # the mailbox "&AOk-" does look like the wire form of another; so does any escape character
    assert len({decode(raw) for raw in forms}) == len(forms)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "unit",
    [b"&", b"&A", b"&AOk", b"&AOk-", b"&AEE-", b"&-", b"-&", b"A", b"\xe9", b"&AOk-x", b"\xc3\xa9"],
)
def test_reading_takes_linear_time(unit: bytes) -> None:
    def cost(size: int) -> float:
        raw = b"&" + unit * size
        started = time.process_time()
        decode(raw)
        is_valid(raw)
        is_canonical(raw)
        return time.process_time() - started

    small = min(cost(2_000) for _ in range(3))
    assert min(cost(32_000) for _ in range(3)) < max(small * 80, 0.05)  # 16 times the work; quadratic: 256 times


@pytest.mark.heavy
def test_a_long_shift_without_an_end_takes_linear_time() -> None:
    started = time.perf_counter()
    assert decode(b"&" + b"A" * 1_000_000) == "&" + "A" * 1_000_000
    assert not is_valid(b"&" + b"A" * 1_000_000)
    assert time.perf_counter() - started < 2


@pytest.mark.heavy
def test_writing_takes_linear_time() -> None:
    started = time.perf_counter()
    assert len(encode("\xe9&a" * 200_000)) == len(b"&AOk-&-a") * 200_000
    assert time.perf_counter() - started < 3
