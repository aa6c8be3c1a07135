"""``import imaplib2`` gives imapkit: put the directory above this one on PYTHONPATH, before imaplib2's own.

All names of imaplib2's documentation are here. A program needs no change; docs/offlineimap.md says what is different.
"""

from __future__ import annotations

from typing import Any

import imapkit
from imapkit import IMAP4, Commands, IMAP4_stream, unverified_context
from imapkit.compat import (
    AUTH,
    CMD_VAL_ASYNC,
    CMD_VAL_STATES,
    CRLF,
    DFLT_DEBUG_BUF_LVL,
    IDLE_TIMEOUT,
    IDLE_TIMEOUT_RESPONSE,
    IMAP4_PORT,
    IMAP4_SSL_PORT,
    LOGOUT,
    NONAUTH,
    READ_POLL_TIMEOUT,
    READ_SIZE,
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
    UID_direct,
    version,
)

__all__ = [
    "AUTH",
    "CMD_VAL_ASYNC",
    "CMD_VAL_STATES",
    "CRLF",
    "DFLT_DEBUG_BUF_LVL",
    "IDLE_TIMEOUT",
    "IDLE_TIMEOUT_RESPONSE",
    "IMAP4",
    "IMAP4_PORT",
    "IMAP4_SSL",
    "IMAP4_SSL_PORT",
    "LOGOUT",
    "NONAUTH",
    "READ_POLL_TIMEOUT",
    "READ_SIZE",
    "SELECTED",
    "TLS_COMPAT",
    "TLS_NO_SSL",
    "TLS_SECURE",
    "AllowedVersions",
    "Commands",
    "FLAGS_cre",
    "IMAP4_stream",
    "Int2AP",
    "InternalDate",
    "Internaldate2Time",
    "Internaldate2tuple",
    "Mon2num",
    "MonthNames",
    "ParseFlags",
    "Time2Internaldate",
    "UID_direct",
    "version",
]

# Programs show it in their logs, where a reader should see which library runs.
__version__ = f"{version} (imapkit {imapkit.__version__})"


class IMAP4_SSL(imapkit.IMAP4_SSL):
    """imapkit's, but that a pinned certificate needs no authority."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # OfflineIMAP's subclass holds the certificate against `cert_fingerprint` itself, in open(), before anything is sent.
        if getattr(self, "_fingerprint", None) and not kwargs.get("ca_certs"):
            kwargs.setdefault("ssl_context", unverified_context())
        super().__init__(*args, **kwargs)
