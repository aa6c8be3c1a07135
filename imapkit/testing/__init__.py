"""Test tools for plugin authors and for imapkit itself: scripted servers, wire vectors, clients with chosen families.

The names here are imported on first use. pytest finds the fixtures (``imapkit.testing.plugin``) through an entry point.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imapkit.testing.certificate import LOCALHOST, ServerCertificate, Tls
    from imapkit.testing.checks import INJECTIONS, check_family, written
    from imapkit.testing.clients import Answers, at_once, connect, selected, within
    from imapkit.testing.conversation import Conversation, Handler, ReceivedCommand, Script
    from imapkit.testing.factories import ClientFactory, ServerFactory
    from imapkit.testing.families import load_only
    from imapkit.testing.faults import Fault, FaultProxy
    from imapkit.testing.handlers import answering, crossed, refusing, rejecting
    from imapkit.testing.peer import ClientGone, ClientSilent
    from imapkit.testing.proxy import DelayProxy
    from imapkit.testing.scripted import ScriptedServer
    from imapkit.testing.transcript import replay
    from imapkit.testing.travel import check_vector_on_wire
    from imapkit.testing.vectors import Vector, check_vector, load_vectors, vector_text

_HOMES = {
    "certificate": ("LOCALHOST", "ServerCertificate", "Tls"),
    "checks": ("INJECTIONS", "check_family", "written"),
    "clients": ("Answers", "at_once", "connect", "selected", "within"),
    "conversation": ("Conversation", "Handler", "ReceivedCommand", "Script"),
    "factories": ("ClientFactory", "ServerFactory"),
    "families": ("load_only",),
    "faults": ("Fault", "FaultProxy"),
    "handlers": ("answering", "crossed", "refusing", "rejecting"),
    "peer": ("ClientGone", "ClientSilent"),
    "proxy": ("DelayProxy",),
    "scripted": ("ScriptedServer",),
    "transcript": ("replay",),
    "travel": ("check_vector_on_wire",),
    "vectors": ("Vector", "check_vector", "load_vectors", "vector_text"),
}
_HOME = {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}

__all__ = [
    "INJECTIONS",
    "LOCALHOST",
    "Answers",
    "ClientFactory",
    "ClientGone",
    "ClientSilent",
    "Conversation",
    "DelayProxy",
    "Fault",
    "FaultProxy",
    "Handler",
    "ReceivedCommand",
    "Script",
    "ScriptedServer",
    "ServerCertificate",
    "ServerFactory",
    "Tls",
    "Vector",
    "answering",
    "at_once",
    "check_family",
    "check_vector",
    "check_vector_on_wire",
    "connect",
    "crossed",
    "load_only",
    "load_vectors",
    "refusing",
    "rejecting",
    "replay",
    "selected",
    "vector_text",
    "within",
    "written",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
