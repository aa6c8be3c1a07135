"""XHELLO: a command with an argument, and the untagged response that answers it."""

from __future__ import annotations

from typing import Unpack

from imapkit.core.api import CallOptions, Commands, Cursor, Result, astring
from imapkit.family import Command, Family, Response, State, hookimpl


class HelloCommands(Commands):
    """The methods that clients get."""

    def hello(self, name: str, **options: Unpack[CallOptions]) -> Result:
        """Greet somebody; states: authenticated, selected. The data are the server's greetings."""
        return self._call("XHELLO", name, **options)


def hello_data(cursor: Cursor) -> tuple[str, int]:
    """``hello-data = "XHELLO" SP astring SP number``: who was greeted, and how often."""
    name = cursor.astring().decode("utf-8", "replace")
    cursor.sp()
    return name, cursor.number()


@hookimpl
def imapkit_family() -> Family:
    """The declaration: everything that imapkit has to know."""
    return Family(
        name="hello",
        mixin=HelloCommands,
        commands=(Command("XHELLO", State.LOGGED_IN, args=(astring,), result=("XHELLO",)),),
        capabilities=("XHELLO",),
        responses={"XHELLO": Response(hello_data)},
    )
