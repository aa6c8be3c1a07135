"""A ``getquota`` that can be relied on: it takes the place of the builtin family's, and raises where that only tells.

The builtin ``getquota`` answers as imaplib2 does: a NO is a result like another, and so is an OK that says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, Unpack

from imapkit.errors import NoResponse, ParseError, error
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Cursor,
    Done,
    Family,
    Result,
    ServerString,
    State,
    Token,
    Untagged,
    hookimpl,
    quoted_string,
    raw,
    record,
)

__all__ = ["QuotaError", "StrictQuotaCommands", "Usage", "imapkit_family"]


class QuotaError(error):
    """The server said OK, and yet nothing of the quota root that was asked for, or what cannot be read."""


class StrictQuotaCommands(Commands):
    """Commands of QUOTA, RFC 9208; states: authenticated, selected."""

    def getquota(self, root: str | bytes, **options: Unpack[CallOptions]) -> Result:
        """Ask for the usage and the limits of a quota root; RFC 9208 section 4.1.1; capability QUOTA.

        ``root``: its name, which is taken literally, quotes too. Returns ``("OK", [one QUOTA response])``. Raises
        ``NoResponse`` if there is no such root, or if it may not be seen; ``QuotaError`` if the answer is none.
        """
        return self._call_with(options, "GETQUOTA", root, finish=self._checked)

    def quota_usage(self, root: str | bytes, *, timeout: float | None = None) -> Mapping[str, Usage]:
        """The same as numbers, by the name of the resource ("STORAGE"); what is not there has no limit. Raises the same."""
        _, data = self.getquota(root, timeout=timeout)
        quota: _Quota = data.parsed()[0]
        return {resource.name: Usage(resource.usage, resource.limit) for resource in quota.resources}

    def _checked(self, request: Done) -> Result:
        """What came back, if it is an answer."""
        typ, data = self._result(request)
        root = request.args[0]
        if typ != "OK":
            said = request.text.decode("utf-8", "backslashreplace")
            raise NoResponse(f"GETQUOTA {root!r}: {typ} [{said}]", typ=typ, text=request.text, command="GETQUOTA")
        found = data.parsed()
        if found.defects:
            raise QuotaError(f"GETQUOTA {root!r}: {found.defects[0].what}: {found.defects[0].raw[:80]!r}")
        if len(found) != 1:
            raise QuotaError(f"GETQUOTA {root!r}: the server says OK, but {'nothing' if not found else 'too much'} of this root")
        return typ, data


@record
class Usage:
    """Of one resource: how much is used, and how much may be; STORAGE in units of 1024 octets, MESSAGE counted."""

    used: int
    limit: int

    @property
    def left(self) -> int:
        """What is still free; 0 where the limit is reached, or was lowered below what is used."""
        return max(self.limit - self.used, 0)


class _Resource(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def usage(self) -> int: ...
    @property
    def limit(self) -> int: ...


class _Quota(Protocol):
    """What the builtin family makes of a QUOTA response; no family imports another."""

    @property
    def resources(self) -> Iterable[_Resource]: ...


def root_name(value: Any) -> Token:
    """``quota-root-name = astring``, literally: quotes belong to the name. Raises ``ArgumentError`` for CR, LF and NUL."""
    return quoted_string(ServerString(raw(value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value)))


def about_root(args: tuple[Any, ...], uid: bool) -> bytes:
    """The root that a command is about."""
    root = args[0]
    return root.encode("utf-8", "surrogateescape") if isinstance(root, str) else bytes(root)


def is_about_root(about: bytes, response: Untagged) -> bool | None:
    """Whether a QUOTA response is about that root: those about others may come unasked. None: there is no telling."""
    try:
        return Cursor(response.parts).astring() == about
    except ParseError:
        return None


@hookimpl
def imapkit_family() -> Family:
    """What ``replaces`` names is taken over from the family ``quota``; the rest of that stays as it is."""
    return Family(
        name="strictquota",
        mixin=StrictQuotaCommands,
        commands=(
            Command(
                "GETQUOTA",
                State.LOGGED_IN,
                args=(root_name,),
                result=("QUOTA",),
                about=about_root,
                matches=is_about_root,
            ),
        ),
        requires=("rev1", "quota"),
        replaces=("command:GETQUOTA", "method:getquota"),
    )
