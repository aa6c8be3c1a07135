"""imapkit: a threaded IMAP4 client whose every command family is a plugin.

The names here are resolved when they are first used: ``import imapkit`` loads no family and no heavy module.
There is a pytest plugin (``imapkit.testing.plugin``), for whose sake nothing is rewritten here: PYTEST_DONT_REWRITE.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imapkit.client import IMAP4, IMAP4_SSL, IMAP4_stream
    from imapkit.compat import (
        AUTH,
        CRLF,
        IDLE_TIMEOUT,
        IMAP4_PORT,
        IMAP4_SSL_PORT,
        LOGOUT,
        NONAUTH,
        SELECTED,
        TLS_COMPAT,
        TLS_NO_SSL,
        TLS_SECURE,
        AllowedVersions,
        FLAGS_cre,
        Int2AP,
        InternalDate,
        Internaldate2Time,
        Internaldate2tuple,
        Mon2num,
        MonthNames,
        ParseFlags,
        Time2Internaldate,
        version,
    )
    from imapkit.core.channel import Channel
    from imapkit.core.limits import Limits, Timeouts
    from imapkit.core.plugins import configure
    from imapkit.core.source import Source
    from imapkit.core.tables import Commands, unverified_context
    from imapkit.core.tls import TLSError
    from imapkit.errors import (
        ArgumentError,
        BadResponse,
        CommandNo,
        CommandTimeout,
        ConnectError,
        ConnectionClosed,
        DeadlineExceeded,
        FamilyDisabledError,
        LimitExceeded,
        NestedCommandError,
        NoResponse,
        ParseError,
        PluginConflictError,
        PluginError,
        PluginLoadError,
        RemoteProtocolError,
        ResolveError,
        ServerBye,
        StateError,
        abort,
        error,
        readonly,
    )

__version__ = "0.1.0"

_HOMES = {
    "imapkit.client": ("IMAP4", "IMAP4_SSL", "IMAP4_stream"),
    "imapkit.compat": (
        "AUTH",
        "CRLF",
        "IDLE_TIMEOUT",
        "IMAP4_PORT",
        "IMAP4_SSL_PORT",
        "LOGOUT",
        "NONAUTH",
        "SELECTED",
        "TLS_COMPAT",
        "TLS_NO_SSL",
        "TLS_SECURE",
        "AllowedVersions",
        "FLAGS_cre",
        "Int2AP",
        "InternalDate",
        "Internaldate2Time",
        "Internaldate2tuple",
        "Mon2num",
        "MonthNames",
        "ParseFlags",
        "Time2Internaldate",
        "version",
    ),
    "imapkit.core.channel": ("Channel",),
    "imapkit.core.limits": ("Limits", "Timeouts"),
    "imapkit.core.plugins": ("configure",),
    "imapkit.core.source": ("Source",),
    "imapkit.core.tables": ("Commands", "unverified_context"),
    "imapkit.core.tls": ("TLSError",),
    "imapkit.errors": (
        "ArgumentError",
        "BadResponse",
        "CommandNo",
        "CommandTimeout",
        "ConnectError",
        "ConnectionClosed",
        "DeadlineExceeded",
        "FamilyDisabledError",
        "LimitExceeded",
        "NestedCommandError",
        "NoResponse",
        "ParseError",
        "PluginConflictError",
        "PluginError",
        "PluginLoadError",
        "RemoteProtocolError",
        "ResolveError",
        "ServerBye",
        "StateError",
        "abort",
        "error",
        "readonly",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AUTH",
    "CRLF",
    "IDLE_TIMEOUT",
    "IMAP4",
    "IMAP4_PORT",
    "IMAP4_SSL",
    "IMAP4_SSL_PORT",
    "LOGOUT",
    "NONAUTH",
    "SELECTED",
    "TLS_COMPAT",
    "TLS_NO_SSL",
    "TLS_SECURE",
    "AllowedVersions",
    "ArgumentError",
    "BadResponse",
    "Channel",
    "CommandNo",
    "CommandTimeout",
    "Commands",
    "ConnectError",
    "ConnectionClosed",
    "DeadlineExceeded",
    "FLAGS_cre",
    "FamilyDisabledError",
    "IMAP4_stream",
    "Int2AP",
    "InternalDate",
    "Internaldate2Time",
    "Internaldate2tuple",
    "LimitExceeded",
    "Limits",
    "Mon2num",
    "MonthNames",
    "NestedCommandError",
    "NoResponse",
    "ParseError",
    "ParseFlags",
    "PluginConflictError",
    "PluginError",
    "PluginLoadError",
    "RemoteProtocolError",
    "ResolveError",
    "ServerBye",
    "Source",
    "StateError",
    "TLSError",
    "Time2Internaldate",
    "Timeouts",
    "__version__",
    "abort",
    "configure",
    "error",
    "readonly",
    "unverified_context",
    "version",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'imapkit' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
