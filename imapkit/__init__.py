"""imapkit: a threaded IMAP4 client whose every command family is a plugin.

The names here are imported on first use: ``import imapkit`` loads no family and no heavy module.
PYTEST_DONT_REWRITE: pytest loads the plugin ``imapkit.testing.plugin``, and shall not rewrite the assertions of this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imapkit._version import __version__
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
        Commands,
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
    from imapkit.core.raw.families import configure
    from imapkit.core.support.limits import Limits, Timeouts
    from imapkit.core.threads.channel import Channel
    from imapkit.core.transport.tls import TLSError, TLSFileError, unverified_context
    from imapkit.core.wire.data import Data, Defect, Parsed, StatusText
    from imapkit.core.wire.source import Source
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
        Missing,
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

_HOMES = {
    "imapkit._version": ("__version__",),
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
        "Commands",
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
    "imapkit.core.support.limits": ("Limits", "Timeouts"),
    "imapkit.core.raw.families": ("configure",),
    "imapkit.core.wire.data": ("Data", "Defect", "Parsed", "StatusText"),
    "imapkit.core.transport.tls": ("TLSError", "TLSFileError", "unverified_context"),
    "imapkit.core.threads.channel": ("Channel",),
    "imapkit.core.wire.source": ("Source",),
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
        "Missing",
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
    "Data",
    "DeadlineExceeded",
    "Defect",
    "FLAGS_cre",
    "FamilyDisabledError",
    "IMAP4_stream",
    "Int2AP",
    "InternalDate",
    "Internaldate2Time",
    "Internaldate2tuple",
    "LimitExceeded",
    "Limits",
    "Missing",
    "Mon2num",
    "MonthNames",
    "NestedCommandError",
    "NoResponse",
    "ParseError",
    "ParseFlags",
    "Parsed",
    "PluginConflictError",
    "PluginError",
    "PluginLoadError",
    "RemoteProtocolError",
    "ResolveError",
    "ServerBye",
    "Source",
    "StateError",
    "StatusText",
    "TLSError",
    "TLSFileError",
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
