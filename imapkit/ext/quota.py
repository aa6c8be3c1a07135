"""The family ``quota``: QUOTA, RFC 9208, and its predecessor RFC 2087."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar, Unpack

from imapkit.errors import ArgumentError, ParseError
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Cursor,
    Defect,
    Done,
    Family,
    MailboxName,
    OfMailbox,
    Reply,
    Response,
    Result,
    State,
    Token,
    TypedCommands,
    Untagged,
    Wire,
    astring,
    astring_or_nil,
    atom,
    command,
    ended,
    hookimpl,
    is_astring,
    late_pattern,
    mailbox,
    mailbox_before,
    mailbox_key,
    members,
    number,
    raw,
    record,
    same_name,
    string_value,
    to_the_end,
)

__all__ = ["Quota", "QuotaCommands", "QuotaResource", "QuotaRoot", "QuotaSession", "imapkit_family"]

F = TypeVar("F")

Name = str | bytes


class QuotaCommands(Commands):
    """Commands of QUOTA: RFC 9208 section 4.1. Usage and limits belong to *quota roots*; each covers some mailboxes.

    A server refuses what exceeds a limit with the response code OVERQUOTA (section 4.3.1), which the base family reads.
    """

    def getquota(self, root: Name, **options: Unpack[CallOptions]) -> Result:
        """Ask for the usage and the limits of a quota root; RFC 9208 section 4.1.1.

        Capability: QUOTA; states: authenticated, selected. The data are the QUOTA responses, ``data.parsed()`` a list of
        ``Quota``; NO if there is no such root, or if the user may not see it: Cyrus lets only administrators. ``root``: a name
        from ``getquotaroot``, such as "User quota" or "".
        """
        return self._call("GETQUOTA", root, **options)

    def getquotaroot(self, mailbox: Name, **options: Unpack[CallOptions]) -> Result:
        """Ask for the quota roots of a mailbox, and for usage and limits of each; RFC 9208 section 4.1.2.

        Capability: QUOTA; states: authenticated, selected. Returns ``(type, [[QUOTAROOT data, ...], [QUOTA data, ...]])``, each
        list ``[None]`` if there was no such response. ``parsed()`` of the first list returns ``QuotaRoot`` records, of the second
        ``Quota``, of both together all in the order of arrival. The mailbox need not exist; Cyrus answers NO if it does not.
        """
        return self._call_with(options, "GETQUOTAROOT", mailbox, finish=self._roots_and_quotas)

    def setquota(self, root: Name, limits: Any, **options: Unpack[CallOptions]) -> Result:
        """Set the limits of a quota root; RFC 9208 section 4.1.3.

        Capability: QUOTASET, or QUOTA of RFC 2087; states: authenticated, selected. The data are the QUOTA responses, if the
        server sends any, else ``[None]``; NO if the user may not set limits. ``limits``: text such as "(STORAGE 512)", with or
        without parentheses, or a mapping such as ``{"STORAGE": 512, "MESSAGE": 1000}``. STORAGE is in units of 1024 bytes,
        other resources are counted. The server removes limits that are not named: "()" removes all.
        """
        return self._call("SETQUOTA", root, limits, **options)

    def _roots_and_quotas(self, request: Done) -> Result:
        typ, data = self._result(request)
        if typ == "NO":
            data[:] = [list(data), list(data)]
        else:
            data[:] = [self._result(request, names=(name,))[1] for name in ("QUOTAROOT", "QUOTA")]
        return typ, data


class QuotaSession(TypedCommands[F]):
    """See and set quotas; states: authenticated, selected.

    Each method raises ``Missing``, and sends nothing, if the server has no QUOTA, and ``NoResponse`` if it refuses.
    """

    @command
    async def quota(self, mailbox: str | bytes = "INBOX") -> tuple[Quota, ...]:
        """Usage and limits of the quota roots of a mailbox; RFC 9208 section 4.1.2; empty if it has none.

        ``client.quota("INBOX")[0].resource("STORAGE")``
        """
        await self._require("QUOTA", "quota()")
        return await Wire("GETQUOTAROOT", mailbox, parse=_quotas)

    @command
    async def quota_root(self, root: str | bytes) -> Quota:
        """Usage and limits of a quota root, by its name (``Quota.name``); RFC 9208 section 4.1.1."""
        await self._require("QUOTA", "quota_root()")
        return await Wire("GETQUOTA", root, parse=_one_quota)

    @command
    async def set_quota(self, root: str | bytes, limits: Mapping[str, int]) -> tuple[Quota, ...]:
        """Set the limits of a quota root; RFC 9208 section 4.1.3: ``client.set_quota("", {"STORAGE": 512, "MESSAGE": 1000})``.

        Returns the quotas that the server then reports, perhaps none. STORAGE is in units of 1024 bytes, other resources are
        counted. The server removes limits that are not named.
        """
        await self._require("QUOTA", "set_quota()")
        return await Wire("SETQUOTA", root, limits, parse=_quotas)


def _quotas(reply: Reply) -> tuple[Quota, ...]:
    return tuple(reply.values("QUOTA"))


def _one_quota(reply: Reply) -> Quota:
    found: list[Quota] = reply.values("QUOTA")
    return reply.one(found, "QUOTA")


# Responses


def quota(cursor: Cursor) -> Quota:
    """``quota-response = "QUOTA" SP quota-root-name SP quota-list``, RFC 9208 section 7.

    ``quota-list = "(" quota-resource *(SP quota-resource) ")"``; RFC 2087 section 6 allows it to be empty. A missing list, as
    Courier sends it, is noted. A resource that cannot be read becomes a ``Defect``.
    """
    name = _quota_root_name(cursor)
    if without := cursor.match(_NO_LIST):
        cursor.tolerate("QUOTA: no list", without.group().strip(b" "))
        return Quota(name, (), tuple(cursor.defects))
    cursor.sp()
    cursor.expect(b"(")
    found: dict[str, QuotaResource] = {}

    def resource(cursor: Cursor) -> None:
        """Read one resource; the first of a name counts."""
        start = cursor.mark()
        read = quota_resource(cursor)
        if read.name in found:
            cursor.tolerate("QUOTA: a resource twice", cursor.since(start))
        found.setdefault(read.name, read)

    list(members(cursor, "QUOTA", resource, values=3))
    ended(cursor, "QUOTA: more after the )")
    return Quota(name, tuple(found.values()), tuple(cursor.defects))


#   What servers send in place of a list: nothing, or NIL.
_NO_LIST = late_pattern(rb"(?: ++NIL)?+ *+\Z", re.IGNORECASE)


def _quota_root_name(cursor: Cursor) -> MailboxName:
    """``quota-root-name = astring``, before a list or nothing; NIL, which is no string, is noted and read as the name ""."""
    start = cursor.mark()
    try:
        name = astring_or_nil(cursor, "QUOTA: a root")
        if name is None or _NO_LIST.match(cursor.ahead()):
            return cursor.name(name or b"")
    except ParseError:
        pass
    cursor.reset(start)
    name = cursor.mailbox()
    if cursor.at_end():
        raise cursor.error("(")
    return cursor.name(name)


def quota_resource(cursor: Cursor) -> QuotaResource:
    """``quota-resource = resource-name SP resource-usage SP resource-limit``; both are ``number64``, RFC 9208 section 7."""
    name = cursor.keyword()
    cursor.sp()
    usage = cursor.number64()
    cursor.sp()
    return QuotaResource(name, usage, cursor.number64())


def quotaroot(cursor: Cursor) -> QuotaRoot:
    """``quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)``, ``quota-root-name = astring``; NIL is none."""
    name = cursor.name(mailbox_before(cursor, _before_roots))
    found = list(to_the_end(cursor, "QUOTAROOT", lambda cursor: astring_or_nil(cursor, "QUOTAROOT: a root")))
    roots = tuple(cursor.name(root) for root in found if root is not None)
    return QuotaRoot(name, roots, tuple(cursor.defects))


def _before_roots(words: list[bytes]) -> int:
    """How many words the name has in ``mailbox *(SP quota-root-name)``: all up to the last that needs quotes and has none.

    If the last root has quotes, the name also has all words up to the roots in quotes.
    """
    unquoted = [at for at, word in enumerate(words, 1) if word[:1] != b'"']
    invalid = [at for at in unquoted if not is_astring(words[at - 1])]
    if not invalid:
        return 1
    return unquoted[-1] if words[-1][:1] == b'"' else invalid[-1]


# Data


@record
class QuotaResource:
    """One resource of a quota root: STORAGE and ANNOTATION-STORAGE in units of 1024 bytes, MESSAGE and MAILBOX counted.

    ``name`` is in upper case. RFC 9208 section 5.
    """

    name: str
    usage: int
    limit: int


@record
class Quota:
    """A QUOTA response: the limited resources of a quota root; a resource that it does not name has no limit.

    ``name`` can be passed to every command of this family; ``defects`` has what could not be read.
    """

    name: MailboxName
    resources: tuple[QuotaResource, ...]
    defects: tuple[Defect, ...] = ()

    @property
    def root(self) -> str:
        """The name as text; its meaning is the server's own."""
        return self.name.text

    def resource(self, name: str) -> QuotaResource | None:
        """The resource of that name ("STORAGE"); None if it has no limit."""
        return next((each for each in self.resources if each.name == name.upper()), None)


@record
class QuotaRoot(OfMailbox):
    """A QUOTAROOT response: the quota roots of a mailbox, perhaps none. All names can be passed to commands."""

    name: MailboxName
    roots: tuple[MailboxName, ...]
    defects: tuple[Defect, ...] = ()


# Arguments and attribution


def quota_root(value: Any) -> Token:
    """``quota-root-name = astring``; a name that came from a server is quoted as needed."""
    return mailbox(value) if isinstance(value, MailboxName) else astring(value)


#   setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")"; setquota-resource = resource-name SP resource-limit
_LIMITS = late_pattern(rb"\(([^()]*+)\)|([^() ][^()]*+)")


def setquota_list(value: Any) -> bytes:
    """``setquota-list = "(" [resource-name SP resource-limit *(SP resource-name SP resource-limit)] ")"``, RFC 9208 section 7."""
    if isinstance(value, Mapping):
        words = [word for pair in value.items() for word in pair]
    else:
        text = raw(value).strip(b" ")
        found = _LIMITS.fullmatch(text)
        if found is None:
            raise ArgumentError(f"not a list of limits: {text[:80]!r}")
        words = (found.group(1) or found.group(2) or b"").split()
    if len(words) % 2:
        raise ArgumentError(f"not a limit for each resource: {words[:8]!r}")
    return b"(%b)" % b" ".join(kind(word) for name, limit in _pairs(words) for kind, word in ((atom, name), (number, limit)))


def _pairs(words: list[Any]) -> zip[tuple[Any, Any]]:
    return zip(words[::2], words[1::2], strict=True)


def about_root(args: tuple[Any, ...], uid: bool) -> str:
    """The subject of GETQUOTA: the quota root, without quotes."""
    return mailbox_key(string_value(quota_root(args[0])))


def is_about_root(subject: str, response: Untagged) -> bool | str | None:
    """Whether a QUOTA response is about that root; servers may also send some about other roots unasked."""
    name = response.once(_root)
    if name is None:
        return None
    verdict = same_name(name, subject)
    return "a QUOTA response about another root, and nothing else can be the answer" if verdict is False else verdict


def _root(response: Untagged) -> str | None:
    try:
        return mailbox_key(_quota_root_name(Cursor(response.parts)))
    except ParseError:
        return None


COMMANDS = (
    Command(
        "GETQUOTA",
        State.LOGGED_IN,
        args=(quota_root,),
        result=("QUOTA",),
        subject=about_root,
        matches=is_about_root,
    ),
    # No subject: the client cannot foresee the roots in its answer, so no other command that awaits QUOTA overlaps with it.
    Command("GETQUOTAROOT", State.LOGGED_IN, args=(mailbox,), result=("QUOTAROOT", "QUOTA")),
    # RFC 9208 section 4.1.3: its answer may have QUOTA responses about other roots.
    Command("SETQUOTA", State.LOGGED_IN, args=(quota_root, setquota_list), exclusive=True, result=("QUOTA",)),
)


@hookimpl
def imapkit_family() -> Family:
    """The family of QUOTA: RFC 2087 and RFC 9208."""
    return Family(
        name="quota",
        mixin=QuotaCommands,
        session=QuotaSession,
        commands=COMMANDS,
        capabilities=("QUOTA", "QUOTA=RES-*", "QUOTASET"),
        responses={"QUOTA": Response(quota), "QUOTAROOT": Response(quotaroot)},
        items={("STATUS", "DELETED"): Cursor.number, ("STATUS", "DELETED-STORAGE"): Cursor.number64},
        requires=("rev1",),
        contract=2,
    )
