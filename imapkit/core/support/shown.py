"""Text from a server, made safe to show: in an error, a log line, debug output or on a terminal.

A server, or the author of a mail, may send line ends, terminal control sequences or characters that reorder text. Every such text
goes through ``shown`` before it is split into lines, logged, printed or put into an error.
"""

from __future__ import annotations

__all__ = ["shown"]

_UTF8_WIDTH = 4
"""The most bytes of one UTF-8 character."""


def shown(data: bytes | str, most: int | None = None) -> str:
    r"""``data`` on one line, with every character escaped that is not printable; bytes are read as UTF-8.

    The rule is that of ``str.isprintable`` and ``repr``. It escapes C0 and C1 controls (LF, CR, ESC, U+0085), line and paragraph
    separators (U+2028, U+2029), characters without a width and those that change the direction of text (U+200B, U+202E), all
    spaces but U+0020, lone surrogates, and bytes that are not UTF-8. A backslash stays as it is, so a text that was
    escaped once is not changed by the second call.

    ``most``: the most characters of ``data`` that are shown; "..." stands for the rest.
    """
    if most is None:
        return _escaped(_text(data))
    text = _text(data[: most * _UTF8_WIDTH] if isinstance(data, bytes) else data[: most + 1])
    return _escaped(text[:most]) + ("..." if len(text) > most or len(data) > most * _UTF8_WIDTH else "")


def _text(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
