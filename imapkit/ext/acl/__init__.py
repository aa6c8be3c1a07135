"""The family ``acl``: users' rights on mailboxes, RFC 4314 and its predecessor RFC 2086."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Unpack

from imapkit.errors import ArgumentError, ParseError
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Cursor,
    Defect,
    Family,
    MailboxName,
    OfMailbox,
    Response,
    Result,
    ServerString,
    State,
    Token,
    Untagged,
    about_mailbox,
    astring,
    hookimpl,
    is_about_mailbox,
    is_astring,
    late_pattern,
    mailbox,
    mailbox_before,
    mailbox_key,
    may_be_about_mailbox,
    or_another_name,
    record,
    same_name,
    string_value,
    to_the_end,
)

__all__ = ["Acl", "AclCommands", "ListRights", "MyRights", "Rights", "imapkit_family"]

Name = str | bytes


class AclCommands(Commands):
    """Commands of ACL: RFC 4314 section 3.

    A *right* is a letter: l lookup, r read, s keep seen, w write flags, i insert, p post, k create mailboxes, x delete the
    mailbox, t delete messages, e expunge, a administer; digits and "n" (Cyrus: annotate) are the server's own. ``who`` is a
    user's name, "anyone", or another identifier of the server; one that begins with "-" takes rights away.
    """

    def deleteacl(self, mailbox: Name, who: Name, **options: Unpack[CallOptions]) -> Result:
        """Remove the entry of ``who`` from the access control list of a mailbox; RFC 4314 section 3.2.

        Capability: ACL; states: authenticated, selected; right: a. The data is the text of the tagged response; without the right
        that is NO. Raises ``BadResponse`` if the server does not support the command.
        """
        return self._call("DELETEACL", mailbox, who, **options)

    def getacl(self, mailbox: Name, **options: Unpack[CallOptions]) -> Result:
        """Ask for the access control list of a mailbox; RFC 4314 section 3.3.

        Capability: ACL; states: authenticated, selected; right: a. The data are the ACL responses, ``data.parsed()`` a list of
        ``Acl``.
        """
        return self._call("GETACL", mailbox, **options)

    def listrights(self, mailbox: Name, who: Name, **options: Unpack[CallOptions]) -> Result:
        """Ask which rights ``who`` can be given on a mailbox, and which only together; RFC 4314 section 3.4.

        Capability: ACL; states: authenticated, selected; right: a. The data are the LISTRIGHTS responses, ``data.parsed()`` a
        list of ``ListRights``.
        """
        return self._call("LISTRIGHTS", mailbox, who, **options)

    def myrights(self, mailbox: Name, **options: Unpack[CallOptions]) -> Result:
        """Ask for the user's own rights on a mailbox; RFC 4314 section 3.5.

        Capability: ACL; states: authenticated, selected; right: any of l, r, i, k, x, a. The data are the MYRIGHTS responses,
        ``data.parsed()`` a list of ``MyRights``.
        """
        return self._call("MYRIGHTS", mailbox, **options)

    def setacl(self, mailbox: Name, who: Name, what: Any, **options: Unpack[CallOptions]) -> Result:
        """Give rights on a mailbox to ``who``; RFC 4314 section 3.1.

        Capability: ACL; states: authenticated, selected; right: a. The data is the text of the tagged response. ``what``: rights
        that replace the present ones ("lrs"; "" for none), that are added ("+w") or removed ("-w"); also a ``Rights``, or an
        iterable of letters. Servers answer BAD to rights that they do not support.
        """
        return self._call("SETACL", mailbox, who, what, **options)


# Responses


def acl_data(cursor: Cursor) -> Acl:
    """``acl-data = "ACL" SP mailbox *(SP identifier SP rights)``, ``identifier = astring``, RFC 4314 section 7."""
    name = cursor.name(_acl_mailbox(cursor))
    entries: dict[ServerString, Rights] = {}

    def entry(cursor: Cursor) -> None:
        """``identifier SP rights``."""
        start = cursor.mark()
        who = ServerString(cursor.astring())
        cursor.sp()
        given = rights(cursor)
        if who in entries:
            cursor.tolerate("ACL: an identifier twice", cursor.since(start))
        entries.setdefault(who, given)

    list(to_the_end(cursor, "ACL", entry))
    return Acl(name, entries, tuple(cursor.defects))


def listrights_data(cursor: Cursor) -> ListRights:
    """``listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights)``, RFC 4314 section 7.

    "c" and "d" may stand in groups of their own. If any group has k, x, t or e, "c" and "d" mean nothing (section 2.1.1), and
    groups of them alone are omitted.
    """
    name = cursor.name(mailbox_before(cursor, _before_identifier))
    cursor.sp()
    identifier = ServerString(cursor.astring())
    groups = list(to_the_end(cursor, "rights", rights))
    if not groups:
        cursor.tolerate("LISTRIGHTS: no rights", b"")
    virtual = not _MEMBERS & frozenset(b"".join(group.raw for group in groups).decode("latin-1"))
    required, *optional = [Rights(group.raw, virtual) for group in groups] or [Rights(b"")]
    kept = tuple(group for group in optional if group.letters or not group.raw)
    return ListRights(name, identifier, required, kept, tuple(cursor.defects))


def myrights_data(cursor: Cursor) -> MyRights:
    """``myrights-data = "MYRIGHTS" SP mailbox SP rights``, RFC 4314 section 7."""
    name = cursor.name(_my_mailbox(cursor))
    found = list(to_the_end(cursor, "rights", rights))
    if len(found) != 1:
        cursor.tolerate("MYRIGHTS: not rights once", b" ".join(each.raw for each in found[1:]))
    return MyRights(name, found[0] if found else Rights(b""), tuple(cursor.defects))


def rights(cursor: Cursor) -> Rights:
    """``rights = astring ;; only lowercase ASCII letters and digits are allowed``, RFC 4314 section 7; others are noted."""
    sent = cursor.astring()
    if sent and not (sent.isalnum() and sent == sent.lower()):
        cursor.tolerate("neither lower-case letters nor digits for rights", sent)
    return Rights(sent)


# The end of a mailbox name that needs quotes and has none

_KNOWN = frozenset(b"lrswipkxtecdan0123456789")
"""The rights of RFC 4314 and RFC 2086, and Cyrus's "n"."""
_RIGHTS = late_pattern(rb"[a-z0-9]++")
_PLAIN_RIGHTS = late_pattern(rb" [a-z0-9]++\Z")
_PLAIN_ENTRIES = late_pattern(rb"(?: [^\x00-\x20\x7f(){%*\"\\]++ [a-z0-9]++)*+\Z")


def _letters(word: bytes) -> bytes | None:
    """The letters of a word, if each is a known right and occurs once; else None."""
    letters = b"" if word == b'""' else word.lower()
    return letters if _KNOWN.issuperset(letters) and len(frozenset(letters)) == len(letters) else None


def _may_be_rights(word: bytes) -> bool:
    """Whether a word follows the grammar of rights, or consists of known rights."""
    return _RIGHTS.fullmatch(word) is not None or word[:1] == b'"' or _letters(word) is not None


def _before_entries(words: list[bytes]) -> int:
    """How many words the name has in ``mailbox *(SP identifier SP rights)``: one if pairs follow, else all before the pairs."""
    if len(words) % 2 and is_astring(words[0]) and all(map(_may_be_rights, words[2::2])):
        return 1
    at = len(words)
    while at > 2 and is_astring(words[at - 2]) and _letters(words[at - 1]) is not None:
        at -= 2
    return at if at < len(words) else 1


def _acl_mailbox(cursor: Cursor) -> bytes:
    """``mailbox *(SP identifier SP rights)``."""
    return mailbox_before(cursor, _before_entries, _PLAIN_ENTRIES)


def _my_mailbox(cursor: Cursor) -> bytes:
    """``mailbox SP rights``: the last word is the rights."""
    return mailbox_before(cursor, lambda words: max(1, len(words) - 1), _PLAIN_RIGHTS)


def _before_identifier(words: list[bytes]) -> int:
    """How many words the name has in ``mailbox SP identifier SP rights *(SP rights)``.

    No right is in two groups, and only the first group may be empty.
    """
    if is_astring(words[0]) and _are_groups(words[2:]):
        return 1
    if b'""' in words[3:]:
        return words.index(b'""', 3) - 1
    at, seen = len(words), b""
    while at > 2:
        letters = _letters(words[at - 1])
        if letters is None or frozenset(letters) & frozenset(seen):
            break
        at, seen = at - 1, seen + letters
    name = b"".join(words[: at - 1])
    return at - 1 if 2 < at < len(words) and name.count(b"(") == name.count(b")") else 1


def _are_groups(words: list[bytes]) -> bool:
    """Whether words are groups of rights: none is in two groups, except "c" and "d"."""
    if not all(map(_may_be_rights, words)) or b'""' in words[1:]:
        return False
    letters = b"".join(words).translate(None, b'"cd')
    return len(frozenset(letters)) == len(letters)


# Data

_VIRTUAL = frozenset("cd")
_MEMBERS = frozenset("kxte")


@record
class Rights:
    """A set of rights, RFC 4314 section 2: ``"r" in rights``, ``rights.letters``, and ``raw`` as sent.

    Two are equal if ``raw`` is. Compare ``letters`` to see whether they mean the same.
    """

    raw: bytes
    virtual: bool = field(default=True, compare=False, repr=False)
    """Whether "c" and "d" stand for other rights: not if the response names any of those."""

    @property
    def letters(self) -> frozenset[str]:
        """The rights, without the obsolete "c" and "d", which stand for others: RFC 4314 section 2.1.1.

        A server of RFC 4314 sends "c" and "d" beside their members k, x, t and e; they are omitted. A server that sends no member
        follows RFC 2086: then "c" is k, "d" is t and e, and both together are also x, which belongs to one of them.
        """
        sent = frozenset(self.raw.decode("latin-1"))
        if not self.virtual or not _VIRTUAL & sent or _MEMBERS & sent:
            return sent - _VIRTUAL
        meant = ("k" if "c" in sent else "") + ("te" if "d" in sent else "") + ("x" if sent >= _VIRTUAL else "")
        return (sent - _VIRTUAL) | frozenset(meant)

    def __contains__(self, right: str) -> bool:
        return right in self.letters

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.letters))

    def __str__(self) -> str:
        return self.raw.decode("ascii", "backslashreplace")


@record
class Acl(OfMailbox):
    """An ACL response: the rights of each identifier on a mailbox.

    ``name`` and the keys of ``entries``, the identifiers, can be passed to every command. Identifiers are bytes; ``who.text`` is
    their text. One that begins with "-" takes rights away. ``defects`` has what could not be read.
    """

    name: MailboxName
    entries: Mapping[ServerString, Rights] = field(hash=False)
    defects: tuple[Defect, ...] = ()

    def of(self, who: str) -> Rights | None:
        """The rights of an identifier; None if it has no entry."""
        return self.entries.get(ServerString(who.encode("utf-8", "surrogateescape")))

    def text(self) -> dict[str, Rights]:
        """The entries with identifiers as text: UTF-8 (RFC 4314 section 2), with PEP 383 surrogates for other bytes."""
        return {who.text: rights for who, rights in self.entries.items()}


@record
class MyRights(OfMailbox):
    """A MYRIGHTS response: the user's rights on a mailbox."""

    name: MailboxName
    rights: Rights
    defects: tuple[Defect, ...] = ()


@record
class ListRights(OfMailbox):
    """A LISTRIGHTS response: the rights that ``identifier`` always has, and others in groups, given and removed together."""

    name: MailboxName
    identifier: ServerString
    required: Rights
    optional: tuple[Rights, ...]
    defects: tuple[Defect, ...] = ()

    @property
    def who(self) -> str:
        """The identifier as text."""
        return self.identifier.text

    @property
    def grantable(self) -> frozenset[str]:
        """All rights that the identifier can have, the required ones too; "c" and "d" as in ``Rights.letters``."""
        return Rights(b"".join((self.required.raw, *(group.raw for group in self.optional)))).letters


# Arguments and attribution


def mod_rights(value: Any) -> Token:
    """``mod-rights = astring ;; +rights to add, -rights to remove, rights to replace``, RFC 4314 section 7."""
    if isinstance(value, Rights):
        return astring(str(value))
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        letters = list(value)
        if not all(isinstance(letter, str) for letter in letters):
            raise ArgumentError(f"not letters: {letters[:8]!r}")
        return astring("".join(letters))
    return astring(value)


def about_identifier(args: tuple[Any, ...], uid: bool) -> tuple[str, bytes]:
    """The subject of LISTRIGHTS: the mailbox and the identifier."""
    return about_mailbox(args, uid), string_value(astring(args[1]))


def is_about_identifier(subject: tuple[str, bytes], response: Untagged) -> bool | str | None:
    """Whether a LISTRIGHTS response is about that mailbox and that identifier, which the server repeats unchanged (section 3.4).

    Servers never send it unasked, so one with other names may still be the answer, with names as this server writes them.
    """
    found = response.once(_name_and_identifier)
    if found is None:
        return None
    verdict = same_name(subject[0], found[0])
    if found[1] == subject[1] and verdict is not False:
        return verdict
    return "a LISTRIGHTS response about another mailbox or identifier, and nothing else can be the answer"


def _name_and_identifier(response: Untagged) -> tuple[str, bytes] | None:
    try:
        cursor = Cursor(response.parts)
        name = mailbox_key(mailbox_before(cursor, _before_identifier))
        cursor.sp()
        return name, cursor.astring()
    except ParseError:
        return None


def is_about_listed_mailbox(subject: str, response: Untagged) -> bool | str | None:
    """Whether an ACL response is about that mailbox; the server may have left out the quotes of the name."""
    return may_be_about_mailbox(subject, response, _acl_mailbox)


def is_about_my_mailbox(subject: str, response: Untagged) -> bool | str | None:
    """Whether a MYRIGHTS response is about that mailbox; the answer to LIST can contain others (RFC 8440).

    The server may have left out the quotes of the name, or sent more than one word of rights.
    """
    return or_another_name(subject, is_about_mailbox(subject, response, _my_mailbox) or is_about_mailbox(subject, response))


_LISTED: dict[str, Any] = {"result": ("LISTRIGHTS",), "subject": about_identifier, "matches": is_about_identifier}
COMMANDS = (
    # Exclusive: they change what later commands are allowed to do.
    Command("DELETEACL", State.LOGGED_IN, args=(mailbox, astring), exclusive=True),
    Command("SETACL", State.LOGGED_IN, args=(mailbox, astring, mod_rights), exclusive=True),
    Command("GETACL", State.LOGGED_IN, args=(mailbox,), result=("ACL",), subject=about_mailbox, matches=is_about_listed_mailbox),
    Command(
        "MYRIGHTS", State.LOGGED_IN, args=(mailbox,), result=("MYRIGHTS",), subject=about_mailbox, matches=is_about_my_mailbox
    ),
    Command("LISTRIGHTS", State.LOGGED_IN, args=(mailbox, astring), **_LISTED),
)


@hookimpl
def imapkit_family() -> Family:
    """The family of ACL: RFC 4314."""
    return Family(
        name="acl",
        mixin=AclCommands,
        session="imapkit.ext.acl.typed:AclSession",
        commands=COMMANDS,
        capabilities=("ACL", "RIGHTS=*"),
        responses={"ACL": Response(acl_data), "LISTRIGHTS": Response(listrights_data), "MYRIGHTS": Response(myrights_data)},
        requires=("rev1",),
        contract=2,
    )
