"""Modified UTF-7 mailbox names: RFC 3501 section 5.1.3. Pure functions, linear time, no state.

The two directions are not symmetric, on purpose:

- `encode` is strict and canonical: one spelling for every name, and no control character survives in it.
- `decode` takes any bytes: it never raises and drops nothing. A shift sequence is turned into text only if `encode` could
  have written it. Everything else stays readable and literal:

  ========================================================  =========================  =======================
  what the server sent                                      bytes                      decoded
  ========================================================  =========================  =======================
  canonical                                                 ``caf&AOk-``, ``R&-D``     ``café``, ``R&D``
  a broken shift (bare "&", no "-", bad BASE64 or UTF-16)   ``R&D``, ``broken &xx x``  ``R&D``, ``broken &xx x``
  printable US-ASCII in BASE64 (a look-alike)               ``&AEE-``                  ``&AEE-``
  superfluous shifts                                        ``&AOk-&AOk-``             ``&AOk-&AOk-``
  8-bit bytes, if UTF-8                                     ``caf\\xc3\\xa9``            ``café``
  8-bit bytes, if not UTF-8                                 ``caf\\xe9``                ``caf\\udce9`` (PEP 383)
  ========================================================  =========================  =======================

Two laws follow: ``decode(encode(s)) == s`` for every str without surrogates, and ``encode(decode(raw)) == raw``
exactly when ``is_canonical(raw)``. So a name for which `is_canonical` is false must be sent back to the server as the
bytes that came from it: keep those beside the decoded text.
"""

from __future__ import annotations

import binascii

from imapkit.core.support.patterns import late_pattern

__all__ = ["decode", "encode", "is_canonical", "is_valid"]

_SURROGATE = late_pattern("[\ud800-\udfff]")
_NOT_PLAIN = late_pattern(r"&|[^ -~]+")
_SHIFTS = late_pattern(rb"(?:&[A-Za-z0-9+,]++-)++|&-")  # possessive: a run without "-" is read once, never again
_BROKEN = late_pattern(rb"[^ -%'-~]")
_PRINTABLE = late_pattern(r"[ -~]")


def encode(name: str) -> bytes:
    """Return the canonical modified UTF-7 form of a mailbox name (RFC 3501 section 5.1.3).

    Printable US-ASCII represents itself, "&" is ``&-``, each run of anything else (control characters too: CR, LF,
    TAB, NUL, DEL) is one shift sequence, so the result holds only bytes 0x20 to 0x7e. It is not quoted.

    Raises ValueError, naming the position, for a surrogate code point: such a str is not Unicode text (it may come
    from `decode` of bytes that were not UTF-8; send those bytes instead).
    """
    bad = _SURROGATE.search(name)
    if bad:
        raise ValueError(f"mailbox name has a surrogate U+{ord(bad[0]):04X} at position {bad.start()}")
    return _NOT_PLAIN.sub(lambda run: _shift(run[0]), name).encode("ascii")


def decode(raw: bytes) -> str:
    """Return the text of a mailbox name as a server sent it (RFC 3501 section 5.1.3); never raises.

    What `encode` would not have written is kept literally, as the table at the top of this module shows.
    """
    parts: list[str] = []
    end = 0
    for shifts in _SHIFTS.finditer(raw):
        parts.append(raw[end : shifts.start()].decode("utf-8", "surrogateescape"))
        parts.append(_readable(shifts[0]))
        end = shifts.end()
    parts.append(raw[end:].decode("utf-8", "surrogateescape"))
    return "".join(parts)


def is_canonical(raw: bytes) -> bool:
    """Tell whether `raw` is exactly what `encode` writes for some name (RFC 3501 section 5.1.3).

    False for a name that is not valid, for printable US-ASCII in BASE64 (``&AEE-`` is not another "A") and for
    superfluous shifts: the forms that the RFC tells servers to refuse in CREATE, and that can pass for another name.
    """
    try:
        return encode(decode(raw)) == raw
    except ValueError:
        return False


def is_valid(raw: bytes) -> bool:
    """Tell whether `raw` can be read as modified UTF-7 (RFC 3501 section 5.1.3), canonical or not.

    True if every byte is printable US-ASCII and every "&" opens ``&-`` or a complete shift sequence: BASE64 with "-"
    at its end and zero bits as padding, holding whole UTF-16 units with every surrogate paired. So ``R&-D`` and
    ``&AOk-`` are valid, ``R&D`` is not. ``&AEE-`` and ``&AOk-&AOk-`` are valid but not canonical: no client should
    make up such a name, yet where a mailbox has it already, only these very bytes name it.
    """
    if _BROKEN.search(_SHIFTS.sub(b"", raw)):
        return False
    return all(_unshift(shift) is not None for shifts in _SHIFTS.findall(raw) for shift in _split(shifts))


def _shift(run: str) -> str:
    """Encode one run: "&" alone, or characters of which none is printable US-ASCII."""
    return "&-" if run == "&" else f"&{_to_base64(run).decode('ascii')}-"


def _readable(shifts: bytes) -> str:
    """Decode what `_SHIFTS` matched if `encode` could have written it, else keep it literally."""
    if shifts == b"&-":
        return "&"
    text = _unshift(shifts)
    return shifts.decode("ascii") if text is None or _PRINTABLE.search(text) else text


def _split(shifts: bytes) -> list[bytes]:
    """Cut adjacent shift sequences apart."""
    return [shift + b"-" for shift in shifts.split(b"-")[:-1]]


def _unshift(shift: bytes) -> str | None:
    """Decode one shift sequence; None if its BASE64 or its UTF-16 is broken, or if it is not exactly one."""
    base64 = shift[1:-1]
    try:
        text = binascii.a2b_base64(base64.replace(b",", b"/") + b"=" * (-len(base64) % 4)).decode("utf-16-be")
    except ValueError:
        return None
    return text if _to_base64(text) == base64 else None  # not equal: padding bits not zero, or a second sequence


def _to_base64(text: str) -> bytes:
    """Return the modified BASE64 of the text's UTF-16: "," for "/" and no "="."""
    return binascii.b2a_base64(text.encode("utf-16-be"), newline=False).rstrip(b"=").replace(b"/", b",")
