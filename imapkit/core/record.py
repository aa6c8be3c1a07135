"""What parsed data is made of: records, which nobody changes once they are made."""

from __future__ import annotations

from dataclasses import field
from typing import Any, TypeVar, dataclass_transform

from imapkit.core import mutf7
from imapkit.core.lean import lean_dataclass
from imapkit.core.wire import MailboxName

__all__ = ["OfMailbox", "record"]

_Record = TypeVar("_Record", bound=type[Any])


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: _Record) -> _Record:
    """A dataclass with slots that type checkers hold to be frozen.

    At run time it is not: freezing makes it 2.5 times as slow to build, and a mailbox has many envelopes.
    """
    made: Any = lean_dataclass(slots=True)(cls)
    return made  # type: ignore[no-any-return]


class OfMailbox:
    """The base of records about a mailbox, whose first field is ``name``, as it was sent: it can be passed to every command."""

    __slots__ = ()
    name: MailboxName

    @property
    def mailbox(self) -> str:
        """The mailbox's name, readable: modified UTF-7 decoded (RFC 3501 section 5.1.3), or UTF-8 (RFC 6855 section 3)."""
        return self.name.text if isinstance(self.name, MailboxName) else mutf7.decode(self.name)
