"""A call whose answer has a literal that goes to a sink as it comes."""

from __future__ import annotations

from typing import Any

from imapkit.core.contract.call import Call
from imapkit.core.wire.numbers import LoneNumberSet, NumberSet
from imapkit.core.wire.sinks import Choose

__all__ = ["StreamedCall"]


class StreamedCall(Call):
    """A call with a sink for literals of its answer; ``sink`` chooses, on the thread that reads."""

    __slots__ = ("sink",)

    def __init__(self, call: Call, sink: Choose) -> None:
        # All that ``call`` is; nothing is encoded twice.
        for name in Call.__slots__:
            setattr(self, name, getattr(call, name))
        self.sink: Any = sink
        if self.uid and isinstance(self.about, NumberSet):
            # A server may say the UID behind the literal, and the literal must be known for the command's own before that.
            self.about = LoneNumberSet(self.about)
