"""The base family's responses and response codes: RFC 3501 sections 7.1 to 7.4.1, and the codes of RFC 5530.

LIST, LSUB and STATUS are in ``listing.py``, FETCH is in ``fetch.py``.

Every function takes a ``Cursor`` at the text after the response's (or the code's) name, is pure, and raises ``ParseError`` if
it cannot read that. A deviation in a single item becomes a ``Defect`` in ``cursor.defects``.
"""

from __future__ import annotations

from imapkit.plugin import Cursor, ended

__all__ = [
    "badcharset",
    "capability",
    "flags",
    "message_count",
    "message_number",
    "permanentflags",
    "uid_number",
]

# Responses


def capability(cursor: Cursor) -> tuple[str, ...]:
    """``capability-data = "CAPABILITY" *(SP capability) SP "IMAP4rev1" *(SP capability)``, in upper case.

    For the response and for the response code.
    """
    found: list[str] = []
    for word in cursor.rest().decode("utf-8", "backslashreplace").upper().split():
        if word == "+" and found:
            # One server of MailKit issue 1654 sends "LITERAL +" for LITERAL+.
            cursor.tolerate("a capability in two pieces", f"{found[-1]} +".encode())
            found[-1] += "+"
        else:
            found.append(word)
    return tuple(found)


def flags(cursor: Cursor) -> tuple[bytes, ...]:
    """``"FLAGS" SP flag-list``."""
    found = cursor.flag_list()
    ended(cursor)
    return found


def message_count(cursor: Cursor) -> int:
    """``number SP "EXISTS" / number SP "RECENT"``."""
    if cursor.leading is None:
        raise cursor.error("a number before the name")
    return cursor.leading


def message_number(cursor: Cursor) -> int:
    """``message-data = nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att))``; Courier has sent 0, which is noted."""
    number = message_count(cursor)
    if not number:
        cursor.tolerate("message number 0", b"0")
    return number


# Response codes


def badcharset(cursor: Cursor) -> tuple[bytes, ...]:
    """``"BADCHARSET" [SP "(" astring *(SP astring) ")" ]``: the charsets that the server supports, if it names them.

    Missing parentheses, as in the example of RFC 9051 section 6.4.4.4, are noted.
    """
    charsets: list[bytes] = []
    if cursor.at_end():
        return ()
    bare = not cursor.try_(b"(")
    if bare:
        cursor.tolerate("charsets without parentheses", b"")
    while not (cursor.at_end() if bare else cursor.try_(b")")):
        cursor.spaces()
        charsets.append(cursor.astring())
    return tuple(charsets)


def permanentflags(cursor: Cursor) -> tuple[bytes, ...]:
    r"""``"PERMANENTFLAGS" SP "(" [flag-perm *(SP flag-perm)] ")"``, ``flag-perm = flag / "\*"``."""
    return flags(cursor)


def uid_number(cursor: Cursor) -> int:
    """``"UIDNEXT" SP nz-number / "UIDVALIDITY" SP nz-number / "UNSEEN" SP nz-number``."""
    number = cursor.nz_number()
    ended(cursor)
    return number
