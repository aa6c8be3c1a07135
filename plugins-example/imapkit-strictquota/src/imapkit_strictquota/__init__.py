"""A ``getquota`` that replaces the builtin family's, and raises if the server does not answer with the quota.

The builtin ``getquota`` returns what imaplib2 does: also a NO, and an OK without a QUOTA response.
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
    """The server answered OK without one readable QUOTA response about the requested root."""


class StrictQuotaCommands(Commands):
    """Commands of QUOTA, RFC 9208; states: authenticated, selected."""

    def getquota(self, root: str | bytes, **options: Unpack[CallOptions]) -> Result:
        """Ask for the usage and the limits of a quota root; RFC 9208 section 4.1.1; capability QUOTA.

        Returns ``("OK", [one QUOTA response])``. Raises ``NoResponse`` if there is no such root, or if the user may not see it;
        ``QuotaError`` for an OK without one readable response. ``root``: its name, literally; quotes are part of it.
        """
        return self._call_with(options, "GETQUOTA", root, finish=self._checked)

    def quota_usage(self, root: str | bytes, *, timeout: float | None = None) -> Mapping[str, Usage]:
        """The quota as numbers, by the name of the resource ("STORAGE"); a missing one has no limit. Raises as ``getquota``."""
        _, data = self.getquota(root, timeout=timeout)
        quota: _Quota = data.parsed()[0]
        return {resource.name: Usage(resource.usage, resource.limit) for resource in quota.resources}

    def _checked(self, request: Done) -> Result:
        """The result, if it is one readable QUOTA response; else an error is raised."""
        typ, data = self._result(request)
        root = request.args[0]
        if typ != "OK":
            text = request.text.decode("utf-8", "backslashreplace")
            raise NoResponse(f"GETQUOTA {root!r}: {typ} [{text}]", typ=typ, text=request.text, command="GETQUOTA")
        found = data.parsed()
        if found.defects:
            raise QuotaError(f"GETQUOTA {root!r}: {found.defects[0].what}: {found.defects[0].raw[:80]!r}")
        if len(found) != 1:
            raise QuotaError(f"GETQUOTA {root!r}: the server answered OK with {len(found)} QUOTA responses about this root")
        return typ, data


@record
class Usage:
    """The usage and the limit of one resource: STORAGE in units of 1024 bytes, MESSAGE counted."""

    used: int
    limit: int

    @property
    def left(self) -> int:
        """The amount still free; 0 if the usage has reached the limit, or exceeds it."""
        return max(self.limit - self.used, 0)


class _Resource(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def usage(self) -> int: ...
    @property
    def limit(self) -> int: ...


class _Quota(Protocol):
    """The builtin family's record of a QUOTA response; a protocol, since no family imports another."""

    @property
    def resources(self) -> Iterable[_Resource]: ...


def root_name(value: Any) -> Token:
    """``quota-root-name = astring``, literally: quotes are part of the name. Raises ``ArgumentError`` for CR, LF and NUL."""
    return quoted_string(ServerString(raw(value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value)))


def about_root(args: tuple[Any, ...], uid: bool) -> bytes:
    """The subject of a command: its quota root."""
    root = args[0]
    return root.encode("utf-8", "surrogateescape") if isinstance(root, str) else bytes(root)


def is_about_root(subject: bytes, response: Untagged) -> bool | None:
    """Whether a QUOTA response is about that root; servers may send others unasked. None if it cannot be read."""
    try:
        return Cursor(response.parts).astring() == subject
    except ParseError:
        return None


@hookimpl
def imapkit_family() -> Family:
    """The declaration: the command and the method in ``replaces`` are this family's, all else stays that of ``quota``."""
    return Family(
        name="strictquota",
        mixin=StrictQuotaCommands,
        commands=(
            Command(
                "GETQUOTA",
                State.LOGGED_IN,
                args=(root_name,),
                result=("QUOTA",),
                subject=about_root,
                matches=is_about_root,
            ),
        ),
        requires=("rev1", "quota"),
        replaces=("command:GETQUOTA", "method:getquota"),
    )
